import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import type { Row } from '../../zset/value.js';
import type { Due, DueTimes } from '../due-times.js';
import { type NetChange, netChanges } from '../net-changes.js';
import type { Operator } from '../operator.js';
import { columnWatermark, type Time } from '../time.js';
import type { FreezingColumn } from './drop-late.js';

/**
 * Holds rows back until they can no longer change, and then gives them, once.
 *
 *   in   Δ row
 *   out  Δ row     what is left of the rows below the watermark of a column, when it passes them
 *
 * Rows are kept by that column's value, and gone when they are given. Nothing that is given is ever retracted.
 */
export class Final implements Operator {
  readonly timed = true;
  unfinished = false;
  #input: Delta<Row> | null = null;
  #changes = new Map<string, NetChange>();
  #bound = '';
  #due: readonly Due[] = [];

  constructor(
    readonly held: DueTimes,
    readonly column: FreezingColumn,
  ) {}

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#changes = netChanges(input);
    }
    for (const [text, { row, weight }] of this.#changes)
      if (weight !== 0) this.held.want(this.#atOf(row), text);
    this.#bound = instantText(columnWatermark(time, this.column.time));
    this.unfinished = false;
    if (!this.held.wantDue(this.#bound)) return;
    const { due, more } = this.held.due(this.#bound);
    this.#due = due;
    this.unfinished = more;
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [text, { row, weight }] of this.#changes)
      if (weight !== 0) this.#apply(text, row, weight, output);
    for (const { at, key: text } of this.#due) {
      // Some of it may have been given with the changes.
      const weight = this.held.weight(at, text);
      if (weight === 0) continue;
      output.push(JSON.parse(text) as Row, weight);
      this.held.add(at, text, -weight);
    }
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

  #apply(text: string, row: Row, weight: number, output: Delta<Row>): void {
    const at = this.#atOf(row);
    if (at >= this.#bound) return this.held.add(at, text, weight);
    // It comes and is final in one tick: what was held of it goes with it.
    const before = this.held.weight(at, text);
    if (before + weight < 0)
      assert(
        false,
        `A row held back would have the weight ${before + weight}: ${text}. It was retracted and had not been inserted.`,
      );
    this.held.add(at, text, -before);
    if (before + weight > 0) output.push(row, before + weight);
  }

  #atOf(row: Row): string {
    return this.column.read(row) as string;
  }
}
