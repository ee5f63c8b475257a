import type { OrderedRangeRead } from '../circuit/ordered-state.js';
import { compareText } from '../zset/text-order.js';

/** Of a group's members those that a read of a range gives, in its order. */
export function inRange(
  members: Iterable<readonly [member: string, weight: number]>,
  { from, to, direction, count }: OrderedRangeRead,
): [member: string, weight: number][] {
  const found = [...members]
    .filter(([member]) => compareText(from, member) <= 0 && (to === null || compareText(member, to) < 0))
    .sort(([left], [right]) => compareText(left, right))
    .map(([member, weight]): [string, number] => [member, weight]);
  return (direction === 'up' ? found : found.reverse()).slice(0, count);
}
