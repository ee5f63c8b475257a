import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import { compareText } from '../../zset/text-order.js';
import type { Row } from '../../zset/value.js';
import type { FrozenGroups } from '../frozen-groups.js';
import type { Operator, Ordered } from '../operator.js';
import { groupChanges, type GroupChanges, type Member, type OrderedRows } from '../ordered-rows.js';
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
 * keeps only these. Where a column of the group has a watermark, a group below it is frozen: its state goes, and its rows
 * stay as they were shown last.
 */
export class Top implements Operator {
  #input: Delta<Row> | null = null;
  #groups = new Map<string, GroupChanges>();
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
      this.#groups = groupChanges(input, this.options);
    }
    for (const [group, changes] of this.#groups) {
      if (changes.nets.size === 0) continue;
      if (this.options.appendOnly) this.members.wantAll(group);
      else {
        for (const member of changes.nets.keys()) this.members.wantMember(group, member);
        this.members.wantEnd(group, 'least', this.#last, changes.retracted);
      }
    }
    this.options.frozen?.reads(time, (group) => this.#groups.get(group)?.retracted ?? 0);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const { frozen } = this.options;
    for (const [group, changes] of this.#groups) {
      if (changes.nets.size === 0) continue;
      const before = this.members.end(group, 'least', this.#last);
      const after = this.options.appendOnly
        ? this.#appended(group, before, changes)
        : this.#changed(group, before, changes);
      if (after === before) continue;
      this.#show(before, after, changes, output);
      const [member] = changes.nets.keys();
      if (before.length === 0) frozen?.add(group, this.options.frozenAt!(changes.rowOf(member!)));
      else if (after.length === 0) frozen?.remove(group, this.options.frozenAt!(changes.rowOf(member!)));
    }
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
  #appended(group: string, before: readonly Member[], { nets }: GroupChanges): readonly Member[] {
    const weights = new Map(before);
    let full = 0;
    for (const [, weight] of before) full += weight;
    const last = full < this.#last ? null : before[before.length - 1]![0];
    let within = false;
    for (const [member, net] of nets) {
      if (net < 0) assert(false, 'A row was retracted from a collection that its plan calls append-only.');
      if (last !== null && compareText(member, last) >= 0) continue;
      weights.set(member, (weights.get(member) ?? 0) + net);
      within = true;
    }
    if (!within) return before;
    const after: Member[] = [];
    let left = this.#last;
    for (const [member, weight] of [...weights].sort(([one], [other]) => compareText(one, other))) {
      const kept = Math.min(weight, left);
      left -= kept;
      if (kept > 0) after.push([member, kept]);
      weights.set(member, kept);
    }
    const had = new Map(before);
    for (const [member, kept] of weights) {
      const change = kept - (had.get(member) ?? 0);
      if (change !== 0) this.members.add(group, member, change);
    }
    return after;
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
      const weights = new Map<string, number>();
      for (const member of were) weights.set(member, (weights.get(member) ?? 0) - 1);
      for (const member of are) weights.set(member, (weights.get(member) ?? 0) + 1);
      for (const [member, weight] of weights) if (weight !== 0) output.push(changes.rowOf(member), weight);
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
