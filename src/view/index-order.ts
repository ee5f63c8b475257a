import { readPath } from '../zset/row-key.js';
import { descendingText, orderText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import type { IndexDeclaration } from './plan.js';

/** What an index orders by: a declared index, or the same read from a generation's description. */
export interface IndexOrder {
  readonly columns: readonly { readonly path: string; readonly descending: boolean }[];
}

/** The part of an index member that one column's value makes. */
export const columnOrderText = (value: unknown, descending: boolean): string =>
  descending ? descendingText(orderText(value)) : orderText(value);

/**
 * The text that orders a row in an index: the texts of its columns one after the other. No column's text is the beginning
 * of another's, so that the text of some leading columns is the beginning of just those members that have these values.
 * Nulls come last where ascending and first where descending, as in PostgreSQL.
 */
export function indexOrderText(index: IndexDeclaration | IndexOrder): (row: Row) => string {
  const columns = index.columns.map(({ path, descending }) => ({ read: readPath(path), descending }));
  if (columns.length === 1) {
    const { read, descending } = columns[0]!;
    return (row) => columnOrderText(read(row), descending);
  }
  return (row) => {
    let text = '';
    for (const { read, descending } of columns) text += columnOrderText(read(row), descending);
    return text;
  };
}
