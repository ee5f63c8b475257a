import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { Codec, ErrorSink, Keyed, Operator } from '../operator.js';
import { pure } from '../pure.js';

/** How many rows one step makes. */
export interface ExpandLimits {
  /** What is beyond waits for the next step. */
  readonly rowsMax: number;
  /** So many may be made of each row, however many rows a tick brings: it is the tick that is too great then. */
  readonly rowsMin: number;
}

export const EXPAND_LIMITS: ExpandLimits = { rowsMax: 2_500, rowsMin: 16 };

/** Rows of which not all was made, and how many were made of the first: each a value of its own, for most pages change only how many. */
export type Unexpanded = Delta<Row> | number;

type Stored = [rows: Row[], weights: number[], orders: string[] | null, lates: (number | null)[] | null];

export const unexpandedCodec: Codec<Unexpanded> = {
  encode(value) {
    if (typeof value === 'number') return String(value);
    const { rows, weights, orders, lates } = value;
    // Of −Infinity, for rows that are not late, JSON says null.
    return JSON.stringify([rows, weights, orders ?? null, lates ?? null] satisfies Stored);
  },
  decode(text) {
    if (!text.startsWith('[')) return Number(text);
    const [rows, weights, orders, lates] = JSON.parse(text) as Stored;
    return new Delta(
      rows,
      weights,
      orders ?? undefined,
      lates?.map((late) => late ?? -Infinity),
    );
  },
};

const [ROWS, MADE] = ['rows', 'made'];

/** The place in the log of the `index`th row that was made of a row: after the row's own place, in order. */
export const orderWithin = (order: string, index: number): string =>
  `${order}.${String(index).padStart(6, '0')}`;

/**
 * Any number of rows for each row: `flatMap`, and `unnest`, which makes one for each element of an array.
 *
 *   in   Δ row
 *   out  Δ row'     with the weight of the row they were made of; none of a row if one of them cannot be used
 *
 * Linear. But a few rows may make more than one commit should hold: that comes in pages, in several ticks. The rows of which
 * not all was made wait, and are asked again.
 */
export class Expand implements Operator {
  unfinished = false;
  /** What was made of the row that waits at the front, unless somebody else made it. */
  #front: readonly Row[] | null = null;

  constructor(
    /** What is made of a row, the same whenever it is asked. @throws what makes the row an error */
    readonly rowsOf: (row: Row) => readonly Row[],
    readonly errors: ErrorSink,
    readonly unexpanded: Keyed<Unexpanded>,
    readonly limits: ExpandLimits = EXPAND_LIMITS,
  ) {}

  get resumes(): boolean {
    return this.unfinished;
  }

  reads(): void {
    if (this.unexpanded.want(ROWS)) this.unexpanded.want(MADE);
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const waiting = this.unexpanded.get(ROWS) as Delta<Row> | undefined;
    const made = waiting && (this.unexpanded.get(MADE) as number);
    return pure(() => this.#expand(waiting ?? input, made ?? 0));
  }

  discard(): void {
    this.#front = null;
  }

  #expand(input: Delta<Row>, madeBefore: number): Delta<Row> {
    const { rowsMax, rowsMin } = this.limits;
    const most = Math.max(rowsMax, rowsMin * input.size);
    const output = input.blank();
    let from = madeBefore;
    for (let index = 0; index < input.size; index++, from = 0) {
      const rows = this.#rowsOf(input, index);
      const order = input.orders?.[index];
      const to = Math.min(rows.length, from + most - output.size);
      for (let at = from; at < to; at++)
        output.push(
          rows[at]!,
          input.weights[index]!,
          order === undefined ? undefined : orderWithin(order, at),
          input.lates?.[index],
        );
      if (to < rows.length) {
        this.#front = rows;
        this.#wait(input, index, to);
        return output;
      }
    }
    this.#done();
    return output;
  }

  #rowsOf(input: Delta<Row>, index: number): readonly Row[] {
    const front = this.#front;
    this.#front = null;
    if (front !== null) return front;
    try {
      return this.rowsOf(input.rows[index]!);
    } catch (thrown) {
      this.errors.add(input.rows[index]!, input.weights[index]!, thrown);
      return [];
    }
  }

  #wait(input: Delta<Row>, from: number, made: number): void {
    const { rows, weights, orders, lates } = input;
    this.unfinished = true;
    this.unexpanded.set(MADE, made);
    if (from === 0 && input === this.unexpanded.get(ROWS)) return;
    this.unexpanded.set(
      ROWS,
      new Delta(rows.slice(from), weights.slice(from), orders?.slice(from), lates?.slice(from)),
    );
  }

  #done(): void {
    this.unfinished = false;
    if (this.unexpanded.get(ROWS) === undefined) return;
    this.unexpanded.delete(ROWS);
    this.unexpanded.delete(MADE);
  }
}
