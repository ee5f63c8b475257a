import { unsupported } from '../unsupported.js';
import type { Query } from './ast.js';
import { type Rel, renamed } from './relation.js';

/** What FROM can name: tables, views and the queries of WITH, each made a relation when it is first named. */
export class Catalog {
  readonly #known = new Map<string, () => Rel>();

  constructor(
    /** A table of one row, for what SQL makes of nothing: aggregates of no rows, VALUES, SELECT without FROM. */
    readonly one: Rel,
    /** A row that knows what time it is, to be joined where that is asked. */
    readonly clock: Rel,
    readonly around: Catalog | null = null,
  ) {}

  inside(): Catalog {
    return new Catalog(this.one, this.clock, this);
  }

  add(name: string, make: () => Rel): void {
    let made: Rel | null = null;
    this.#known.set(name.toLowerCase(), () => (made ??= make()));
  }

  has(name: string): boolean {
    return this.#known.has(name.toLowerCase()) || (this.around?.has(name) ?? false);
  }

  /** The relation of a name under an alias, with columns named anew if names are given. */
  named(name: string, as: string, columns: readonly string[]): Rel {
    const make = this.#known.get(name.toLowerCase());
    if (make === undefined)
      return this.around?.named(name, as, columns) ?? unsupported(`SQL: the table ${name}`);
    let place = 0;
    return renamed(make(), (column) =>
      column.made ? { table: as } : { table: as, name: columns[place++] ?? column.name },
    );
  }
}

export type QueryOf = Query;
