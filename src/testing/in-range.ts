import type { OrderedRangeRead } from '../circuit/ordered-state.js';
import { compareText } from '../zset/text-order.js';

type Member = [member: string, weight: number];

/** A group's members in the order in which ranges of them are read. */
export const sortedMembers = (
  members: Iterable<readonly [member: string, weight: number]>,
): readonly Member[] =>
  [...members]
    .map(([member, weight]): Member => [member, weight])
    .sort(([left], [right]) => compareText(left, right));

/** Of a group's members those that a read of a range gives, in its order. */
export const inRange = (
  members: Iterable<readonly [member: string, weight: number]>,
  read: OrderedRangeRead,
): Member[] => inSorted(sortedMembers(members), read);

/** The same of members that are sorted. */
export function inSorted(
  members: readonly Member[],
  { from, to, direction, count }: OrderedRangeRead,
): Member[] {
  const first = placeOf(members, from);
  const end = to === null ? members.length : placeOf(members, to);
  return direction === 'up'
    ? members.slice(first, Math.min(end, first + count))
    : members.slice(Math.max(first, end - count), Math.max(first, end)).reverse();
}

function placeOf(members: readonly Member[], text: string): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareText(members[middle]![0], text) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
