import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { Keyed, Operator } from '../operator.js';
import { sameRow } from '../same-row.js';

/**
 * What is kept under a key: its row; of a table with event times, where the row is gone, since when (an instant's text).
 */
export type KeptRecord = Row | string;

/**
 * Turns a table's records into changes of the table.
 *
 *   in   records, in the order of the log: weight 1 replaces the row of its key, weight −1 (a tombstone,
 *        whose row need hold no more than the key, and its time) deletes it
 *   out  Δ row     the row before the tick retracted and the row after it inserted, where they differ
 *
 * The only operator whose input has an order: of several records of one key the last decides; in a table with event times
 * the one of the latest time, and of equal times the last. So that an old record does not bring back a row that was
 * deleted after it, such a table remembers when keys went. Deleting what is not there is nothing otherwise; so is a record
 * equal to its row.
 */
export class Upsert implements Operator {
  #input: Delta<Row> | null = null;
  /** The record of each key that decides, of those in the tick. */
  #last = new Map<string, Row | Tombstone>();

  constructor(
    readonly table: Keyed<KeptRecord>,
    readonly keyOf: (row: Row) => string,
    /** The column of the event time, an instant; null where the order of the log decides. */
    readonly eventTime: string | null = null,
  ) {}

  reads([input]: readonly [Delta<Row>]): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#last = new Map();
      for (let index = 0; index < input.size; index++) {
        const row = input.rows[index]!;
        const key = this.keyOf(row);
        if (this.eventTime !== null && this.#isSuperseded(row, this.#last.get(key))) continue;
        this.#last.set(key, input.weights[index]! > 0 ? row : new Tombstone(row));
      }
    }
    this.table.wantEach([...this.#last.keys()]);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [key, last] of this.#last) {
      const kept = this.table.get(key);
      const before = kept === undefined || typeof kept === 'string' ? null : kept;
      const after = last instanceof Tombstone ? null : last;
      if (this.eventTime !== null && this.#isSuperseded(last instanceof Tombstone ? last.row : last, kept))
        continue;
      if (last instanceof Tombstone) this.#delete(key, last.row, kept);
      if (sameRow(before, after)) continue;
      if (before) output.push(before, -1);
      if (after) {
        output.push(after, 1);
        this.table.set(key, after);
      }
    }
    this.discard();
    return output;
  }

  discard(): void {
    this.#input = null;
    this.#last = new Map();
  }

  #delete(key: string, tombstone: Row, kept: KeptRecord | undefined): void {
    if (this.eventTime !== null) {
      const since = tombstone[this.eventTime] as string;
      if (kept !== since) this.table.set(key, since);
    } else if (kept !== undefined) this.table.delete(key);
  }

  /** Whether what is known of the key is of a later time. */
  #isSuperseded(row: Row, known: KeptRecord | Tombstone | undefined): boolean {
    if (known === undefined) return false;
    const column = this.eventTime!;
    const since =
      typeof known === 'string' ? known : (known instanceof Tombstone ? known.row : known)[column];
    return (row[column] as string) < (since as string);
  }
}

/** The key of a row that goes, and since when. */
class Tombstone {
  constructor(readonly row: Row) {}
}
