import { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import type { Row, Value } from '../../zset/value.js';
import type { LateSink, Operator } from '../operator.js';
import type { ColumnTime } from '../time.js';

/** A column that something is frozen by. */
export interface FreezingColumn {
  readonly read: (row: Row) => Value;
  readonly time: ColumnTime;
}

/**
 * Leaves out the rows that are late for what the next operator freezes.
 *
 *   in   Δ row, some of them late when they came
 *   out  Δ row     without those whose value lay before the column's watermark as it was then
 *
 * A row is judged by the watermark that its own partition had when it came, which the log alone decides, and not by
 * what the next operator has frozen by now: that depends on how the log was cut. What is frozen was before that
 * watermark, so that none of it is met again. A late row whose window is still open counts.
 */
export class DropLate implements Operator {
  /** By how much each column's watermark lags, at the least. */
  readonly #columns: readonly { read: (row: Row) => Value; delayMs: number }[];

  constructor(
    columns: readonly FreezingColumn[],
    readonly late: LateSink,
  ) {
    this.#columns = columns.map(({ read, time }) => ({
      read,
      delayMs: Math.min(...time.map(({ delayMs }) => delayMs)),
    }));
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { rows, weights, orders, lates } = input;
    if (lates === undefined) return input;
    const output = new Delta<Row>([], [], orders && []);
    for (let index = 0; index < rows.length; index++) {
      const watermark = lates[index]!;
      if (watermark !== Number.NEGATIVE_INFINITY && this.#isLate(rows[index]!, watermark))
        this.late.add(rows[index]!, weights[index]!, watermark);
      else output.push(rows[index]!, weights[index]!, orders?.[index]);
    }
    return output;
  }

  #isLate(row: Row, watermark: number): boolean {
    return this.#columns.some(({ read, delayMs }) => {
      const value = read(row);
      return typeof value === 'string' && value < instantText(watermark - delayMs);
    });
  }
}
