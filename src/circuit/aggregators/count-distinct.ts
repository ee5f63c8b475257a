import { textOf, type Row, type Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { json, type Ordered } from '../operator.js';
import { GroupMembers } from './group-members.js';

export interface Counted {
  value: (row: Row) => Value;
  members: Ordered;
  /** Rows are not retracted one by one, but with all of their group if at all. */
  appendOnly: boolean;
}

/**
 * `countDistinct(column)`: how many different values, nulls left out. Each value is kept with its weight; where rows only
 * come it is kept once, and one that is known changes nothing.
 */
export function countDistinct({ value, members, appendOnly }: Counted): Aggregator<number> {
  const tick = new GroupMembers((row) => {
    const held = value(row);
    return held === null ? null : textOf(held);
  });
  return {
    initial: () => 0,
    wants(_count, rows, weights, group) {
      for (const member of tick.of(group, rows, weights).keys()) members.wantMember(group, member);
    },
    fold: (count) => count,
    settle(count, group) {
      for (const [member, net] of tick.take(group)) {
        const before = members.weight(group, member);
        const after = appendOnly ? Number(net > 0) : before + net;
        members.add(group, member, after - before);
        count += Number(after > 0) - Number(before > 0);
      }
      return count;
    },
    result: (count) => count,
    codec: json,
    revive: (stored) => stored,
  };
}
