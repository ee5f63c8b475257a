import type { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { ErrorSink, Operator } from '../operator.js';
import { pure } from '../pure.js';
import { freezeRow, isTrue, RowCalls } from '../row-function.js';

/**
 * Keeps the rows for which a condition holds.
 *
 *   in   Δ row
 *   out  Δ row     those that pass, with their weights
 */
export class Where implements Operator {
  readonly #calls: RowCalls<boolean>;

  constructor(
    predicate: (row: any) => unknown,
    readonly errors: ErrorSink,
  ) {
    this.#calls = new RowCalls({ call: predicate, check: isTrue });
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    return pure(() => this.#filter(input));
  }

  #filter(input: Delta<Row>): Delta<Row> {
    /** Null while all rows have passed: then the input is the output. */
    let output: Delta<Row> | null = null;
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const passes = this.#passes(row, input.weights[index]!);
      if (output !== null) {
        if (passes) output.push(row, input.weights[index]!, input.orders?.[index], input.lates?.[index]);
      } else if (!passes) output = input.beginning(index);
    }
    return output ?? input;
  }

  #passes(row: Row, weight: number): boolean {
    try {
      return this.#calls.of(freezeRow(row));
    } catch (thrown) {
      this.errors.add(row, weight, thrown);
      return false;
    }
  }
}
