import { compareText } from '../../zset/text-order.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import type { Ordered } from '../operator.js';
import { GroupMembers } from './group-members.js';
import { memberOfValue, valueOfMember } from './member-text.js';

/** A place among a group's ordered values, and what is found there. */
interface Pointer {
  /** How many values there are, nulls left out. */
  readonly count: number;
  /** How many of them lie before `low`. */
  readonly below: number;
  /** The value at the rank, as a member; null of no values. */
  readonly low: string | null;
  /** How often it occurs. */
  readonly weight: number;
  /** The value at the rank above, where what is shown lies between two; else `low` again. */
  readonly high: string | null;
}

const NOWHERE: Pointer = { count: 0, below: 0, low: null, weight: 0, high: null };

/**
 * `percentile(column, p)`, `median(column)`: of the values that are not null, in order; null of none.
 *
 *   continuous   between the values around the rank p · (n − 1), counted from 0: PostgreSQL's percentile_cont
 *   discrete     the first value with at least p · n values up to it: percentile_disc
 *
 * The accumulator is a pointer into the ordered values. A change moves the rank by no more than it adds or takes away,
 * and the pointer walks there over that many neighbours: what is read does not depend on the size of the group.
 */
export function percentile(options: {
  value: (row: Row) => Value;
  p: number;
  discrete: boolean;
  members: Ordered;
}): Aggregator<Pointer> {
  const { value, p, discrete, members } = options;
  const tick = new GroupMembers((row) => {
    const held = value(row);
    return held === null ? null : memberOfValue(held);
  });
  const rankOf = (count: number): number =>
    discrete ? Math.max(Math.ceil(p * count) - 1, 0) : Math.floor(p * (count - 1));
  const isBetween = (count: number): boolean => !discrete && p * (count - 1) !== rankOf(count);

  return {
    initial: () => NOWHERE,
    wants(pointer, rows, weights, group) {
      const nets = tick.of(group, rows, weights);
      if (nets.size === 0) return;
      if (pointer === undefined || pointer.low === null) {
        // The group holds no values: one reading says so of all of them.
        members.wantAll(group);
        return;
      }
      let retracted = 0;
      for (const [member, net] of nets) {
        members.wantMember(group, member);
        if (net < 0) retracted++;
      }
      const moved = move(pointer, nets);
      if (moved.count === 0) return;
      const { up, down } = steps(moved);
      members.wantFrom(group, pointer.low, 'up', up, retracted);
      if (down > 0) members.wantFrom(group, pointer.low, 'down', down, retracted);
    },
    fold: (pointer) => pointer,
    settle(pointer, group) {
      const nets = tick.take(group);
      if (nets.size === 0) return pointer;
      for (const [member, net] of nets) members.add(group, member, net);
      const moved = move(pointer, nets);
      return moved.count === 0 ? NOWHERE : settled(moved, group);
    },
    result: ({ count, low, high }) => (low === null ? null : shown(count, low, high!)),
    codec: { encode, decode: (text) => revive(JSON.parse(text)) },
    revive,
  };

  /** Where the pointer stands after a tick that has not moved it: what is before it and on it may have changed. */
  function move({ count, below, low, weight, high }: Pointer, nets: ReadonlyMap<string, number>): Pointer {
    let [all, before] = [count, below];
    for (const [member, net] of nets) {
      all += net;
      if (low !== null && compareText(member, low) < 0) before += net;
    }
    const own = low === null ? 0 : weight + (nets.get(low) ?? 0);
    return { count: all, below: before, low, weight: own, high };
  }

  /** How many members to read from the pointer on to be sure of the rank and its neighbour above. */
  function steps({ count, below, weight }: Pointer): { up: number; down: number } {
    const rank = rankOf(count);
    return {
      up: Math.max(0, rank - (below + weight) + 1) + 2,
      down: rank < below ? below - rank + 1 : 0,
    };
  }

  function settled(moved: Pointer, group: string): Pointer {
    const { count } = moved;
    const rank = rankOf(count);
    const from = moved.low ?? '';
    let { below } = moved;
    let [low, weight] = ['', 0];
    if (rank < below) {
      for (const [member, times] of members.from(group, from, 'down', steps(moved).down)) {
        if (member === from) continue;
        [low, weight] = [member, times];
        below -= times;
        if (below <= rank) break;
      }
    } else
      for (const [member, times] of members.from(group, from, 'up', steps(moved).up)) {
        [low, weight] = [member, times];
        if (rank < below + times) break;
        below += times;
      }
    const isLast = rank + 1 === below + weight;
    const high = isBetween(count) && isLast ? members.from(group, low, 'up', 2)[1]![0] : low;
    return { count, below, low, weight, high };
  }

  function shown(count: number, low: string, high: string): Value {
    if (low === high) return valueOfMember(low);
    const [least, most] = [valueOfMember(low) as number, valueOfMember(high) as number];
    const part = p * (count - 1) - rankOf(count);
    const width = most - least;
    return (Number.isFinite(width) ? least + part * width : least * (1 - part) + most * part) + 0;
  }
}

/** `[count, below, weight, low, high]`, the last where it differs. */
function encode({ count, below, weight, low, high }: Pointer): string {
  return JSON.stringify(high === low ? [count, below, weight, low] : [count, below, weight, low, high]);
}

const revive = ([count, below, weight, low, high = low]: [
  number,
  number,
  number,
  string | null,
  (string | null)?,
]): Pointer => ({ count, below, low, weight, high });
