import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { json, type Ordered } from '../operator.js';
import { GroupMembers } from './group-members.js';
import { memberBy, memberOfValue, valueBehindOrder, valueOfMember } from './member-text.js';

/**
 * `collect(column)`: the group's values as a list in a declared order, equal ones as often as they occur, nulls left out.
 *
 * Holistic: what it shows is as large as its group, and each change reads and writes all of it.
 */
export function collect(options: {
  value: (row: Row) => Value;
  /** What orders the list; null for the values themselves. Equal ones by the text of the value. */
  by: ((row: Row) => Value) | null;
  descending: boolean;
  members: Ordered;
}): Aggregator<null> {
  const { value, by, descending, members } = options;
  const valueOf = by === null ? valueOfMember : valueBehindOrder;
  const tick = new GroupMembers((row) => {
    const held = value(row);
    if (held === null) return null;
    return by === null ? memberOfValue(held) : memberBy(by(row), held);
  });
  return {
    initial: () => null,
    wants(_nothing, rows, weights, group) {
      tick.of(group, rows, weights);
      members.wantAll(group);
    },
    fold: () => null,
    settle(_nothing, group) {
      for (const [member, net] of tick.take(group)) members.add(group, member, net);
      return null;
    },
    result(_nothing, group) {
      const list: Value[] = [];
      for (const [member, weight] of members.all(group)) {
        const held = valueOf(member);
        for (let times = weight; times > 0; times--) list.push(held);
      }
      return descending ? list.reverse() : list;
    },
    codec: json,
    revive: () => null,
  };
}
