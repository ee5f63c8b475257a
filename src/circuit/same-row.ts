import type { Row } from '../zset/value.js';

/** Whether two rows of one relation are equal: column by column, nested values by text. Null is no row. */
export function sameRow(left: Row | null, right: Row | null): boolean {
  if (left === right) return true;
  if (left === null || right === null) return false;
  for (const column in left) {
    const a = left[column]!;
    const b = right[column]!;
    if (a !== b && (typeof a !== 'object' || JSON.stringify(a) !== JSON.stringify(b))) return false;
  }
  return true;
}
