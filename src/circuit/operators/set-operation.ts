import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import { type NetChange, netChanges } from '../net-changes.js';
import type { Codec, Keyed, Operator } from '../operator.js';

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
 * nothing but the rows of a delta is looked at. Null is equal to null here.
 */
export class SetOperation implements Operator {
  #inputs: readonly Delta<Row>[] | null = null;
  #changes: readonly [Map<string, NetChange>, Map<string, NetChange>] = [new Map(), new Map()];

  constructor(
    /** By the row's text; nothing for a row that is on neither side. */
    readonly sides: Keyed<Sides>,
    readonly weightOf: SetWeight,
  ) {}

  reads(inputs: readonly [Delta<Row>, Delta<Row>]): void {
    if (this.#inputs?.[0] !== inputs[0] || this.#inputs[1] !== inputs[1]) {
      this.#inputs = inputs;
      this.#changes = [netChanges(inputs[0]), netChanges(inputs[1])];
    }
    for (const changes of this.#changes)
      for (const [text, { weight }] of changes) if (weight !== 0) this.sides.want(text);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const [left, right] = this.#changes;
    for (const [text, { row, weight }] of left)
      this.#apply(text, row, weight, right.get(text)?.weight ?? 0, output);
    for (const [text, { row, weight }] of right)
      if (!left.has(text)) this.#apply(text, row, 0, weight, output);
    this.discard();
    return output;
  }

  discard(): void {
    this.#inputs = null;
    this.#changes = [new Map(), new Map()];
  }

  #apply(text: string, row: Row, onLeft: number, onRight: number, output: Delta<Row>): void {
    if (onLeft === 0 && onRight === 0) return;
    const [left, right] = this.sides.get(text) ?? [0, 0];
    const now: Sides = [left + onLeft, right + onRight];
    if (now[0] < 0 || now[1] < 0)
      assert(
        false,
        `A compared row would have the weights ${now[0]} and ${now[1]}: ${text}. A row was retracted that had not been inserted.`,
      );
    if (now[0] === 0 && now[1] === 0) this.sides.delete(text);
    else this.sides.set(text, now);
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
