import type { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import type { Row } from '../../zset/value.js';
import type { ErrorSink, LateSink, Operator } from '../operator.js';
import type { WindowText } from '../window-texts.js';
import { type Windowing, windowsOfRow } from '../windowing.js';

/**
 * Gives each row its pane: what the rows are in that are in the same windows.
 *
 *   in   Δ row
 *   out  Δ row with windowStart and windowEnd     once: the pane's start, and the end of the first of its windows
 *
 *   windows of 3, one a step     a pane, and its windows, of which the first ends with it
 *   ├───────────┤
 *       ├───────────┤
 *           ├───────────┤
 *           ░░░░
 *
 * A row that was late is left out of the windows that were over when it came, by its own partition's watermark, and counts
 * in those that were not. It has a pane of its own then: with the same start, and another first window.
 *
 * Linear, as `Window`, and a row without windows is the same error.
 */
export class Panes implements Operator {
  constructor(
    readonly windowing: Windowing,
    readonly errors: ErrorSink,
    /** Where rows may be late: by how much the watermark of a window's end lags, at the least. */
    readonly late: { readonly sink: LateSink; readonly delayMs: number } | null,
  ) {}

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { rowOf } = this.windowing;
    const output = input.blank<Row>();
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const weight = input.weights[index]!;
      const found = windowsOfRow(this.windowing, row, weight, this.errors);
      if (found === null) continue;
      const { windows, from } = found;
      const watermark = input.lates?.[index] ?? Number.NEGATIVE_INFINITY;
      const first =
        watermark === Number.NEGATIVE_INFINITY ? 0 : this.#leaveOut(row, weight, windows, watermark);
      if (first < windows.length)
        output.push(rowOf(row, [from, windows[first]![1]]), weight, input.orders?.[index]);
    }
    return output;
  }

  /** Which is the first of its windows that were open. */
  #leaveOut(row: Row, weight: number, windows: readonly WindowText[], watermark: number): number {
    const { late } = this;
    if (late === null) return 0;
    const open = instantText(watermark - late.delayMs);
    let first = 0;
    for (; first < windows.length && windows[first]![1] < open; first++)
      late.sink.add(this.windowing.rowOf(row, windows[first]!), weight, watermark);
    return first;
  }
}
