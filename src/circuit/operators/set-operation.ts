import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import type { Row } from '../../zset/value.js';
import type { Due, DueTimes } from '../due-times.js';
import { type NetChange, netChanges } from '../net-changes.js';
import type { Codec, Keyed, Operator } from '../operator.js';
import { columnWatermark, type Time } from '../time.js';
import type { FreezingColumn } from './drop-late.js';

/** How often a row is on the left and on the right. */
export type Sides = readonly [left: number, right: number];

/** How often a row is in the result, by how often it is on each side. */
export type SetWeight = (left: number, right: number) => number;

/** As sets, where a row is in a result or not, and as bags, where each copy counts. */
export const setWeights = {
  except: {
    set: (left, right) => (left > 0 && right === 0 ? 1 : 0),
    all: (left, right) => Math.max(0, left - right),
  },
  intersect: {
    set: (left, right) => (left > 0 && right > 0 ? 1 : 0),
    all: (left, right) => Math.min(left, right),
  },
} as const satisfies Record<string, { readonly set: SetWeight; readonly all: SetWeight }>;

/**
 * Compares two collections row by row.
 *
 *   in   Δ left, Δ right
 *   out  Δ row     by as much as the row's weight in the result changes
 *
 * A row's weight in the result is a function of its two weights, so both are kept for every row of either side, and
 * nothing but the rows of a delta is looked at. Null is equal to null here. Where a column has a watermark on both sides, the
 * weights of rows below it go: such rows neither come nor go any more.
 */
export class SetOperation implements Operator {
  unfinished = false;
  #inputs: readonly Delta<Row>[] | null = null;
  #changes: readonly [Map<string, NetChange>, Map<string, NetChange>] = [new Map(), new Map()];

  constructor(
    readonly sides: RowSides,
    readonly weightOf: SetWeight,
  ) {}

  get timed(): boolean {
    return this.sides.reads !== undefined;
  }

  reads(inputs: readonly [Delta<Row>, Delta<Row>], time: Time): void {
    if (this.#inputs?.[0] !== inputs[0] || this.#inputs[1] !== inputs[1]) {
      this.#inputs = inputs;
      this.#changes = [netChanges(inputs[0]), netChanges(inputs[1])];
    }
    for (const changes of this.#changes)
      for (const [text, { row, weight }] of changes) if (weight !== 0) this.sides.want(text, row);
    this.unfinished = this.sides.reads?.(time) ?? false;
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const [left, right] = this.#changes;
    for (const [text, { row, weight }] of left)
      this.#apply(text, row, weight, right.get(text)?.weight ?? 0, output);
    for (const [text, { row, weight }] of right)
      if (!left.has(text)) this.#apply(text, row, 0, weight, output);
    this.sides.free?.();
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.unfinished = false;
  }

  #forget(): void {
    this.#inputs = null;
    this.#changes = [new Map(), new Map()];
  }

  #apply(text: string, row: Row, onLeft: number, onRight: number, output: Delta<Row>): void {
    if (onLeft === 0 && onRight === 0) return;
    const before = this.sides.get(text, row);
    const [left, right] = before;
    const now: Sides = [left + onLeft, right + onRight];
    if (now[0] < 0 || now[1] < 0)
      assert(
        false,
        `A compared row would have the weights ${now[0]} and ${now[1]}: ${text}. A row was retracted that had not been inserted.`,
      );
    this.sides.set(text, row, before, now);
    const change = this.weightOf(...now) - this.weightOf(left, right);
    if (change !== 0) output.push(row, change);
  }
}

/** `1` for a row that is once on the left alone, else both numbers. */
export const sidesCodec: Codec<Sides> = {
  encode: ([left, right]) => (right === 0 ? String(left) : `${left},${right}`),
  decode: (text) => {
    const comma = text.indexOf(',');
    return comma === -1 ? [Number(text), 0] : [Number(text.slice(0, comma)), Number(text.slice(comma + 1))];
  },
};

/** Where the rows' weights are kept. */
export interface RowSides {
  want(text: string, row: Row): void;
  get(text: string, row: Row): Sides;
  set(text: string, row: Row, before: Sides, after: Sides): void;
  /** Names what can no longer change, as soon as that is known. Whether there is more of it than one tick takes. */
  reads?(time: Time): boolean;
  free?(): void;
}

/** For ever, by the row's text; nothing for a row that is on neither side. */
export class KeptSides implements RowSides {
  constructor(readonly state: Keyed<Sides>) {}

  want(text: string): void {
    this.state.want(text);
  }

  get(text: string): Sides {
    return this.state.get(text) ?? [0, 0];
  }

  set(text: string, _row: Row, _before: Sides, after: Sides): void {
    if (after[0] === 0 && after[1] === 0) this.state.delete(text);
    else this.state.set(text, after);
  }
}

/** In the order of a column, until its watermark has passed them on both sides. */
export class FreedSides implements RowSides {
  #bound = '';
  #due: readonly (readonly Due[])[] = [];

  constructor(
    /** Of the left and of the right. */
    readonly states: readonly [DueTimes, DueTimes],
    readonly column: FreezingColumn,
  ) {}

  want(text: string, row: Row): void {
    for (const state of this.states) state.want(this.#atOf(row), text);
  }

  get(text: string, row: Row): Sides {
    const [left, right] = this.states;
    return [left.weight(this.#atOf(row), text), right.weight(this.#atOf(row), text)];
  }

  set(text: string, row: Row, before: Sides, after: Sides): void {
    const at = this.#atOf(row);
    // It may come and be frozen in one tick.
    const isFrozen = at < this.#bound;
    this.states.forEach((state, side) => state.add(at, text, (isFrozen ? 0 : after[side]!) - before[side]!));
  }

  reads(time: Time): boolean {
    this.#bound = instantText(columnWatermark(time, this.column.time));
    const isLoaded = this.states.map((state) => state.wantDue(this.#bound));
    const found = isLoaded.includes(false) ? [] : this.states.map((state) => state.due(this.#bound));
    this.#due = found.map(({ due }) => due);
    return found.some(({ more }) => more);
  }

  free(): void {
    this.#due.forEach((due, side) => {
      const state = this.states[side]!;
      for (const { at, key } of due) state.add(at, key, -state.weight(at, key));
    });
    this.#due = [];
  }

  #atOf(row: Row): string {
    return this.column.read(row) as string;
  }
}
