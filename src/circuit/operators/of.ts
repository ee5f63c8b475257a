import type { Delta } from '../../zset/delta.js';
import type { Row, Value } from '../../zset/value.js';
import type { BuildRow } from '../generated-row.js';
import type { Operator } from '../operator.js';

/**
 * The events of some types, with the columns that these have.
 *
 *   in   Δ event
 *   out  Δ event'     those of the types, with their weights and places in the log
 */
export class Of implements Operator {
  readonly #types: ReadonlySet<Value>;

  constructor(
    readonly typeOf: (event: Row) => Value,
    types: readonly Value[],
    /** Null where all columns stay. */
    readonly rowOf: BuildRow | null,
  ) {
    this.#types = new Set(types);
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { typeOf, rowOf } = this;
    const output = input.blank();
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      if (this.#types.has(typeOf(row)))
        output.push(
          rowOf === null ? row : rowOf(row, []),
          input.weights[index]!,
          input.orders?.[index],
          input.lates?.[index],
        );
    }
    return output;
  }
}
