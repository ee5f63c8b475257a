import { unsupported } from '../unsupported.js';

/** A column of a relation: what SQL calls it, and its name in the rows of the collection, which no other column has. */
export interface SqlColumn {
  readonly id: string;
  readonly name: string;
  readonly table: string | null;
  readonly type: string;
  /** Belongs to the query around this one, and comes along with every row. */
  readonly outer: boolean;
  /** Seen as `t.c` only: a column that USING has merged with another. */
  readonly hidden?: boolean;
  /** Not a column that SQL knows of: never part of `*`. */
  readonly made?: boolean;
  /** A text or null that no type was said of. */
  readonly untyped?: boolean;
  /** A time that no later row lies far behind: what waits for that can wait for this. */
  readonly isTime?: boolean;
  /** Stands for an edge of the sessions that a grouping will tell. */
  readonly session?: {
    readonly gapMs: number;
    readonly on: string;
    readonly edge: 'windowStart' | 'windowEnd';
    /** What is grouped by beside the edges, where that was said before. */
    readonly keys?: readonly string[];
  };
}

/** The columns that a name can mean here; those of this query before those around it. */
export class Scope {
  constructor(readonly columns: readonly SqlColumn[]) {}

  get own(): SqlColumn[] {
    return this.columns.filter(({ outer, made }) => !outer && !made);
  }

  get outer(): SqlColumn[] {
    return this.columns.filter(({ outer }) => outer);
  }

  find(table: string | null, name: string): SqlColumn | null {
    for (const outer of [false, true]) {
      const matches = this.columns.filter(
        (column) =>
          column.outer === outer &&
          !column.made &&
          column.name === name &&
          (table === null ? !column.hidden : column.table === table),
      );
      if (matches.length > 0) return matches[0]!;
    }
    return null;
  }

  column(table: string | null, name: string): SqlColumn {
    const found = this.find(table, name);
    if (found === null) unsupported(`SQL: the column ${table === null ? '' : `${table}.`}${name}`);
    return found!;
  }

  byId(id: string): SqlColumn {
    return this.columns.find((column) => column.id === id) ?? unsupported(`SQL: the column ${id}`);
  }

  star(table: string | null): SqlColumn[] {
    return this.own.filter((column) => (table === null ? !column.hidden : column.table === table));
  }
}

let made = 0;
/** A column name that nothing else has. */
export const fresh = (): string => `c${++made}`;
/** Names begin again with every case: the same case is always the same plan. */
export const restart = (): void => {
  made = 0;
};
