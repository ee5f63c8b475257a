/** How much of a row, an entry or a reason is kept for people to read. */
const TEXT_MAX = 2_000;

/** The JSON of anything at all. */
export function textOfAnything(row: unknown): string {
  try {
    return JSON.stringify(row) ?? String(row);
  } catch {
    return String(row);
  }
}

/** Cut without halving a surrogate pair. */
export function cut(text: string): string {
  if (text.length <= TEXT_MAX) return text;
  const unit = text.charCodeAt(TEXT_MAX - 1);
  return text.slice(0, unit >= 0xd800 && unit < 0xdc00 ? TEXT_MAX - 1 : TEXT_MAX) + '…';
}
