import type { CaseFile, CaseTable, Change, SqlCase, Step, Verdict } from './case-file.js';
import { runSqlCase } from './sql-case.js';

interface FlinkTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly time_attribute?: 'rowtime' | 'proctime' }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly watermark?: string;
}

/** A case of Flink SQL: tables of rows in the order in which they come, and what a query over them is in the end. */
export interface FlinkCase extends CaseFile {
  readonly dialect: string;
  readonly sql: string;
  readonly tables: readonly FlinkTable[];
  /** Cells with commas between, as Flink prints them. */
  readonly expected_rows?: readonly string[];
}

/** The query as a view, told one row after another, of each table in turn. */
export function runFlinkCase(one: FlinkCase, folder: string): Verdict {
  if (/\bmatch_recognize\b/i.test(one.sql)) return { verdict: 'unsupported', reason: 'MATCH_RECOGNIZE' };
  if (one.expected_rows === undefined)
    return { verdict: 'unsupported', reason: 'what is expected is no bag of rows' };
  const tables = one.tables.map((table) => new Rows(table));
  const steps: Step[] = [];
  const longest = Math.max(0, ...tables.map(({ rows }) => rows.length));
  for (let place = 0; place < longest; place++)
    for (const { table, rows } of tables)
      if (place < rows.length) {
        const change: Change = { table: table.name, op: 'insert', row: rows[place]! };
        steps.push({ op: 'dml', changes: [change] });
      }
  const asSql: SqlCase = {
    id: one.id,
    kind: 'sql-view',
    dialect: one.dialect,
    tables: tables.map(({ declared }) => declared),
    views: [{ name: '(result)', sql: one.sql }],
    main_view: '(result)',
    steps,
    checks: [
      {
        after_step: steps.length - 1,
        whole_view: true,
        separated: one.expected_rows.map((line) => line.replace(/(T\d\d:\d\d)(?=,|$)/g, '$1:00')),
      },
    ],
  };
  return runSqlCase(asSql, folder);
}

/** Rows and the types of their columns, which the case does not tell. */
class Rows {
  readonly rows: readonly (readonly unknown[])[];

  constructor(readonly table: FlinkTable) {
    this.rows = table.rows.map((row, place) => this.#withTimes(row, place));
  }

  get declared(): CaseTable {
    const { name, columns } = this.table;
    return {
      name,
      columns: columns.map((column, place) => ({ name: column.name, type: this.#typeOf(place) })),
      primary_key: [],
      append_only: true,
    };
  }

  /** Times that are no value of the row: when it came, and the event time where the row has it as another field. */
  #withTimes(row: readonly unknown[], place: number): unknown[] {
    const { columns, watermark = '' } = this.table;
    const rowtime = columns.findIndex(({ time_attribute: attribute }) => attribute === 'rowtime');
    const values = [...row];
    for (const [at, { time_attribute: attribute }] of columns.entries()) {
      if (values.length > at && attribute !== 'rowtime') continue;
      if (attribute === 'proctime') values.splice(at, 0, place + 1);
      else if (attribute === 'rowtime' && row.length < columns.length && at === rowtime)
        values.splice(at, 0, row[Number(/Row(\d+)/.exec(watermark)?.[1] ?? 1) - 1]);
    }
    return values.map((value, at) =>
      columns[at]?.time_attribute === 'rowtime' && typeof value === 'number'
        ? new Date(value).toISOString()
        : value,
    );
  }

  #typeOf(place: number): string {
    if (this.table.columns[place]!.time_attribute === 'rowtime') return 'timestamp';
    const values = this.rows
      .map((row) => row[place])
      .filter((value) => value !== null && value !== undefined);
    if (values.length > 0 && values.every((value) => Array.isArray(value)))
      return `${typeOf(values.flat(1).filter((value) => value !== null))}[]`;
    return typeOf(values);
  }
}

function typeOf(values: readonly unknown[]): string {
  if (values.length > 0 && values.every((value) => typeof value === 'number'))
    return values.every((value) => Number.isInteger(value)) ? 'bigint' : 'double precision';
  return values.length > 0 && values.every((value) => typeof value === 'boolean') ? 'boolean' : 'text';
}
