import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { json, type Ordered } from '../operator.js';
import { GroupMembers } from './group-members.js';
import { memberOfValue, valueOfMember } from './member-text.js';

/**
 * `topK(column, k)`: the k greatest (or least) values, the first of them first, equal ones as often as they occur, nulls
 * left out. Read from the end of the group's ordered values, whatever lies behind.
 */
export function topK(options: {
  value: (row: Row) => Value;
  k: number;
  end: 'least' | 'greatest';
  members: Ordered;
}): Aggregator<null> {
  const { value, k, end, members } = options;
  const tick = new GroupMembers((row) => {
    const held = value(row);
    return held === null ? null : memberOfValue(held);
  });
  return {
    initial: () => null,
    wants(_nothing, rows, weights, group) {
      let retracted = 0;
      for (const [member, net] of tick.of(group, rows, weights)) {
        members.wantMember(group, member);
        if (net < 0) retracted++;
      }
      members.wantEnd(group, end, k, retracted);
    },
    fold: () => null,
    settle(_nothing, group) {
      for (const [member, net] of tick.take(group)) members.add(group, member, net);
      return null;
    },
    result(_nothing, group) {
      const list: Value[] = [];
      for (const [member, weight] of members.end(group, end, k)) {
        const held = valueOfMember(member);
        for (let times = Math.min(weight, k - list.length); times > 0; times--) list.push(held);
        if (list.length === k) break;
      }
      return list;
    },
    codec: json,
    revive: () => null,
  };
}
