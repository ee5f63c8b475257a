/**
 * The text of the row shown in a stored view record, or '' if it shows none: all up to the first line feed. What lies behind it
 * is the task's (`circuit/view-record.ts`).
 */
export function shownText(stored: string): string {
  const end = stored.indexOf('\n');
  return end === -1 ? stored : stored.slice(0, end);
}
