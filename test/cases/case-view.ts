import { checkDeclarations, count, instant, stream, table, view } from 'stillwater';
import { z } from 'zod';
import type { LogWriter, Append } from '../../src/testing/history.js';
import { ViewRun } from '../../src/testing/view-run.js';
import { rowText } from './comparison.js';
import { columnOf, expanded, inTexts, isStructured, picked, type Rel } from './sql/relation.js';
import { Scope, type SqlColumn } from './sql/scope.js';
import { shown } from './sql/types.js';
import { unsupported, unsupportedIn } from './unsupported.js';

const COPIES = 'copies';

/** A case loads thousands of rows in a step, and the machine may have other things to do. */
const STEP_MS_MAX = 60_000;

/**
 * A relation as a view of the product. SQL's relations are bags and a view has a key: it is grouped by all its columns,
 * and counts how often each row is there.
 */
export class BagView {
  readonly view: any;
  readonly columns: readonly SqlColumn[];

  constructor(name: string, of: Rel) {
    this.columns = of.scope.own;
    if (this.columns.length === 0) unsupported('SQL: no columns');
    const own = picked(
      of,
      this.columns.map((column) => [column.id, column]),
    );
    const rows = inTexts(own).rows;
    this.view = view(name, {
      from: rows.groupBy(...this.columns.map(({ id }) => id)).aggregate({ [COPIES]: count() }),
    } as any);
  }

  /** For views that read it: each row as often as it is there. */
  get rel(): Rel {
    const columns = this.columns.map((column) => columnOf(column.name, column.type));
    const all: Rel = { rows: this.view, scope: new Scope([]) };
    return expanded(all, columns, (row) => {
      const one = Object.fromEntries(columns.map(({ id }, place) => [id, this.#value(row, place)]));
      return Array.from({ length: row[COPIES] }, () => one);
    });
  }

  /** The rows of a maintained view, as texts to compare. */
  texts(run: ViewRun): string[] {
    return [...run.rows.values()].flatMap((row: any) => {
      const text = rowText(this.columns.map(({ type }, place) => shown(type, this.#value(row, place))));
      return Array<string>(row[COPIES]).fill(text);
    });
  }

  #value(row: any, place: number): unknown {
    const { id, type } = this.columns[place]!;
    return isStructured(type) && row[id] !== null ? JSON.parse(row[id]) : row[id];
  }
}

/** A view over what was appended, maintained from its beginning on. */
export class MaintainedBag {
  readonly #run: ViewRun;

  constructor(
    readonly bag: BagView,
    before: readonly Append[],
  ) {
    checkDeclarations([bag.view.declaration]);
    this.#run = new ViewRun(bag.view.declaration, { stepMsMax: STEP_MS_MAX });
    // What was there before the view was made comes at once.
    if (before.length > 0) this.#run.tick(before.flat());
  }

  tick(append: Append): void {
    this.#run.tick(append);
  }

  get rows(): string[] {
    const [error] = this.#run.errorsByView.flatMap(({ errors }) => errors);
    if (error) {
      const what = unsupportedIn(error.reason);
      if (what !== null) unsupported(what);
      throw new Error(`the view has an error: ${error.reason} in ${error.row.slice(0, 200)}`);
    }
    if (this.#run.conflicts > 0) throw new Error('the view has several rows of one key');
    return this.bag.texts(this.#run);
  }
}

/** A table of one row: what SQL gives where there is nothing. */
export class OneRow {
  readonly #table: any = table('one_row', { schema: z.object({ one: z.int() }), key: 'one' });

  get rel(): Rel {
    const column = columnOf('one', 'int', { made: true });
    return { rows: this.#table.select({ [column.id]: 'one' }), scope: new Scope([column]) };
  }

  append(log: LogWriter): Append {
    return log.records(this.#table.declaration, [{ one: 1 }]);
  }
}

/** A clock of a case: that of a stream of one event, told by heartbeats. */
export class Clock {
  readonly #stream: any;

  constructor(name = 'clock') {
    this.#stream = stream(name, { schema: z.object({ at: instant() }), eventTime: 'at' });
  }

  get rel(): Rel {
    const column = columnOf('at', 'timestamp', { made: true });
    return { rows: this.#stream.select({ [column.id]: 'at' }), scope: new Scope([column]) };
  }

  start(log: LogWriter): Append {
    return log.records(this.#stream.declaration, [{ at: 0 }]);
  }

  set(ms: number, log: LogWriter): Append {
    return log.heartbeats(this.#stream.declaration, ms);
  }
}
