import { compareText } from '../../zset/text-order.js';
import { compareValues, type Row, type Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { json, type Ordered } from '../operator.js';
import { refuseRetraction } from './appended.js';
import { GroupMembers } from './group-members.js';

type Compare = (left: Value, right: Value) => number;

/** The least (or greatest) value of a column that is never retracted: the value alone. */
export function extremeOfAppended(value: (row: Row) => Value, end: 'least' | 'greatest'): Aggregator<Value> {
  const better: Compare =
    end === 'least'
      ? (left, right) => compareValues(left, right)
      : (left, right) => compareValues(right, left);
  const sign = end === 'least' ? 1 : -1;
  return {
    initial: () => null,
    merge: (into, other) => (into === null || (other !== null && better(other, into) < 0) ? other : into),
    fold(best, row, weight) {
      if (weight <= 0) refuseRetraction();
      const candidate = value(row);
      if (candidate === null) return best;
      if (best === null) return candidate;
      if (typeof candidate === 'number' && typeof best === 'number')
        return (candidate - best) * sign < 0 ? candidate : best;
      return better(candidate, best) < 0 ? candidate : best;
    },
    result: (best) => best,
    codec: { ...json, encode: (best) => (typeof best === 'number' ? String(best) : JSON.stringify(best)) },
    revive: (stored) => stored,
  };
}

/** The row that comes first: `by` what is compared, `order` its place in the log where that decides, and what it shows. */
interface Chosen {
  by: Value;
  order: string;
  value: Value;
}

/** The value of the first (or last) row of a collection from which none is retracted: that row's alone. */
export function chosenOfAppended(options: {
  value: (row: Row) => Value;
  /** Null: only the place in the log decides. */
  by: ((row: Row) => Value) | null;
  end: 'least' | 'greatest';
  /** Equal ones are told apart by their place in the log, and then, as all others, by the least text of the value. */
  inLogOrder: boolean;
}): Aggregator<Chosen | null> {
  const { value, by, end, inLogOrder } = options;
  const sign = end === 'least' ? 1 : -1;
  const compared = (candidate: Value, order: string, best: Chosen): number =>
    ((by === null ? 0 : compareValues(candidate, best.by)) || compareText(order, best.order)) * sign;
  return {
    initial: () => null,
    fold(best, row, weight, order = '') {
      if (weight <= 0) refuseRetraction();
      const candidate = by === null ? null : by(row);
      if (by !== null && candidate === null) return best;
      const place = inLogOrder ? order : '';
      const before = best === null ? -1 : compared(candidate, place, best);
      if (before > 0) return best;
      const shown = value(row);
      if (before === 0 && compareShown(shown, best!.value) >= 0) return best;
      return { by: candidate, order: place, value: shown };
    },
    merge(into, other) {
      if (into === null || other === null) return into ?? other;
      const before = compared(other.by, other.order, into) || compareShown(other.value, into.value);
      return before < 0 ? other : into;
    },
    result: (best) => best?.value ?? null,
    codec: {
      encode: (best) => (best === null ? 'null' : JSON.stringify([best.by, best.order, best.value])),
      decode: (text) => reviveChosen(JSON.parse(text)),
    },
    revive: reviveChosen,
  };
}

const compareShown = (left: Value, right: Value): number =>
  compareText(JSON.stringify(left), JSON.stringify(right));

const reviveChosen = (stored: [by: Value, order: string, value: Value] | null): Chosen | null =>
  stored === null ? null : { by: stored[0], order: stored[1], value: stored[2] };

/**
 * The first member of an ordered multiset, for collections that retract.
 *
 * The accumulator holds it, so that insertions need not look for it; only when it is retracted the next one is read.
 */
export function extremeMember(options: {
  members: Ordered;
  /** Null for rows that do not count. */
  memberOf: (row: Row) => string | null;
  end: 'least' | 'greatest';
  valueOf: (member: string) => Value;
}): Aggregator<string | null> {
  const { members, end, valueOf } = options;
  const tick = new GroupMembers(options.memberOf);
  const sign = end === 'least' ? 1 : -1;
  return {
    initial: () => null,
    wants(first, rows, weights, group) {
      const nets = tick.of(group, rows, weights);
      let retracted = 0;
      for (const [member, net] of nets) {
        members.wantMember(group, member);
        if (net < 0) retracted++;
      }
      if (typeof first === 'string' && nets.get(first)! < 0) members.wantEnd(group, end, 1, retracted);
    },
    fold: (first) => first,
    settle(first, group) {
      const nets = tick.take(group);
      for (const [member, net] of nets) members.add(group, member, net);
      if (first !== null && nets.has(first) && members.weight(group, first) === 0)
        return members.end(group, end, 1)[0]?.[0] ?? null;
      let best = first;
      for (const [member, net] of nets)
        if (net > 0 && (best === null || compareText(member, best) * sign < 0)) best = member;
      return best;
    },
    result: (first) => (first === null ? null : valueOf(first)),
    codec: json,
    revive: (stored) => stored,
  };
}
