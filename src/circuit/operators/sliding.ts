import { Delta } from '../../zset/delta.js';
import { hasInstant, instantMs, instantText } from '../../zset/instant-text.js';
import type { Row, Value } from '../../zset/value.js';
import type { FreedMembers } from '../freed-members.js';
import type { BuildRow } from '../generated-row.js';
import type { ErrorSink, LateSink, Operator, Ordered } from '../operator.js';
import { GroupSlides } from '../sliding-windows.js';
import type { Time } from '../time.js';
import { windowless } from '../windows.js';

export interface SlidingOptions {
  readonly sizeMs: number;
  readonly column: string;
  readonly atOf: (row: Row) => Value;
  readonly groupKeyOf: (row: Row) => string;
  readonly textOf: (row: Row) => string;
  /** The row with `values[0]` and `values[1]` as the window's start and end. */
  readonly rowOf: BuildRow;
  /** Where rows are of a column with a watermark. */
  readonly closing: SlidingClosing | null;
}

export interface SlidingClosing {
  /** The end of the rows and times that no window that is open looks at. */
  readonly freed: FreedMembers;
  /** By how much the watermark of the rows' times lags, at the least. */
  readonly delayMs: number;
  /** Null where no row is ever late. */
  readonly late: LateSink | null;
}

/**
 * Gives each row of a group the windows of one size that it is in, where a window ends with every row and one begins just
 * behind every row that others follow.
 *
 *   in   Δ row
 *   out  Δ row with windowStart and windowEnd     once for each window it is in; of a window that comes or goes all rows
 *
 * Both ends belong to a window. A row at `t` is in the windows that end from `t` to the size behind it, which are as many as
 * there are rows near it; those that it makes, ending at `t` and beginning just behind, come and go with it.
 *
 * Each group has its rows in the order of their times, and the times at which it has any. The windows follow from the times
 * alone; rows are read for those that come or go. Where the times have a watermark, a window is over when its end is below
 * it, and rows go when no other sees them. A row that was late is only in windows that were not over when it came. So the
 * log alone decides.
 */
export class Sliding implements Operator {
  readonly timed: boolean;
  #input: Delta<Row> | null = null;
  #groups = new Map<string, GroupSlides>();
  #late: [row: Row, weight: number, watermark: number][] = [];
  #windowless: [row: Row, weight: number][] = [];

  constructor(
    /** By group: time, then the row's text. */
    readonly rows: Ordered,
    /** By group: a time, with the number of its rows. */
    readonly times: Ordered,
    readonly options: SlidingOptions,
    readonly errors: ErrorSink,
  ) {
    this.timed = options.closing !== null;
  }

  get unfinished(): boolean {
    return this.options.closing?.freed.unfinished ?? false;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) this.#group(input);
    const freed = this.options.closing?.freed;
    for (const [key, group] of this.#groups) {
      if (group.isEmpty) continue;
      group.reads(this.rows, this.times);
      freed?.wantFirst(key, group.retracted);
    }
    freed?.reads(time, (key) => this.#groups.get(key)?.retracted ?? 0);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const { column, atOf, closing } = this.options;
    for (const [row, weight] of this.#windowless)
      this.errors.add(row, weight, windowless(column, atOf(row) as string | null, 'window'));
    for (const [row, weight, watermark] of this.#late) closing!.late!.add(row, weight, watermark);
    for (const [key, group] of this.#groups) {
      if (group.isEmpty) continue;
      const apply = (): void => this.#apply(group, output);
      if (closing === null) apply();
      else closing.freed.change(key, apply);
    }
    closing?.freed.free();
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.options.closing?.freed.discard();
  }

  #forget(): void {
    this.#input = null;
    this.#groups = new Map();
    this.#late = [];
    this.#windowless = [];
  }

  #group(input: Delta<Row>): void {
    this.#forget();
    const { atOf, groupKeyOf, textOf, sizeMs, closing } = this.options;
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const weight = input.weights[index]!;
      const text = atOf(row) as string | null;
      const at = text === null ? NaN : instantMs(text);
      // It is in windows from the size before it until one that begins just behind it.
      if (!hasInstant(at - sizeMs) || !hasInstant(at + 1 + sizeMs)) {
        this.#windowless.push([row, weight]);
        continue;
      }
      const late = closing?.late ? input.lates?.[index] : undefined;
      const openFrom = Math.max(at, (late ?? Number.NEGATIVE_INFINITY) - (closing?.delayMs ?? 0));
      if (at + sizeMs < openFrom) {
        this.#late.push([row, weight, late!]);
        continue;
      }
      const key = groupKeyOf(row);
      let group = this.#groups.get(key);
      if (group === undefined) this.#groups.set(key, (group = new GroupSlides(key, sizeMs)));
      group.add(row, textOf(row), { at, openFrom }, weight);
    }
    this.#input = input;
  }

  #apply(group: GroupSlides, output: Delta<Row>): void {
    const { rowOf, sizeMs } = this.options;
    let written: { end: number; texts: readonly [string, string] } | null = null;
    group.apply(this.rows, this.times, (row, end, weight) => {
      if (written?.end !== end) written = { end, texts: [instantText(end - sizeMs), instantText(end)] };
      output.push(rowOf(row, written.texts), weight);
    });
  }
}
