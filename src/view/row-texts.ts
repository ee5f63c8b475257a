import {
  generatedKey,
  generatedText,
  generatedWriter,
  type TextColumn,
  type WriteRow,
} from '../circuit/generated-row.js';
import type { KeyText } from '../zset/row-key.js';
import type { Row } from '../zset/value.js';
import { columnAt, holdsOnlyStrings, type Column, type ColumnType } from './column.js';

/** The texts in which rows are stored, and found again: made for rows of certain columns, and the same wherever they are made. */

/** The text of what rows hold at these paths, each with its column, null where there is none: what tells groups apart. */
export const groupText = (
  by: readonly { readonly path: string; readonly column: Column | null }[],
): ((row: Row) => KeyText) =>
  generatedKey(
    by.map(({ path, column }) => ({ path, onlyStrings: column !== null && holdsOnlyStrings(column.type) })),
  );

/** The same of rows of these columns: of a view's key, a table's, a group's. */
export const keyTextOfColumns = (
  columns: readonly Column[],
  paths: readonly string[],
): ((row: Row) => KeyText) => groupText(paths.map((path) => ({ path, column: columnAt(columns, path) })));

/** `JSON.stringify`, made for rows of these columns. */
export const rowTextOfColumns = (columns: readonly Column[]): ((row: Row) => string) =>
  generatedText(columns.map(textColumn));

/** The same, written behind other texts. */
export const rowWriterOfColumns = (columns: readonly Column[]): WriteRow =>
  generatedWriter(columns.map(textColumn));

const textColumn = ({ name, type }: Column): TextColumn => ({ name, kind: textKind(type) });

/** How the values of a column are written; of an enum mostly strings, and anything else as well. */
function textKind({ kind }: ColumnType): TextColumn['kind'] {
  if (kind === 'enum') return 'string';
  return kind === 'string' || kind === 'number' || kind === 'boolean' ? kind : 'other';
}
