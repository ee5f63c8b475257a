import type { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { ErrorSink, Operator } from '../operator.js';
import { pure } from '../pure.js';
import { freezeRow, RowCalls, type RowFunction } from '../row-function.js';
import { orderWithin } from './unnest.js';

/**
 * Any number of rows for each row.
 *
 *   in   Δ row
 *   out  Δ row'     with the weight of the row they were made of; none of a row if one of them cannot be used
 */
export class FlatMap implements Operator {
  readonly #calls: RowCalls<readonly Row[]>;

  constructor(
    fn: RowFunction<readonly Row[]>,
    readonly errors: ErrorSink,
  ) {
    this.#calls = new RowCalls(fn);
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    return pure(() => this.#map(input));
  }

  #map(input: Delta<Row>): Delta<Row> {
    const output = input.blank();
    for (let index = 0; index < input.size; index++) {
      const weight = input.weights[index]!;
      const order = input.orders?.[index];
      let made: readonly Row[];
      try {
        made = this.#calls.of(freezeRow(input.rows[index]!));
      } catch (thrown) {
        this.errors.add(input.rows[index]!, weight, thrown);
        continue;
      }
      for (let at = 0; at < made.length; at++)
        output.push(
          made[at]!,
          weight,
          order === undefined ? undefined : orderWithin(order, at),
          input.lates?.[index],
        );
    }
    return output;
  }
}
