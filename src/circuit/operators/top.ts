import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import { compareText } from '../../zset/text-order.js';
import type { Row } from '../../zset/value.js';
import type { FrozenGroups } from '../frozen-groups.js';
import type { Operator, Ordered } from '../operator.js';
import {
  groupChanges,
  GroupChanges,
  type Member,
  memberOfRow,
  type OrderedRows,
  orderOfMember,
} from '../ordered-rows.js';
import type { Time } from '../time.js';

export interface TopOptions extends OrderedRows {
  /** How many rows of a group are passed over, and how many are shown then. */
  readonly offset: number;
  readonly count: number;
  /** The row as it is shown in this place, counted from 1; null where rows are shown as they are. */
  readonly ranked: ((row: Row, place: number) => Row) | null;
  /** No row is ever retracted: those that are behind the last one shown never come back. */
  readonly appendOnly: boolean;
  /** Where a column of the group has a watermark. Its late rows are left out before they come here. */
  readonly frozen?: FrozenGroups;
  /** The instant a row's group is at. */
  readonly frozenAt?: (row: Row) => string;
}

/**
 * The first rows of each group in an order.
 *
 *   in   Δ row
 *   out  Δ row     those that enter, leave or change their place among the `count` after the first `offset`
 *
 * A group is an ordered multiset; a row of weight 2 takes two places. What is shown is read from its beginning before and
 * after the tick's changes, at most `offset + count` members and as many more as were retracted, however large the group
 * is; a change behind the last one shown needs no more than its own member. Of rows that are never retracted the group
 * keeps only these, and what comes behind them is not even made a member. Where a column of the group has a watermark, a
 * group below it is frozen: its state goes, and its rows stay as they were shown last.
 */
export class Top implements Operator {
  #input: Delta<Row> | null = null;
  #groups = new Map<string, GroupChanges>();
  /** By group, of rows that are never retracted: the places in the input of those that came. */
  #arrivals = new Map<string, number[]>();
  readonly #last: number;

  constructor(
    readonly members: Ordered,
    readonly options: TopOptions,
  ) {
    this.#last = options.offset + options.count;
  }

  get timed(): boolean {
    return this.options.frozen !== undefined;
  }

  get unfinished(): boolean {
    return this.options.frozen?.unfinished ?? false;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) {
      this.#input = input;
      if (this.options.appendOnly) this.#arrivals = arrivalsIn(input, this.options.groupKeyOf);
      else this.#groups = groupChanges(input, this.options);
    }
    for (const group of this.#arrivals.keys()) this.members.wantAll(group);
    for (const [group, changes] of this.#groups) {
      if (changes.nets.size === 0) continue;
      for (const member of changes.nets.keys()) this.members.wantMember(group, member);
      this.members.wantEnd(group, 'least', this.#last, changes.retracted);
    }
    this.options.frozen?.reads(time, (group) => this.#groups.get(group)?.retracted ?? 0);
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const output = new Delta<Row>();
    for (const [group, changes] of this.#groups) {
      if (changes.nets.size === 0) continue;
      const before = this.members.end(group, 'least', this.#last);
      this.#settle(group, before, this.#changed(group, before, changes), changes, output);
    }
    for (const [group, arrivals] of this.#arrivals) {
      const before = this.members.end(group, 'least', this.#last);
      const changes = this.#inFront(before, input, arrivals);
      if (changes !== null)
        this.#settle(group, before, this.#appended(group, before, changes), changes, output);
    }
    const { frozen } = this.options;
    for (const due of frozen?.due ?? []) if (frozen!.isStill(due)) frozen!.free(due);
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.options.frozen?.discard();
  }

  #forget(): void {
    this.#input = null;
    this.#groups = new Map();
    this.#arrivals = new Map();
  }

  #settle(
    group: string,
    before: readonly Member[],
    after: readonly Member[],
    changes: GroupChanges,
    output: Delta<Row>,
  ): void {
    if (after === before) return;
    const { frozen, frozenAt } = this.options;
    this.#show(before, after, changes, output);
    if (frozen === undefined) return;
    const [member] = changes.nets.keys();
    if (before.length === 0) frozen.add(group, frozenAt!(changes.rowOf(member!)));
    else if (after.length === 0) frozen.remove(group, frozenAt!(changes.rowOf(member!)));
  }

  /** Those of the rows that came, as changes, that do not lie behind all that can be kept; null where all do. */
  #inFront(
    before: readonly Member[],
    { rows, weights, orders }: Delta<Row>,
    arrivals: readonly number[],
  ): GroupChanges | null {
    const { orderOf, textOf } = this.options;
    let changes: GroupChanges | null = null;
    const came = arrivals.map((index) => orderOf(rows[index]!, orders?.[index]));
    // What is taken back in the tick it came in is to be met with it.
    const last = arrivals.every((index) => weights[index]! > 0) ? this.#lastOrder(before, came) : null;
    for (let at = 0; at < arrivals.length; at++) {
      if (last !== null && compareText(came[at]!, last) > 0) continue;
      const row = rows[arrivals[at]!]!;
      (changes ??= new GroupChanges()).add(memberOfRow(came[at]!, textOf(row)), row, weights[arrivals[at]!]!);
    }
    return changes === null || changes.nets.size === 0 ? null : changes;
  }

  /** An order behind which no row is among the first, with those that are there or with those that came; null: there is none. */
  #lastOrder(before: readonly Member[], came: readonly string[]): string | null {
    let full = 0;
    for (const [, weight] of before) full += weight;
    const there = full >= this.#last ? orderOfMember(before[before.length - 1]![0]) : null;
    if (came.length <= this.#last) return there;
    const ofThose = [...came].sort(compareText)[this.#last - 1]!;
    return there === null || compareText(ofThose, there) < 0 ? ofThose : there;
  }

  /** Applies the changes; the first members then, or `before` itself where they are the same. */
  #changed(group: string, before: readonly Member[], { nets }: GroupChanges): readonly Member[] {
    const last = before.length < this.#last ? null : before[before.length - 1]![0];
    let within = false;
    for (const [member, net] of nets) {
      this.members.add(group, member, net);
      within ||= last === null || compareText(member, last) <= 0;
    }
    return within ? this.members.end(group, 'least', this.#last) : before;
  }

  /** Keeps the first copies of what there was and what was added, and forgets all behind them. */
  #appended(group: string, before: readonly Member[], { sorted }: GroupChanges): readonly Member[] {
    const after: Member[] = [];
    let left = this.#last;
    let isSame = true;
    for (let at = 0, next = 0; at < before.length || next < sorted.length;) {
      const [was, came] = [before[at], sorted[next]];
      const order = was === undefined ? 1 : came === undefined ? -1 : compareText(was[0], came[0]);
      if (order <= 0) at++;
      if (order >= 0) next++;
      const member = order <= 0 ? was![0] : came![0];
      const weight = order <= 0 ? was![1] : 0;
      const net = order >= 0 ? came![1] : 0;
      if (net < 0) assert(false, 'A row was retracted from a collection that its plan calls append-only.');
      const kept = Math.min(weight + net, left);
      left -= kept;
      if (kept > 0) after.push([member, kept]);
      if (kept === weight) continue;
      this.members.add(group, member, kept - weight);
      isSame = false;
    }
    return isSame ? before : after;
  }

  #show(
    before: readonly Member[],
    after: readonly Member[],
    changes: GroupChanges,
    output: Delta<Row>,
  ): void {
    const { ranked, offset } = this.options;
    const [were, are] = [this.#places(before), this.#places(after)];
    if (ranked === null) {
      const come: string[] = [];
      for (let at = 0, next = 0; at < were.length || next < are.length;) {
        const [was, is] = [were[at], are[next]];
        const order = was === undefined ? 1 : is === undefined ? -1 : compareText(was, is);
        if (order < 0) output.push(changes.rowOf(was!), -1);
        if (order > 0) come.push(is!);
        if (order <= 0) at++;
        if (order >= 0) next++;
      }
      for (const member of come) output.push(changes.rowOf(member), 1);
      return;
    }
    for (let at = 0; at < Math.max(were.length, are.length); at++) {
      const [was, is] = [were[at], are[at]];
      if (was === is) continue;
      if (was !== undefined) output.push(ranked(changes.rowOf(was), offset + at + 1), -1);
      if (is !== undefined) output.push(ranked(changes.rowOf(is), offset + at + 1), 1);
    }
  }

  /** The members that are shown, one for each place. */
  #places(members: readonly Member[]): string[] {
    const { offset, count } = this.options;
    const places: string[] = [];
    let passed = 0;
    for (const [member, weight] of members) {
      const from = Math.max(0, offset - passed);
      for (let copy = from; copy < weight && places.length < count; copy++) places.push(member);
      passed += weight;
      if (places.length === count) break;
    }
    return places;
  }
}

/** What came to each group. */
function arrivalsIn({ rows }: Delta<Row>, groupKeyOf: (row: Row) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (let index = 0; index < rows.length; index++) {
    const key = groupKeyOf(rows[index]!);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  return groups;
}
