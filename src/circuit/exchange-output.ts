import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { Operator } from './operator.js';
import { OutputResult, type ViewOutput } from './view-output.js';

/** The rows of one exchange. */
export interface SentRows {
  /** The receiver of a row. */
  partitionOf(row: Row): number;
  /** Its JSON. */
  textOf(row: Row): string;
}

/**
 * The end of a circuit that is not a view's last: what its ticks send to the tasks behind, by receiver.
 *
 *   in   Δ row of each exchange
 *   out  nothing       `takeResult`: for each receiver the sum of each row's weights, where there is any
 *
 * Rows that come and go in one tick are never sent, and equal ones once. A late row is another than one that was not.
 */
export class ExchangeOutput implements Operator {
  /** Receiver → exchange → what is sent, by its text after the weight: `<row JSON>` or `<row JSON>,<watermark>`. */
  #sent = new Map<number, Map<string, number>[]>();

  constructor(readonly exchanges: readonly SentRows[]) {}

  step(deltas: readonly Delta<Row>[]): Delta {
    deltas.forEach((delta, exchange) => this.#add(delta, exchange));
    return Delta.empty;
  }

  #add({ rows, weights, lates }: Delta<Row>, exchange: number): void {
    const { partitionOf, textOf } = this.exchanges[exchange]!;
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      const late = lates === undefined ? -Infinity : lates[index]!;
      const text = late === -Infinity ? textOf(row) : `${textOf(row)},${late}`;
      const texts = this.#textsTo(partitionOf(row), exchange);
      const weight = (texts.get(text) ?? 0) + weights[index]!;
      if (weight === 0) texts.delete(text);
      else texts.set(text, weight);
    }
  }

  #textsTo(receiver: number, exchange: number): Map<string, number> {
    let of = this.#sent.get(receiver);
    if (of === undefined) this.#sent.set(receiver, (of = this.exchanges.map(() => new Map())));
    return of[exchange]!;
  }

  /** How many rows the tick sends. */
  get changed(): number {
    let changed = 0;
    for (const of of this.#sent.values()) for (const texts of of) changed += texts.size;
    return changed;
  }

  discard(): void {
    this.#sent = new Map();
  }

  /** By receiver: of each exchange the rows as a JSON array `[[weight, row], [weight, row, watermark], …]`. */
  takeResult(): Map<number, string[]> {
    const result = new Map<number, string[]>();
    for (const [receiver, of] of this.#sent)
      if (of.some((texts) => texts.size > 0)) result.set(receiver, of.map(arrayOf));
    this.#sent = new Map();
    return result;
  }

  /** What stands for the view's output in a circuit that shows nothing. */
  nothingShown(buckets: number): Pick<ViewOutput, 'takeResult' | 'options'> {
    const never = (): never => {
      throw new Error('Nothing is shown here.');
    };
    return {
      takeResult: () => new OutputResult(),
      options: {
        keyOf: never,
        textOf: never,
        write: never,
        indexes: [],
        appended: false,
        blocks: null,
        buckets,
      },
    };
  }
}

function arrayOf(texts: ReadonlyMap<string, number>): string {
  let text = '';
  for (const [row, weight] of texts) text += `${text === '' ? '' : ','}[${weight},${row}]`;
  return `[${text}]`;
}

/** The inverse: the rows of one exchange, put behind those of a delta. */
export function readSent(text: string, delta: Delta<Row>): void {
  for (const [weight, row, late] of JSON.parse(text) as [number, Row, number?][])
    delta.push(row, weight, undefined, late);
}
