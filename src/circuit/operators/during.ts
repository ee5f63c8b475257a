import { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import type { Row, Value } from '../../zset/value.js';
import type { DueTimes } from '../due-times.js';
import { netChanges } from '../net-changes.js';
import type { Operator } from '../operator.js';
import { type ColumnTime, presentOf, type Time } from '../time.js';

/** One end of the time in which a row is shown. */
export interface DuringEnd {
  /** An instant of the row. */
  readonly read: (row: Row) => Value;
  /** The end comes so long after that instant. */
  readonly afterMs: number;
  /** What null says: that the end is reached always, or never. */
  readonly nullIs: 'reached' | 'unreached';
  /** The rows for which it is still to come, by their instant. */
  readonly rows: DueTimes;
}

/**
 * Shows rows while they are due, and takes them away by itself as time passes.
 *
 *   in   Δ row
 *   out  Δ row     inserted when now reaches its beginning, retracted when now reaches its end
 *
 * Now is the present of the sources that the rows rest on, as the log tells it. A row is kept twice at most, never both
 * at a time: `from` holds it until it begins, `until` while it is shown. What has no end once it has begun, and what is
 * over, is not kept: a row that is over comes and goes without a trace.
 */
export class During implements Operator {
  readonly timed = true;
  unfinished = false;
  #input: Delta<Row> | null = null;
  /** Rows that the tick changes, or that are due. */
  #touched = new Map<string, { row: Row; weight: number }>();
  readonly #from: End | null;
  readonly #until: End | null;

  constructor(
    readonly options: {
      readonly time: ColumnTime;
      readonly from: DuringEnd | null;
      readonly until: DuringEnd | null;
    },
  ) {
    this.#from = options.from && new End(options.from);
    this.#until = options.until && new End(options.until);
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#touched = netChanges(input);
    }
    const now = presentOf(time, this.options.time);
    this.unfinished = false;
    for (const end of [this.#from, this.#until]) {
      if (end === null) continue;
      for (const text of end.reads(now))
        if (!this.#touched.has(text)) this.#touched.set(text, { row: JSON.parse(text) as Row, weight: 0 });
      if (end.more) this.unfinished = true;
    }
    for (const [text, { row }] of this.#touched) {
      this.#from?.want(row, text);
      this.#until?.want(row, text);
    }
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [text, { row, weight }] of this.#touched) {
      const waiting = this.#from?.weight(row, text) ?? 0;
      const shown = this.#until?.weight(row, text) ?? 0;
      const begun = this.#from === null || this.#from.isReached(row);
      const over = this.#until !== null && this.#until.isReached(row);
      const shownThen = begun && !over ? waiting + shown + weight : 0;
      if (!begun && !over) this.#from!.change(row, text, weight);
      else this.#from?.change(row, text, -waiting);
      // What nothing ends is not kept once it has begun: of it only the change is known, which is all that is needed.
      this.#until?.change(row, text, shownThen - shown);
      if (shownThen !== shown) output.push(row, shownThen - shown);
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
    this.#touched = new Map();
  }
}

/** One end, at the time of a tick. */
class End {
  /** Instants before this are reached. */
  #bound = '';
  more = false;

  constructor(readonly options: DuringEnd) {}

  /** The rows that reach it, as soon as they are known. */
  reads(now: number): string[] {
    const { rows, afterMs } = this.options;
    this.#bound = instantText(now - afterMs + 1);
    this.more = false;
    if (!rows.wantDue(this.#bound)) return [];
    const { due, more } = rows.due(this.#bound);
    this.more = more;
    return due.map(({ key }) => key);
  }

  isReached(row: Row): boolean {
    const at = this.options.read(row);
    return at === null ? this.options.nullIs === 'reached' : (at as string) < this.#bound;
  }

  want(row: Row, text: string): void {
    const at = this.options.read(row);
    if (at !== null) this.options.rows.want(at as string, text);
  }

  weight(row: Row, text: string): number {
    const at = this.options.read(row);
    return at === null ? 0 : this.options.rows.weight(at as string, text);
  }

  change(row: Row, text: string, weight: number): void {
    const at = this.options.read(row);
    if (at !== null && weight !== 0) this.options.rows.add(at as string, text, weight);
  }
}
