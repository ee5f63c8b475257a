import { textOf, type Row, type Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { json, type Ordered } from '../operator.js';
import { GroupMembers } from './group-members.js';

/** `countDistinct(column)`: how many different values, nulls left out. Each value is kept with its weight. */
export function countDistinct(value: (row: Row) => Value, members: Ordered): Aggregator<number> {
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
        members.add(group, member, net);
        count += Number(before + net > 0) - Number(before > 0);
      }
      return count;
    },
    result: (count) => count,
    codec: json,
    revive: (stored) => stored,
  };
}
