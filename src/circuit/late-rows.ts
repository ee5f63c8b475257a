import { instantText } from '../zset/instant-text.js';
import { cut, textOfAnything } from './kept-text.js';
import { json, type Keyed, type LateSink } from './operator.js';

/** How many of the newest late rows are kept; all are counted. */
export const LATE_ROWS_KEPT_MAX = 1_000;

/** A late row as it is stored, for people. */
export interface KeptLateRow {
  /** The operator that left it out. */
  operator: string;
  weight: number;
  /** Its JSON, cut. */
  row: string;
  /** The watermark of its partition when it came, an instant: what it would have had to be before. */
  watermark: string;
  /** Rises from row to row: the newest has the greatest. */
  seen: number;
}

/**
 * The rows that came too late for what an operator had finished or freed, and were left out of it.
 *
 * Their number is exact, by weight; of the rows the newest `LATE_ROWS_KEPT_MAX` are kept, each in the place of the one
 * that came so many before it. A row that two operators leave out counts for both. Late rows come from streams, where
 * nothing is retracted: what is counted stays counted.
 */
export class LateRows {
  #pending: Omit<KeptLateRow, 'seen'>[] = [];
  #weight = 0;

  constructor(
    /** By the rest of their number. */
    readonly rows: Keyed<KeptLateRow>,
    /** How many were seen, under the key ''. */
    readonly seen: Keyed<number>,
  ) {}

  sink(operator: string): LateSink {
    return { add: (row, weight, watermark) => this.#add(operator, row, weight, watermark) };
  }

  /** The weight of the rows left out since the last call. */
  takeResult(): { late: number } {
    const late = this.#weight;
    this.#weight = 0;
    return { late };
  }

  // ---- the circuit's side; it comes last in every tick

  reads(): void {
    if (this.#pending.length > 0) this.seen.want('');
  }

  step(): void {
    if (this.#pending.length === 0) return;
    let seen = this.seen.get('') ?? 0;
    for (const row of this.#pending) {
      seen++;
      this.#weight += row.weight;
      this.rows.set(String(seen % LATE_ROWS_KEPT_MAX), { ...row, seen });
    }
    this.seen.set('', seen);
    this.#pending = [];
  }

  discard(): void {
    this.#pending = [];
    this.#weight = 0;
  }

  #add(operator: string, row: unknown, weight: number, watermark: number): void {
    this.#pending.push({
      operator,
      weight,
      row: cut(textOfAnything(row)),
      watermark: instantText(watermark),
    });
  }
}

export const lateRowCodec = json;
