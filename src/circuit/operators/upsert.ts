import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { Keyed, Operator } from '../operator.js';
import { sameRow } from '../same-row.js';

/**
 * Turns a table's records into changes of the table.
 *
 *   in   records, in the order of the log: weight 1 replaces the row of its key, weight −1 (a tombstone,
 *        whose row need hold no more than the key) deletes it
 *   out  Δ row     the row before the tick retracted and the row after it inserted, where they differ
 *
 * The only operator whose input has an order: of several records of one key the last decides. Deleting what is not
 * there is nothing; so is a record equal to its row.
 */
export class Upsert implements Operator {
  #input: Delta<Row> | null = null;
  /** The last record of each key in the tick; null for a tombstone. */
  #last = new Map<string, Row | null>();

  constructor(
    readonly table: Keyed<Row>,
    readonly keyOf: (row: Row) => string,
  ) {}

  reads([input]: readonly [Delta<Row>]): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#last = new Map();
      for (let index = 0; index < input.size; index++) {
        const row = input.rows[index]!;
        this.#last.set(this.keyOf(row), input.weights[index]! > 0 ? row : null);
      }
    }
    for (const key of this.#last.keys()) this.table.want(key);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [key, after] of this.#last) {
      const before = this.table.get(key) ?? null;
      if (sameRow(before, after)) continue;
      if (before) output.push(before, -1);
      if (after) {
        output.push(after, 1);
        this.table.set(key, after);
      } else this.table.delete(key);
    }
    this.discard();
    return output;
  }

  discard(): void {
    this.#input = null;
    this.#last = new Map();
  }
}
