import type { Delta } from '../../zset/delta.js';
import type { Row, Value } from '../../zset/value.js';
import type { Operator } from '../operator.js';

/** The place in the log of the `index`th row that was made of a row: after the row's own place, in order. */
export const orderWithin = (order: string, index: number): string =>
  `${order}.${String(index).padStart(6, '0')}`;

/**
 * One row for each element of an array column.
 *
 *   in   Δ row
 *   out  Δ row with the element    none where the array is empty or null
 */
export class Unnest implements Operator {
  constructor(
    readonly elementsOf: (row: Row) => Value,
    readonly rowOf: (row: Row, element: Value) => Row,
  ) {}

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const output = input.blank();
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const elements = this.elementsOf(row);
      if (!Array.isArray(elements)) continue;
      const order = input.orders?.[index];
      for (let at = 0; at < elements.length; at++)
        output.push(
          this.rowOf(row, elements[at] as Value),
          input.weights[index]!,
          order === undefined ? undefined : orderWithin(order, at),
          input.lates?.[index],
        );
    }
    return output;
  }
}
