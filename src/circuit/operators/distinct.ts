import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import type { Row } from '../../zset/value.js';
import type { Due, DueTimes } from '../due-times.js';
import { type NetChange, netChanges } from '../net-changes.js';
import type { Keyed, Operator } from '../operator.js';
import { columnWatermark, type Time } from '../time.js';
import type { FreezingColumn } from './drop-late.js';

/**
 * Every row once, however often it is in the input.
 *
 *   in   Δ row
 *   out  Δ row     inserted when its weight becomes positive, retracted when it no longer is
 *
 * Where a column has a watermark, the weights of rows below it go: such rows neither come nor go any more.
 */
export class Distinct implements Operator {
  unfinished = false;
  #input: Delta<Row> | null = null;
  #changes = new Map<string, NetChange>();
  #due: readonly Due[] = [];

  constructor(readonly weights: RowWeights) {}

  get timed(): boolean {
    return this.weights.reads !== undefined;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#changes = netChanges(input);
    }
    for (const [text, { row, weight }] of this.#changes) if (weight !== 0) this.weights.want(text, row);
    const found = this.weights.reads?.(time);
    this.#due = found?.due ?? [];
    this.unfinished = found?.more ?? false;
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [text, { row, weight }] of this.#changes) {
      if (weight === 0) continue;
      const before = this.weights.get(text, row);
      const after = before + weight;
      if (after < 0) assert(false, `A row of a distinct collection would have the weight ${after}: ${text}.`);
      this.weights.set(text, row, before, after);
      if (before === 0) output.push(row, 1);
      else if (after === 0) output.push(row, -1);
    }
    this.weights.free?.(this.#due);
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.unfinished = false;
  }

  #forget(): void {
    this.#input = null;
    this.#changes = new Map();
    this.#due = [];
  }
}

/** Where the rows' weights are kept. */
export interface RowWeights {
  want(text: string, row: Row): void;
  get(text: string, row: Row): number;
  set(text: string, row: Row, before: number, after: number): void;
  /** What can no longer change, as soon as that is known. */
  reads?(time: Time): { due: readonly Due[]; more: boolean };
  free?(due: readonly Due[]): void;
}

/** For ever, by the row's text. */
export class KeptWeights implements RowWeights {
  constructor(readonly state: Keyed<number>) {}

  want(text: string): void {
    this.state.want(text);
  }

  get(text: string): number {
    return this.state.get(text) ?? 0;
  }

  set(text: string, _row: Row, _before: number, after: number): void {
    if (after === 0) this.state.delete(text);
    else this.state.set(text, after);
  }
}

/** In the order of a column, until its watermark has passed them. */
export class FreedWeights implements RowWeights {
  #bound = '';

  constructor(
    readonly state: DueTimes,
    readonly column: FreezingColumn,
  ) {}

  want(text: string, row: Row): void {
    this.state.want(this.#atOf(row), text);
  }

  get(text: string, row: Row): number {
    return this.state.weight(this.#atOf(row), text);
  }

  set(text: string, row: Row, before: number, after: number): void {
    const at = this.#atOf(row);
    // It may come and be frozen in one tick.
    this.state.add(at, text, (at < this.#bound ? 0 : after) - before);
  }

  reads(time: Time): { due: readonly Due[]; more: boolean } {
    this.#bound = instantText(columnWatermark(time, this.column.time));
    return this.state.wantDue(this.#bound) ? this.state.due(this.#bound) : { due: [], more: false };
  }

  free(due: readonly Due[]): void {
    for (const { at, key } of due) this.state.add(at, key, -this.state.weight(at, key));
  }

  #atOf(row: Row): string {
    return this.column.read(row) as string;
  }
}
