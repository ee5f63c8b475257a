import { Delta } from '../../zset/delta.js';
import type { Row, Value } from '../../zset/value.js';
import { type BuildRow, generatedRow, type Origin } from '../generated-row.js';
import type { ErrorSink, Operator } from '../operator.js';
import { pure } from '../pure.js';
import { freezeRow, RowCalls, type RowFunction } from '../row-function.js';

/** Where a column of the output comes from. */
export type SelectedValue =
  | { readonly kind: 'path'; readonly path: string }
  /** The row itself. */
  | { readonly kind: 'row' }
  | { readonly kind: 'computed'; readonly fn: RowFunction<Value> }
  /** The row's place in its stream's log, made from its order text. */
  | { readonly kind: 'position'; readonly of: (order: string) => Value };

export interface SelectedColumn {
  readonly name: string;
  readonly value: SelectedValue;
}

/**
 * Gives rows other columns.
 *
 *   in   Δ row
 *   out  Δ row'     one for each, with its weight
 */
export class Select implements Operator {
  readonly #build: BuildRow;
  readonly #calls: (RowCalls<Value> | ((order: string) => Value))[] = [];
  readonly #computes: boolean;

  constructor(
    columns: readonly SelectedColumn[],
    readonly errors: ErrorSink,
  ) {
    this.#build = generatedRow(columns.map(({ name, value }) => ({ name, from: this.#originOf(value) })));
    this.#computes = columns.some(({ value }) => value.kind === 'computed');
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    if (this.#calls.length === 0) return this.#copy(input);
    return this.#computes ? pure(() => this.#compute(input)) : this.#compute(input);
  }

  #originOf(value: SelectedValue): Origin {
    if (value.kind === 'path') return { path: value.path };
    if (value.kind === 'row') return { whole: true };
    this.#calls.push(value.kind === 'computed' ? new RowCalls(value.fn) : value.of);
    return { value: this.#calls.length - 1 };
  }

  #copy(input: Delta<Row>): Delta<Row> {
    const rows: Row[] = new Array(input.size);
    const values: Value[] = [];
    for (let index = 0; index < rows.length; index++) rows[index] = this.#build(input.rows[index], values);
    return new Delta(rows, input.weights, input.orders, input.lates);
  }

  #compute(input: Delta<Row>): Delta<Row> {
    const rows: Row[] = new Array(input.size);
    const values: Value[] = new Array(this.#calls.length).fill(null);
    /** Null while no row has failed: then what is beside the rows is the input's. */
    let output: Delta<Row> | null = null;
    for (let index = 0; index < rows.length; index++) {
      const row = input.rows[index]!;
      const weight = input.weights[index]!;
      const order = input.orders?.[index];
      try {
        if (this.#computes) freezeRow(row);
        for (let at = 0; at < values.length; at++) {
          const call = this.#calls[at]!;
          values[at] = call instanceof RowCalls ? call.of(row) : call(order!);
        }
      } catch (thrown) {
        this.errors.add(row, weight, thrown);
        output ??= input.beginning(index, rows);
        continue;
      }
      const selected = this.#build(row, values);
      if (output === null) rows[index] = selected;
      else output.push(selected, weight, order, input.lates?.[index]);
    }
    return output ?? new Delta(rows, input.weights, input.orders, input.lates);
  }
}
