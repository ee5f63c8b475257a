/** Kinds of JSON, the least first. */
const RANKS = ['string', 'number', 'boolean', 'array', 'object'];
const rankOf = (value: unknown): number => RANKS.indexOf(Array.isArray(value) ? 'array' : typeof value);
/** The text of an object, whatever order its members are in. */
const jsonOf = (value: object): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([l], [r]) => (l < r ? -1 : 1)))
      : part,
  );

/** Compares two values that are not null. */
export function compare(left: any, right: any): number {
  if (Array.isArray(left) && Array.isArray(right)) {
    for (let at = 0; at < Math.min(left.length, right.length); at++) {
      const [l, r] = [left[at], right[at]];
      if (l === null || r === null) {
        if (l !== r) return l === null ? 1 : -1;
        continue;
      }
      const order = compare(l, r);
      if (order !== 0) return order;
    }
    return left.length - right.length;
  }
  if (typeof left !== typeof right || Array.isArray(left) !== Array.isArray(right))
    return rankOf(left) - rankOf(right);
  if (typeof left === 'object') {
    const [l, r] = [jsonOf(left), jsonOf(right)];
    return l < r ? -1 : l > r ? 1 : 0;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

export const once = (list: readonly any[]): any[] => [...new Set(list)];
/** Nulls come last. */
export const inOrder = (list: readonly any[]): any[] =>
  [...list].sort((l, r) =>
    l === null || r === null ? Number(r === null) - Number(l === null) : compare(l, r),
  );
