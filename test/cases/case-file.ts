/** A line of `index.jsonl`. */
export interface CaseEntry {
  readonly id: string;
  readonly file: string;
  readonly set: string;
  readonly kind: string;
  readonly features: readonly string[];
  readonly oracle: string;
}

export type Cells = readonly (string | null)[];

export interface Change {
  readonly table: string;
  readonly op: 'insert' | 'delete' | 'update' | 'set_clock';
  /** What time it is from now on, of a clock. */
  readonly value?: unknown;
  readonly row?: readonly unknown[];
  readonly old?: readonly unknown[];
  readonly new?: readonly unknown[];
  /** The delete of a row that an insertion with the same key replaces. */
  readonly implied?: boolean;
}

export interface CaseTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly generated?: unknown }[];
  readonly primary_key: readonly string[];
  readonly append_only?: boolean;
  readonly watermark?: unknown;
  readonly lateness?: unknown;
  readonly on_conflict?: string;
}

export interface CaseView {
  readonly name: string;
  readonly sql: string;
  readonly sql_postgres?: string;
  /** `(a, b)`: names for its columns. */
  readonly columns?: string;
  readonly output_columns?: readonly string[];
  readonly local?: boolean;
  readonly emit_on_window_close?: boolean;
  readonly with?: string;
}

export interface Step {
  readonly op: 'create_view' | 'dml' | 'set_clock';
  readonly view?: string;
  readonly changes?: readonly Change[];
  readonly changes_fixture?: string;
  readonly value?: number;
}

export interface Check {
  readonly after_step: number;
  readonly query?: string;
  readonly whole_view?: boolean;
  readonly rows?: readonly Cells[];
  readonly expected_text?: readonly string[] | string;
  /** Rows as texts with commas between their cells. */
  readonly separated?: readonly string[];
  readonly delta?: readonly { readonly row: Cells; readonly weight: number }[];
}

/** What all cases have. */
export interface CaseFile {
  readonly id: string;
}

/** A case of SQL: tables, views over them, changes, and what the views hold afterwards. */
export interface SqlCase extends CaseFile {
  readonly kind: 'sql-view' | 'sql-query-as-view' | 'sql-delta';
  readonly dialect: string;
  readonly tables: readonly CaseTable[];
  readonly views: readonly CaseView[];
  readonly main_view: string;
  readonly steps: readonly Step[];
  readonly checks: readonly Check[];
  readonly oracle_states?: unknown;
}

/** What came of a case. */
export type Verdict =
  { readonly verdict: 'passed' } | { readonly verdict: 'wrong' | 'unsupported'; readonly reason: string };
