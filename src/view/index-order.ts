import { decimalOrder } from '../zset/decimal.js';
import { readPath } from '../zset/row-key.js';
import { descendingText, orderText } from '../zset/text-order.js';
import type { Row, Value } from '../zset/value.js';
import { isDecimal, type Column } from './column.js';

/** What an index orders by: a declared index, or the same read from a generation's description. */
export interface IndexOrder {
  readonly columns: readonly ({ readonly path: string; readonly descending: boolean } & OrderedAs)[];
}

/** The state in which the index at this place of a declaration is kept. */
export const indexState = (place: number): string => `index.${place}`;

/** Decimals are texts and ordered as numbers: a column that has no schema at hand says whether it holds them. */
type OrderedAs = { readonly column: Column } | { readonly decimal?: boolean };

const holdsDecimals = (column: OrderedAs): boolean =>
  'column' in column ? isDecimal(column.column.type) : column.decimal === true;

/** What a column's values are ordered by: they themselves, or of decimals what their texts stand for. */
export const orderKey = (value: Value, decimal: boolean): Value =>
  decimal && typeof value === 'string' ? decimalOrder(value) : value;

/** The part of an index member that one column's value makes. */
export const columnOrderText = (value: Value, descending: boolean, decimal = false): string => {
  const text = orderText(orderKey(value, decimal));
  return descending ? descendingText(text) : text;
};

/**
 * The text that orders a row in an index: the texts of its columns one after the other. No column's text is the beginning
 * of another's, so that the text of some leading columns is the beginning of just those members that have these values.
 * Nulls come last where ascending and first where descending, as in PostgreSQL.
 */
export function indexOrderText(index: IndexOrder): (row: Row) => string {
  const columns = index.columns.map((column) => ({
    read: readPath(column.path),
    descending: column.descending,
    decimal: holdsDecimals(column),
  }));
  if (columns.length === 1) {
    const { read, descending, decimal } = columns[0]!;
    return (row) => columnOrderText(read(row), descending, decimal);
  }
  return (row) => {
    let text = '';
    for (const { read, descending, decimal } of columns)
      text += columnOrderText(read(row), descending, decimal);
    return text;
  };
}
