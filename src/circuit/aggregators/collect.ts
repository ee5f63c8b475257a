import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { json, type Ordered } from '../operator.js';
import { GroupMembers } from './group-members.js';
import { memberInOrder, memberOfValue, valueInOrder, valueOfMember } from './member-text.js';

export interface Listed {
  value: (row: Row) => Value;
  /** What orders the list; null for the values themselves. Equal ones by the value. */
  by: ((row: Row) => Value) | null;
  /** The whole list the other way round. */
  descending: boolean;
  members: Ordered;
}

/** `collect(column)`: the group's values as a list in a declared order, as often as they occur, nulls left out. */
export const collect = (listed: Listed): Aggregator<null> => listing(listed, false, (values) => values);

/** `collectDistinct(column)`: each of them once. */
export const collectDistinct = (listed: Listed): Aggregator<null> =>
  listing(listed, true, (values) => values);

/** `joinText(column)`: the texts one after another, with a separator between; null of none. */
export const joinText = (listed: Listed, separator: string): Aggregator<null> =>
  listing(listed, false, (values) => (values.length === 0 ? null : values.join(separator)));

/** Holistic: what is shown is as large as its group, and each change reads and writes all of it. */
function listing(listed: Listed, once: boolean, shown: (values: Value[]) => Value): Aggregator<null> {
  const { value, by, descending, members } = listed;
  const valueOf = by === null ? valueOfMember : valueInOrder;
  const tick = new GroupMembers((row) => {
    const held = value(row);
    if (held === null) return null;
    return by === null ? memberOfValue(held) : memberInOrder(by(row), held);
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
      const values: Value[] = [];
      for (const [member, weight] of members.all(group)) {
        const held = valueOf(member);
        for (let times = once ? 1 : weight; times > 0; times--) values.push(held);
      }
      return shown(descending ? values.reverse() : values);
    },
    codec: json,
    revive: () => null,
  };
}
