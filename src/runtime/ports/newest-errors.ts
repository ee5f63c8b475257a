interface StoredError {
  key: string;
  text: string;
}

/** The newest errors, at most `limit`. A stored error is JSON whose field `seen` rises; what has none comes last. */
export function newestErrors(errors: readonly StoredError[], limit: number): StoredError[] {
  return errors
    .map((error) => ({ error, seen: seenOf(error.text) }))
    .sort((left, right) => right.seen - left.seen || (left.error.key < right.error.key ? -1 : 1))
    .slice(0, limit)
    .map(({ error }) => error);
}

function seenOf(text: string): number {
  try {
    const { seen } = JSON.parse(text) as { seen?: unknown };
    return typeof seen === 'number' ? seen : -1;
  } catch {
    return -1;
  }
}
