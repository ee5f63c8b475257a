import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import { type NetChange, netChanges } from '../net-changes.js';
import type { Keyed, Operator } from '../operator.js';

/**
 * Every row once, however often it is in the input.
 *
 *   in   Δ row
 *   out  Δ row     inserted when its weight becomes positive, retracted when it no longer is
 */
export class Distinct implements Operator {
  #input: Delta<Row> | null = null;
  #changes = new Map<string, NetChange>();

  constructor(
    /** Weights by the row's text. */
    readonly weights: Keyed<number>,
  ) {}

  reads([input]: readonly [Delta<Row>]): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#changes = netChanges(input);
    }
    for (const [text, { weight }] of this.#changes) if (weight !== 0) this.weights.want(text);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [text, { row, weight }] of this.#changes) {
      if (weight === 0) continue;
      const before = this.weights.get(text) ?? 0;
      const after = before + weight;
      if (after < 0) assert(false, `A row of a distinct collection would have the weight ${after}: ${text}.`);
      if (after === 0) this.weights.delete(text);
      else this.weights.set(text, after);
      if (before === 0) output.push(row, 1);
      else if (after === 0) output.push(row, -1);
    }
    this.discard();
    return output;
  }

  discard(): void {
    this.#input = null;
    this.#changes = new Map();
  }
}
