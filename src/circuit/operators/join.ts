import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { Arrangement, Changes, Weighted } from '../arrangement.js';
import type { Operator } from '../operator.js';

export interface JoinSide {
  /** The text of a row's join key; null where a column of it is null, which equals nothing. */
  keyOf: (row: Row) => string | null;
  rows: Arrangement;
}

/**
 * Pairs of rows with equal keys.
 *
 *   in   Δ left, Δ right
 *   out  Δ pair
 *
 * A join is linear in each side, so the change of the pairs is
 *
 *     Δ(l ⋈ r)  =  l ⋈ Δr  +  Δl ⋈ (r + Δr)
 *
 * with both sides kept by key. A left join shows a left row without a pair alone, beside null: that row comes and goes as
 * the number of its key's right rows leaves and reaches 0.
 */
export class Join implements Operator {
  #inputs: readonly Delta<Row>[] | null = null;
  #left = new SideChanges();
  #right = new SideChanges();

  constructor(
    readonly left: JoinSide,
    readonly right: JoinSide,
    readonly options: { outer: boolean; pairOf: (left: Row, right: Row | null) => Row },
  ) {}

  reads(inputs: readonly [Delta<Row>, Delta<Row>]): void {
    if (this.#inputs?.[0] !== inputs[0] || this.#inputs[1] !== inputs[1]) {
      this.#left = new SideChanges(inputs[0], this.left.keyOf);
      this.#right = new SideChanges(inputs[1], this.right.keyOf);
      this.#inputs = inputs;
    }
    for (const [key, changes] of this.#left.byKey) {
      this.left.rows.wantChanges(key, changes);
      this.right.rows.wantRows(key);
    }
    for (const [key, changes] of this.#right.byKey) {
      this.right.rows.wantChanges(key, changes);
      this.left.rows.wantRows(key);
      if (this.options.outer) this.right.rows.wantAny(key, changes);
    }
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [key, changes] of this.#right.byKey) this.#stepRight(key, changes, output);
    for (const [key, changes] of this.#left.byKey) this.#stepLeft(key, changes, output);
    if (this.options.outer)
      for (const { row, weight } of this.#left.withoutKey)
        output.push(this.options.pairOf(row, null), weight);
    this.discard();
    return output;
  }

  discard(): void {
    this.#inputs = null;
    this.#left = new SideChanges();
    this.#right = new SideChanges();
  }

  #stepRight(key: string, changes: Changes, output: Delta<Row>): void {
    const { outer, pairOf } = this.options;
    const lefts = this.left.rows.rows(key);
    const alone = outer && !this.right.rows.any(key);
    this.right.rows.apply(key, changes);
    const aloneNow = outer && !this.right.rows.any(key);
    for (const left of lefts) {
      for (const { row, weight } of changes.values())
        if (weight !== 0) output.push(pairOf(left.row, row), left.weight * weight);
      if (alone !== aloneNow) output.push(pairOf(left.row, null), aloneNow ? left.weight : -left.weight);
    }
  }

  #stepLeft(key: string, changes: Changes, output: Delta<Row>): void {
    const { outer, pairOf } = this.options;
    const rights = this.right.rows.rows(key);
    for (const { row, weight } of changes.values()) {
      if (weight === 0) continue;
      for (const right of rights) output.push(pairOf(row, right.row), weight * right.weight);
      if (outer && rights.length === 0) output.push(pairOf(row, null), weight);
    }
    this.left.rows.apply(key, changes);
  }
}

/** What a tick changes on one side: by join key, and the rows that have none. */
class SideChanges {
  readonly byKey = new Map<string, Map<string, Weighted>>();
  readonly withoutKey: Weighted[] = [];

  constructor(input: Delta<Row> = Delta.empty, keyOf: (row: Row) => string | null = () => null) {
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const weight = input.weights[index]!;
      const key = keyOf(row);
      if (key === null) {
        this.withoutKey.push({ row, weight });
        continue;
      }
      let changes = this.byKey.get(key);
      if (changes === undefined) this.byKey.set(key, (changes = new Map()));
      const text = JSON.stringify(row);
      const known = changes.get(text);
      if (known) known.weight += weight;
      else changes.set(text, { row, weight });
    }
  }
}
