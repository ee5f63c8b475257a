import { stream, table } from 'stillwater';
import { z } from 'zod';
import type { LogWriter, Append } from '../../src/testing/history.js';
import type { CaseTable, Change } from './case-file.js';
import { Lateness } from './lateness.js';
import { CHANGE } from './sql/changes.js';
import { ARRIVAL } from './sql/lists.js';
import { SINCE, UNTIL } from './sql/past.js';
import { columnOf, type Rel, schemaOf } from './sql/relation.js';
import { Scope } from './sql/scope.js';
import { intervalOf, stored, typeNamed } from './sql/types.js';
import { unsupported } from './unsupported.js';

const KEY = 'instance';
const ARRIVED = 'arrived';
const LEFT = 'left';
const CHANGED = 'changed';

/** Counts what comes, over all tables of a case. */
export class Arrivals {
  count = 0;
}

export interface TableOptions {
  readonly changes: readonly Change[];
  readonly arrivals: Arrivals;
  /** Rows are joined with what tables were when they came: each has its place among all, and each table its past rows. */
  readonly withPast: boolean;
  /** Views wait until its rows can no longer change: it is a stream with a time, and as late as its watermark says. */
  readonly isTimed: boolean;
  /** Its changes are asked for as rows: a stream has them. */
  readonly withChanges: boolean;
}

/**
 * A table of a case as the product keeps it. With a primary key it is a table of that key. Without one it is a bag: each
 * row that comes is an instance of its own, and the deletion of a row takes one of its instances.
 */
export class SourceTable {
  readonly #types: readonly string[];
  readonly #key: readonly number[];
  readonly #appendOnly: boolean;
  readonly #source: any;
  /** By the text of a bag's row: its instances; by the text of a key: whether there is a row. */
  readonly #instances = new Map<string, number[]>();
  readonly #present = new Set<string>();
  readonly #past: any;
  readonly #changes: any;
  /** By the text of a key, or of a bag's instance: the row that is there, in the table of past rows. */
  readonly #current = new Map<string, Record<string, unknown>>();
  readonly #lateness: Lateness;
  /** By the text of a key: the row that is there, where late ones are dropped. */
  readonly #byKey = new Map<string, unknown[]>();

  constructor(
    readonly declared: CaseTable,
    readonly options: TableOptions,
  ) {
    const { changes, withPast, withChanges } = options;
    this.#types = declared.columns.map(({ type }) => typeNamed(type));
    this.#key = declared.primary_key.map((name) =>
      declared.columns.findIndex((column) => column.name === name),
    );
    this.#lateness = new Lateness(declared, this.#types);
    this.#appendOnly =
      !withPast &&
      declared.append_only === true &&
      changes.every(({ op }) => op === 'insert') &&
      (this.#key.length === 0 || (options.isTimed && this.#areDifferent(changes)));
    const shape: Record<string, z.ZodType> = {};
    this.#types.forEach((type, place) => (shape[`f${place}`] = schemaOf(type)));
    for (const place of this.#key)
      shape[`f${place}`] = (shape[`f${place}`] as unknown as z.ZodNullable<z.ZodType>).unwrap();
    if (withChanges)
      this.#changes = stream(`${declared.name}_changes`, {
        schema: z.object({ ...shape, [CHANGED]: z.int() }) as any,
      });
    if (this.#appendOnly) {
      this.#source = stream(declared.name, {
        schema: z.object(shape) as any,
        ...(options.isTimed && this.#timeOf(shape)),
      } as any);
      return;
    }
    if (this.#key.length === 0) shape[KEY] = z.int();
    shape[ARRIVED] = z.int();
    const key = this.#key.length === 0 ? KEY : this.#key.map((place) => `f${place}`);
    this.#source = table(declared.name, {
      schema: z.object(shape) as any,
      key: key as any,
    });
    if (withPast)
      this.#past = table(`${declared.name}_past`, {
        schema: z.object({ ...shape, [LEFT]: z.int().nullable() }) as any,
        key: ARRIVED,
      });
  }

  /** Whether no row replaces another. */
  #areDifferent(changes: readonly Change[]): boolean {
    const keys = new Set(changes.map(({ row }) => JSON.stringify(this.#keyOf(this.#values(row!)))));
    return keys.size === changes.length;
  }

  /** The event time and the lateness that a watermark of `column - interval` is. */
  #timeOf(shape: Record<string, z.ZodType>): object {
    const { column, expr = '' } = (this.declared.watermark ?? {}) as { column?: string; expr?: string };
    if (column === undefined) return {};
    const place = this.declared.columns.findIndex(({ name }) => name === column);
    const said = /^\W*\w+\W*-\s*interval\s*'([^']+)'\s*(\w*)\s*$/i.exec(expr);
    const ms = said === null ? null : intervalOf(`${said[1]} ${said[2]}`);
    if (typeof ms !== 'number' || !this.#types[place]?.startsWith('timestamp'))
      return unsupported(`the watermark ${expr}`);
    const time = `f${place}`;
    if (!this.#key.includes(place))
      shape[time] = (shape[time] as unknown as z.ZodNullable<z.ZodType>).unwrap();
    return { schema: z.object(shape), eventTime: time, lateness: `${ms}ms` };
  }

  /** Its columns as SQL knows them. */
  get rel(): Rel {
    const { column: time } = (this.declared.watermark ?? {}) as { column?: string };
    const isTimed = this.options.isTimed && this.#appendOnly;
    const columns = this.declared.columns.map(({ name }, place) =>
      columnOf(name.toLowerCase(), this.#types[place]!, isTimed && name === time ? { isTime: true } : {}),
    );
    const arrival = columnOf(ARRIVAL, this.#appendOnly ? 'text' : 'int', { made: true });
    return {
      rows: this.#source.select({
        ...Object.fromEntries(columns.map(({ id }, place) => [id, `f${place}`])),
        [arrival.id]: this.#appendOnly ? '$position' : ARRIVED,
      }),
      scope: new Scope([...columns, arrival]),
    };
  }

  /** Its rows and those that were, with when they came and went. */
  get past(): Rel {
    const columns = this.declared.columns.map(({ name }, place) =>
      columnOf(name.toLowerCase(), this.#types[place]!),
    );
    const [since, until] = [SINCE, UNTIL].map((name) => columnOf(name, 'int', { made: true }));
    return {
      rows: this.#past.select({
        ...Object.fromEntries(columns.map(({ id }, place) => [id, `f${place}`])),
        [since!.id]: ARRIVED,
        [until!.id]: LEFT,
      }),
      scope: new Scope([...columns, since!, until!]),
    };
  }

  /** What became of it, change by change. */
  get changes(): Rel {
    const columns = this.declared.columns.map(({ name }, place) =>
      columnOf(name.toLowerCase(), this.#types[place]!),
    );
    const op = columnOf('changelog_op', 'int');
    return {
      rows: this.#changes.select({
        ...Object.fromEntries(columns.map(({ id }, place) => [id, `f${place}`])),
        [op.id]: CHANGED,
      }),
      scope: new Scope([...columns, op]),
    };
  }

  /** What later values of a column are not below, by what came so far. */
  leastOf(name: string): number | null {
    return this.#lateness.leastOf(
      this.declared.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase()),
    );
  }

  /** The end of a step's changes. */
  endStep(): void {
    this.#lateness.endStep();
  }

  /** Whether a change is of a row that is late, or takes one away that is: no view has it then. */
  #dropped({ op, row, old, new: later, implied }: Change): boolean {
    if (!this.#lateness.isDeclared || implied) return false;
    const come = op === 'delete' ? null : this.#values(later ?? row!);
    const gone = op === 'insert' ? null : this.#values(row ?? old!);
    const key = (values: unknown[]): string => JSON.stringify(this.#keyOf(values));
    const there = this.#key.length === 0 ? gone : (this.#byKey.get(key((gone ?? come)!)) ?? null);
    if ([come, there].some((values) => values !== null && this.#lateness.isLate(values))) return true;
    if (come !== null) this.#lateness.saw(come);
    if (this.#key.length > 0) {
      if (gone !== null) this.#byKey.delete(key(gone));
      if (come !== null) this.#byKey.set(key(come), come);
    }
    return false;
  }

  apply(change: Change, log: LogWriter): Append {
    if (this.#dropped(change)) return [];
    return this.options.withChanges
      ? [...this.#told(change, log), ...this.#applied(change, log)]
      : this.#applied(change, log);
  }

  #told({ op, row, old, new: later, implied }: Change, log: LogWriter): Append {
    const replaces = op === 'insert' && this.#present.has(JSON.stringify(this.#keyOf(this.#values(row!))));
    if (implied === true || replaces)
      return unsupported('the changes of a table whose rows are replaced by insertions');
    const record = (values: readonly unknown[], change: number): object => ({
      ...Object.fromEntries(this.#values(values).map((value, place) => [`f${place}`, value])),
      [CHANGED]: change,
    });
    const records =
      op === 'update'
        ? [record(old!, CHANGE['update of']), record(later!, CHANGE['update to'])]
        : [record(row!, CHANGE[op as 'insert' | 'delete'])];
    return log.records(this.#changes.declaration, records);
  }

  #applied(change: Change, log: LogWriter): Append {
    if (change.op === 'update')
      return [...this.#delete(change.old!, log, change.new!), ...this.#insert(change.new!, log, true)];
    if (change.op === 'insert') return this.#insert(change.row!, log, false);
    return change.implied ? [] : this.#delete(change.row!, log, null);
  }

  #values(row: readonly unknown[]): unknown[] {
    return this.#types.map((type, place) => stored(type, row[place]));
  }

  #keyOf(values: readonly unknown[]): unknown[] {
    return this.#key.map((place) => values[place]);
  }

  #insert(row: readonly unknown[], log: LogWriter, overwrites: boolean): Append {
    const values = this.#values(row);
    const record: Record<string, unknown> = Object.fromEntries(
      values.map((value, place) => [`f${place}`, value]),
    );
    if (this.#appendOnly) return log.records(this.#source.declaration, [record]);
    const arrived = ++this.options.arrivals.count;
    record[ARRIVED] = arrived;
    if (this.#key.length > 0) {
      const key = JSON.stringify(this.#keyOf(values));
      if (this.#present.has(key) && !overwrites && /do nothing/i.test(this.declared.on_conflict ?? ''))
        return [];
      this.#present.add(key);
    } else {
      record[KEY] = arrived;
      const text = JSON.stringify(values);
      this.#instances.set(text, [...(this.#instances.get(text) ?? []), arrived]);
    }
    const identity = this.#key.length > 0 ? JSON.stringify(this.#keyOf(values)) : String(arrived);
    const append = [
      ...log.records(this.#source.declaration, [record]),
      ...this.#gone(identity, log),
      ...(this.options.withPast ? log.records(this.#past.declaration, [{ ...record, [LEFT]: null }]) : []),
    ];
    this.#current.set(identity, record);
    return append;
  }

  /** The row that was there until now. */
  #gone(identity: string, log: LogWriter): Append {
    const record = this.#current.get(identity);
    this.#current.delete(identity);
    if (record === undefined || !this.options.withPast) return [];
    return log.records(this.#past.declaration, [{ ...record, [LEFT]: this.options.arrivals.count }]);
  }

  #delete(row: readonly unknown[], log: LogWriter, replacedBy: readonly unknown[] | null): Append {
    const values = this.#values(row);
    if (this.#key.length > 0) {
      const key = this.#keyOf(values);
      const text = JSON.stringify(key);
      // The same key again: the record that follows replaces the row.
      if (replacedBy !== null && JSON.stringify(this.#keyOf(this.#values(replacedBy))) === text) return [];
      this.#present.delete(text);
      this.options.arrivals.count++;
      return [...this.#gone(text, log), ...log.tombstones(this.#source.declaration, [key])];
    }
    const text = JSON.stringify(values);
    const instance = this.#instances.get(text)?.pop();
    if (instance === undefined) throw new Error(`The case deletes a row that is not there: ${text}`);
    this.options.arrivals.count++;
    return [...this.#gone(String(instance), log), ...log.tombstones(this.#source.declaration, [[instance]])];
  }
}
