import type { Column } from '../view/column.js';
import type { TableDeclaration } from '../view/declarations.js';
import { keyTextOfColumns } from '../view/row-texts.js';
import type { KeyText } from '../zset/row-key.js';
import type { Row, Value } from '../zset/value.js';
import { applySchema, arrivingSchema, conform, type RowIssue, setField } from './conform.js';
import { messageOf } from '../errors/stillwater-error.js';

/** A table's key columns on their own, and its event time: what a tombstone holds of a row. */
export class TableKey {
  readonly columns: readonly Column[];
  readonly textOf: (row: Row) => KeyText;

  constructor(readonly table: TableDeclaration) {
    this.columns = table.key.map((name) => table.columns.find((column) => column.name === name)!);
    this.textOf = keyTextOfColumns(table.columns, table.key);
  }

  /** The row a tombstone stands for: its key columns, its time if it says one, the others null. Each is decided by its column's schema. */
  decode(fields: Readonly<Record<string, unknown>>): { row: Row } | { issues: RowIssue[] } {
    const issues: RowIssue[] = [];
    const values = new Map<string, Value>();
    for (const column of this.#columnsIn(fields)) {
      const { name, type } = column;
      const decided = applySchema(
        arrivingSchema(this.table, column),
        Object.hasOwn(fields, name) ? fields[name] : undefined,
      );
      if ('issues' in decided) {
        issues.push(
          ...decided.issues.map(({ path, message }) => ({ path: path ? `${name}.${path}` : name, message })),
        );
        continue;
      }
      try {
        values.set(name, conform(decided.value, type, name));
      } catch (thrown) {
        issues.push({ path: name, message: messageOf(thrown) });
      }
    }
    if (issues.length > 0) return { issues };
    const row: Record<string, Value> = {};
    for (const { name } of this.table.columns) setField(row, name, values.get(name) ?? null);
    return { row };
  }

  #columnsIn(fields: Readonly<Record<string, unknown>>): readonly Column[] {
    const { eventTime } = this.table;
    if (eventTime === null || !Object.hasOwn(fields, eventTime) || this.table.key.includes(eventTime))
      return this.columns;
    return [...this.columns, this.table.columns.find((column) => column.name === eventTime)!];
  }
}
