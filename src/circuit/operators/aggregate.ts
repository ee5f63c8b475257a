import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import type { Due } from '../due-times.js';
import type { FrozenGroups } from '../frozen-groups.js';
import { emptyGroup, folding, type Group, merging, type PartReader, settle, type Take } from '../group.js';
import type { Keyed, Operator } from '../operator.js';
import { sameRow } from '../same-row.js';
import type { Time } from '../time.js';

export interface AggregateOptions {
  groupKeyOf: (row: Row) => string;
  /** The result row of a group, from any input row of the group and one result per aggregator. */
  rowOf: (sample: Row, results: readonly Value[]) => Row;
  aggregators: readonly Aggregator[];
  /** Its rows are parts of groups, each folded before it was moved: the text of what a part holds. */
  partIn?: PartReader;
  /**
   * Takes what a group shows now, null for nothing, in place of the output: for a view whose rows are the groups' results
   * and hold their state. It has the row before.
   */
  show?: (key: string, row: Row | null) => void;
  /** Where groups are at an instant that has a watermark. Rows that are late for it are left out before they come here. */
  frozen?: FrozenGroups;
  /** The instant a group is at: of any row of it, or one of its results, which then moves as rows come and go. */
  frozenAt?: { readonly read: (row: Row) => Value } | { readonly result: number };
  /** Results are given once, when their group is frozen: the result row of its key and instant. Else on every change. */
  finalRowOf?: (group: Due, results: readonly Value[]) => Row;
}

/**
 * Keeps one result per group.
 *
 *   in   Δ row
 *   out  Δ result     the group's old result retracted, its new one inserted, where they differ
 *
 * A group exists while it has rows: the last retraction removes its result and its state. Where a column that is grouped
 * by has a watermark, or a result has, a group below it is frozen: no row of it comes any more. Its state goes, and its result
 *
 *   on update    stays as it was shown last
 *   final        is shown only now, once
 */
export class Aggregate implements Operator {
  #input: Delta<Row> | null = null;
  /** The groups the tick touches, and which of them each row belongs to. */
  #keys: string[] = [];
  #places = new Map<string, number>();
  #groupOf: number[] = [];
  #rowsOf: { rows: Row[]; weights: number[] }[] | null = null;
  readonly #wanting: readonly number[];
  readonly #take: Take;

  constructor(
    readonly groups: Keyed<Group>,
    readonly options: AggregateOptions,
  ) {
    this.#wanting = options.aggregators.flatMap((aggregator, slot) => (aggregator.wants ? [slot] : []));
    this.#take = options.partIn ? merging(options.partIn, options.aggregators) : folding(options.aggregators);
  }

  /** It does something when time passes. */
  get timed(): boolean {
    return this.options.frozen !== undefined;
  }

  get unfinished(): boolean {
    return this.options.frozen?.unfinished ?? false;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) this.#group(input);
    let loaded = this.groups.wantEach(this.#keys);
    const due = this.options.frozen?.reads(time, (key) => (this.#places.has(key) ? input.size : 0)) ?? [];
    for (const key of due) if (!this.groups.want(key)) loaded = false;
    if (!loaded || this.#wanting.length === 0) return;
    this.#wantMembers(input);
    if (this.options.finalRowOf) this.#wantResults(due);
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { rows, weights, orders } = input;
    const touched: (Touched | undefined)[] = new Array(this.#keys.length).fill(undefined);
    for (let index = 0; index < rows.length; index++) {
      const at = this.#groupOf[index]!;
      const row = rows[index]!;
      const weight = weights[index]!;
      const { group } = (touched[at] ??= this.#touch(this.#keys[at]!, row));
      this.#take(group, row, weight, orders?.[index], this.#keys[at]!);
    }
    const output = new Delta<Row>();
    for (let at = 0; at < touched.length; at++) this.#settle(this.#keys[at]!, touched[at]!, output);
    for (const due of this.options.frozen?.due ?? []) this.#free(due, output);
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.options.frozen?.discard();
  }

  #forget(): void {
    this.#input = null;
    this.#keys = [];
    this.#places = new Map();
    this.#groupOf = [];
    this.#rowsOf = null;
  }

  #group(input: Delta<Row>): void {
    const { groupKeyOf } = this.options;
    const places = new Map<string, number>();
    const groupOf: number[] = new Array(input.size);
    this.#keys = [];
    for (let index = 0; index < groupOf.length; index++) {
      const key = groupKeyOf(input.rows[index]!);
      let at = places.get(key);
      if (at === undefined) places.set(key, (at = this.#keys.push(key) - 1));
      groupOf[index] = at;
    }
    this.#groupOf = groupOf;
    this.#places = places;
    this.#rowsOf = null;
    this.#input = input;
  }

  #touch(key: string, sample: Row): Touched {
    let group = this.groups.edit(key);
    if (group === undefined) {
      group = emptyGroup(this.options.aggregators);
      this.groups.set(key, group);
      return { group, sample, isNew: true, before: null, at: null };
    }
    const { show, finalRowOf, rowOf } = this.options;
    const at = this.#instantOf(key, group, sample);
    const before = show || finalRowOf ? null : rowOf(sample, this.#results(key, group));
    return { group, sample, isNew: false, before, at };
  }

  #settle(key: string, { group, sample, isNew, before, at }: Touched, output: Delta<Row>): void {
    const { frozen, finalRowOf, rowOf } = this.options;
    if (group.count < 0)
      assert(
        false,
        `The group ${JSON.stringify(key)} would have ${group.count} rows: a row was retracted that had not been inserted.`,
      );
    settle(group.accumulators, this.options.aggregators, key);
    if (group.count === 0) {
      if (!isNew) {
        if (!finalRowOf) this.#show(key, before, null, output);
        frozen?.remove(key, at!);
      }
      this.groups.delete(key);
      return;
    }
    const over = this.#freezes(key, group, sample, at);
    if (over || !finalRowOf) this.#show(key, before, rowOf(sample, this.#results(key, group)), output);
    if (over) this.groups.delete(key);
  }

  /** Keeps the instant a group is at, `before` of one that was there. Whether it is new and frozen at once. */
  #freezes(key: string, group: Group, sample: Row, before: string | null): boolean {
    const { frozen } = this.options;
    if (frozen === undefined) return false;
    const at = this.#instantOf(key, group, sample)!;
    if (before === null) return frozen.add(key, at);
    frozen.move(key, before, at);
    return false;
  }

  #instantOf(key: string, group: Group, sample: Row): string | null {
    const { frozenAt, aggregators } = this.options;
    if (frozenAt === undefined) return null;
    if ('read' in frozenAt) return frozenAt.read(sample) as string;
    return aggregators[frozenAt.result]!.result(group.accumulators[frozenAt.result], key) as string;
  }

  #show(key: string, before: Row | null, after: Row | null, output: Delta<Row>): void {
    if (this.options.show) return this.options.show(key, after);
    if (before && sameRow(before, after)) return;
    if (before) output.push(before, -1);
    if (after) output.push(after, 1);
  }

  /** The end of a group that is frozen. If it has many members it is met again, without its state, until they are gone. */
  #free(due: Due, output: Delta<Row>): void {
    const { key } = due;
    if (!this.options.frozen!.isStill(due)) return;
    if (this.groups.get(key) !== undefined) {
      const group = this.groups.edit(key)!;
      if (this.options.finalRowOf) {
        if (!this.#places.has(key)) settle(group.accumulators, this.options.aggregators, key);
        this.#show(key, null, this.options.finalRowOf(due, this.#results(key, group)), output);
      }
      this.groups.delete(key);
    }
    this.options.frozen!.free(due);
  }

  #results(key: string, group: Group): Value[] {
    const { aggregators } = this.options;
    const results: Value[] = new Array(aggregators.length);
    for (let slot = 0; slot < aggregators.length; slot++)
      results[slot] = aggregators[slot]!.result(group.accumulators[slot], key);
    return results;
  }

  /** What groups that are due need to look up for their result. */
  #wantResults(due: readonly string[]): void {
    for (const key of due) {
      const accumulators = this.groups.get(key)?.accumulators;
      if (accumulators === undefined || this.#places.has(key)) continue;
      for (const slot of this.#wanting)
        this.options.aggregators[slot]!.wants!(accumulators[slot], NO_ROWS, NO_WEIGHTS, key);
    }
  }

  /** The groups are loaded: aggregators with ordered state may look at their accumulators to say what else they need. */
  #wantMembers(input: Delta<Row>): void {
    if (this.#rowsOf === null) {
      this.#rowsOf = this.#keys.map(() => ({ rows: [], weights: [] }));
      for (let index = 0; index < input.size; index++) {
        const { rows, weights } = this.#rowsOf[this.#groupOf[index]!]!;
        rows.push(input.rows[index]!);
        weights.push(input.weights[index]!);
      }
    }
    for (let at = 0; at < this.#keys.length; at++) {
      const key = this.#keys[at]!;
      const { rows, weights } = this.#rowsOf[at]!;
      const accumulators = this.groups.get(key)?.accumulators;
      for (const slot of this.#wanting)
        this.options.aggregators[slot]!.wants!(accumulators?.[slot], rows, weights, key);
    }
  }
}

interface Touched {
  group: Group;
  /** Any input row of the group: its group columns are the result's. */
  sample: Row;
  isNew: boolean;
  /** What it has shown. */
  before: Row | null;
  /** The instant it was at; null of a new one, and where nothing is frozen. */
  at: string | null;
}

const NO_ROWS: readonly Row[] = [];
const NO_WEIGHTS: readonly number[] = [];
