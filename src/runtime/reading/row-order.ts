import { columnOrderText } from '../../view/index-order.js';
import { readPath } from '../../zset/row-key.js';
import type { Row, Value } from '../../zset/value.js';
import type { OrderTerm } from './rows-query.js';

/** Sort before and behind the texts of all values, ascending and descending. */
const NULL_FIRST = '0';
const NULL_LAST = 'z';

/** The values a row is ordered by. */
export function orderValues(order: readonly { readonly path: string }[]): (row: Row) => Value[] {
  const reads = order.map(({ path }) => readPath(path));
  return (row) => reads.map((read) => read(row));
}

/** A text of those values whose UTF-8 order is the order asked for. */
export function orderTextOf(order: readonly OrderTerm[]): (values: readonly Value[]) => string {
  return (values) => {
    let text = '';
    for (let index = 0; index < order.length; index++) {
      const { descending, nullsFirst, decimal } = order[index]!;
      const value = values[index] ?? null;
      text +=
        value === null ? (nullsFirst ? NULL_FIRST : NULL_LAST) : columnOrderText(value, descending, decimal);
    }
    return text;
  };
}
