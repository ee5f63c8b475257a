import type { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { ErrorSink, Operator } from '../operator.js';
import { type Windowing, windowsOfRow } from '../windowing.js';

/**
 * Gives each row its windows.
 *
 *   in   Δ row
 *   out  Δ row with windowStart and windowEnd     once for each window that the row's time is in, with its weight
 *
 * Linear: nothing is kept. A row without a time has no window, and is an error; so is one of whose windows one reaches
 * beyond the years that instants have: cut off there it would be another window.
 */
export class Window implements Operator {
  constructor(
    readonly windowing: Windowing,
    readonly errors: ErrorSink,
  ) {}

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { rowOf } = this.windowing;
    const output = input.blank<Row>();
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const weight = input.weights[index]!;
      const found = windowsOfRow(this.windowing, row, weight, this.errors);
      if (found === null) continue;
      for (const window of found.windows)
        output.push(rowOf(row, window), weight, input.orders?.[index], input.lates?.[index]);
    }
    return output;
  }
}
