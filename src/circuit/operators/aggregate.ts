import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import type { Codec, Keyed, Operator } from '../operator.js';

/** A group's state: how many rows it has, its accumulators, and the row it shows (derived, not stored). */
export class Group {
  row: Row | null = null;
  constructor(
    public count: number,
    public readonly accumulators: any[],
  ) {}
}

export interface AggregateOptions {
  groupKeyOf: (row: Row) => string;
  /** The result row of a group, from any input row of the group and one result per aggregator. */
  rowOf: (sample: Row, results: readonly Value[]) => Row;
  aggregators: readonly Aggregator[];
}

/** A group as `[count, accumulator, …]`, each accumulator in its aggregator's own form. */
export function groupCodec(aggregators: readonly Aggregator[]): Codec<Group> {
  return {
    encode: (group) => {
      let text = '[' + group.count;
      for (let index = 0; index < aggregators.length; index++) text += ',' + aggregators[index]!.codec.encode(group.accumulators[index]);
      return text + ']';
    },
    decode: (text) => {
      const [count, ...stored] = JSON.parse(text) as [number, ...unknown[]];
      return new Group(
        count,
        stored.map((accumulator, index) => aggregators[index]!.codec.decode(JSON.stringify(accumulator))),
      );
    },
    clone: (group) => {
      const copy = new Group(
        group.count,
        group.accumulators.map((accumulator, index) => aggregators[index]!.codec.clone(accumulator)),
      );
      copy.row = group.row;
      return copy;
    },
  };
}

/**
 * Keeps one result per group.
 *
 *   in   Δ row
 *   out  Δ result     the group's old result retracted, its new one inserted, where they differ
 *
 * A group exists while it has rows: the last retraction removes its result and its state.
 */
export class Aggregate implements Operator {
  #input: Delta<Row> | null = null;
  #keys: string[] = [];
  readonly #wanting: readonly number[];

  constructor(
    readonly groups: Keyed<Group>,
    readonly options: AggregateOptions,
  ) {
    this.#wanting = options.aggregators.flatMap((aggregator, index) => (aggregator.wants ? [index] : []));
  }

  reads([input]: readonly [Delta<Row>]): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#keys = input.rows.map(this.options.groupKeyOf);
    }
    let loaded = true;
    for (const key of this.#keys) if (!this.groups.want(key)) loaded = false;
    if (loaded && this.#wanting.length > 0) this.#wantOrdered(input);
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { aggregators } = this.options;
    const touched = new Map<string, Touched>();
    for (let index = 0; index < input.size; index++) {
      const key = this.#keys[index]!;
      const row = input.rows[index]!;
      const weight = input.weights[index]!;
      let at = touched.get(key);
      if (at === undefined) touched.set(key, (at = this.#touch(key, row)));
      const { accumulators } = at.group;
      at.group.count += weight;
      for (let slot = 0; slot < aggregators.length; slot++)
        accumulators[slot] = aggregators[slot]!.fold(accumulators[slot], row, weight, input.orders?.[index], key);
    }
    this.#input = null;
    const output = new Delta<Row>();
    for (const [key, at] of touched) this.#settle(key, at, output);
    return output;
  }

  #touch(key: string, sample: Row): Touched {
    let group = this.groups.edit(key);
    if (group === undefined) {
      group = new Group(
        0,
        this.options.aggregators.map((aggregator) => aggregator.initial()),
      );
      this.groups.set(key, group);
      return { group, sample, before: null };
    }
    return { group, sample, before: group.row ?? this.#rowOf(key, sample, group) };
  }

  #settle(key: string, { group, sample, before }: Touched, output: Delta<Row>): void {
    const { aggregators } = this.options;
    assert(group.count >= 0, `The group ${JSON.stringify(key)} would have ${group.count} rows: a row was retracted that had not been inserted.`);
    for (let slot = 0; slot < aggregators.length; slot++) {
      const aggregator = aggregators[slot]!;
      if (aggregator.settle) group.accumulators[slot] = aggregator.settle(group.accumulators[slot], key);
    }
    if (group.count === 0) {
      this.groups.delete(key);
      if (before) output.push(before, -1);
      return;
    }
    const after = this.#rowOf(key, sample, group);
    if (before && sameColumns(before, after)) {
      group.row = before;
      return;
    }
    group.row = after;
    if (before) output.push(before, -1);
    output.push(after, 1);
  }

  #rowOf(key: string, sample: Row, group: Group): Row {
    const { aggregators } = this.options;
    const results: Value[] = new Array(aggregators.length);
    for (let slot = 0; slot < aggregators.length; slot++) results[slot] = aggregators[slot]!.result(group.accumulators[slot], key);
    return this.options.rowOf(sample, results);
  }

  /** The groups are loaded: aggregators with ordered state may look at their accumulators to say what else they need. */
  #wantOrdered(input: Delta<Row>): void {
    const byGroup = new Map<string, { rows: Row[]; weights: number[] }>();
    for (let index = 0; index < input.size; index++) {
      const key = this.#keys[index]!;
      let group = byGroup.get(key);
      if (group === undefined) byGroup.set(key, (group = { rows: [], weights: [] }));
      group.rows.push(input.rows[index]!);
      group.weights.push(input.weights[index]!);
    }
    for (const [key, { rows, weights }] of byGroup) {
      const group = this.groups.get(key);
      for (const slot of this.#wanting) this.options.aggregators[slot]!.wants!(group?.accumulators[slot], rows, weights, key);
    }
  }
}

interface Touched {
  group: Group;
  /** Any input row of the group: its group columns are the result's. */
  sample: Row;
  before: Row | null;
}

function sameColumns(left: Row, right: Row): boolean {
  for (const column in left) {
    const a = left[column]!;
    const b = right[column]!;
    if (a !== b && (typeof a !== 'object' || JSON.stringify(a) !== JSON.stringify(b))) return false;
  }
  return true;
}
