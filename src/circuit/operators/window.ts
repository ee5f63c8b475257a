import type { Delta } from '../../zset/delta.js';
import type { Row, Value } from '../../zset/value.js';
import type { BuildRow } from '../generated-row.js';
import type { ErrorSink, Operator } from '../operator.js';
import type { WindowTexts } from '../window-texts.js';
import { windowless } from '../windows.js';

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
    readonly options: {
      readonly windows: WindowTexts;
      readonly column: string;
      readonly atOf: (row: Row) => Value;
      /** The row with `values[0]` and `values[1]` as the window's start and end. */
      readonly rowOf: BuildRow;
    },
    readonly errors: ErrorSink,
  ) {}

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { windows: texts, atOf, rowOf, column } = this.options;
    const output = input.blank<Row>();
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const at = atOf(row) as string | null;
      const windows = at === null ? null : texts.at(at).windows;
      if (windows === null) {
        this.errors.add(row, input.weights[index]!, windowless(column, at, 'window'));
        continue;
      }
      for (const window of windows)
        output.push(rowOf(row, window), input.weights[index]!, input.orders?.[index], input.lates?.[index]);
    }
    return output;
  }
}
