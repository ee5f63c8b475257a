import { StillwaterError } from '../errors/stillwater-error.js';
import { checkDeclarations } from '../view/declaration-errors.js';
import type { SourceDeclaration, ViewDeclaration } from '../view/declarations.js';
import type { Stream } from '../view/stream.js';
import type { Table } from '../view/table.js';
import type { View } from '../view/view.js';
import { keyTextOfColumns } from '../view/row-texts.js';
import type { Row } from '../zset/value.js';
import { findDivergence } from './convergence.js';
import { type Append, LogWriter } from './history.js';
import { compareRows } from './row-comparison.js';
import { ViewRun } from './view-run.js';

type Scalar = string | number | boolean | null;
/** A row's key: its value, or its values in the order of the table's key columns. */
export type KeyValue = Scalar | readonly Scalar[];

/**
 * What was appended to which stream or table, in order: what a view is a function of. Nothing changes a history;
 * every call gives a longer one.
 *
 *   given(flights, [{ … }, { … }])
 *     .and(airports, [{ iata: 'ORD', … }])
 *     .expect(delaysByAirport)
 *     .rows([{ origin: 'ORD', … }])
 *     .afterwards(flights, [{ … }])
 *     .rows([…])
 *     .converges();
 *
 * Works under any test runner: what is not as expected throws.
 */
export class History {
  readonly #steps: readonly ((log: LogWriter) => Append)[];

  constructor(steps: readonly ((log: LogWriter) => Append)[] = []) {
    this.#steps = steps;
  }

  /** More events of a stream, or more rows of a table. A record that the schema refuses is appended all the same, and an error of the views that read it. */
  and<Input>(source: Stream<any, Input, any> | Table<any, any, Input>, records: readonly Input[]): History {
    return this.#with((log) => log.records(source.declaration, records));
  }

  /** Rows of a table go. */
  deleted(source: Table<any, any, any>, keys: readonly KeyValue[]): History {
    return this.#with((log) => log.tombstones(source.declaration, keys));
  }

  /**
   * Time passes though nothing is appended: the clock of a stream, in all its partitions, comes to this instant. In production
   * heartbeats do that when a stream is silent.
   */
  heartbeat(source: Stream<any, any> | Table<any, any, any>, instant: string | number | Date): History {
    return this.#with((log) => log.heartbeats(source.declaration, instant));
  }

  /** Entries as any producer may write them: `{ data: '{…}' }`, `{ batch: '[…]' }`, field by field, or wrong. */
  entries(
    source: Stream<any, any, any> | Table<any, any, any>,
    entries: readonly Readonly<Record<string, string>>[],
  ): History {
    return this.#with((log) => log.entries(source.declaration, entries));
  }

  /** What is to be said of a view over this history. @throws DeclarationErrors if the view is not well declared */
  expect<ViewRow, Key extends string>(
    view: View<ViewRow, Key>,
    options: ExpectOptions = {},
  ): Expectation<ViewRow> {
    return new Expectation<ViewRow>(this, view.declaration, options);
  }

  /** The entries of each call, in order. */
  appends(): Append[] {
    const log = new LogWriter();
    return this.#steps.map((step) => step(log));
  }

  #with(step: (log: LogWriter) => Append): History {
    return new History([...this.#steps, step]);
  }
}

/** Begins a history. */
export const given = <Input>(
  source: Stream<any, Input, any> | Table<any, any, Input>,
  records: readonly Input[],
): History => new History().and(source, records);

/** Throws unless a view's rows are the same however this history is cut, interleaved, repeated and taken over. */
export const expectConverges = <ViewRow, Key extends string>(
  view: View<ViewRow, Key>,
  history: History,
  options?: ConvergenceOptions,
): void => {
  history.expect(view).converges(options);
};

export interface ExpectOptions {
  /** How long one step may take before it is stopped, and the test fails: a function may loop. 10 s unless said otherwise. */
  stepMsMax?: number;
}

export interface ConvergenceOptions {
  /** How many other ways of maintaining the view are tried. */
  runs?: number;
  /** What chance begins with; a failure names its own, to be tried again. */
  seed?: number;
}

/** A view over a history, maintained in memory: one tick for each call that appended. */
export class Expectation<ViewRow> {
  #run: ViewRun | null = null;

  constructor(
    readonly history: History,
    readonly view: ViewDeclaration,
    readonly options: ExpectOptions = {},
  ) {
    checkDeclarations([view as SourceDeclaration]);
  }

  /** The view has exactly these rows, in any order. */
  rows(expected: readonly ViewRow[]): this {
    const run = this.#maintained();
    const difference = compareRows(run.rows, expected as readonly Row[], this.#keyOf);
    if (difference !== null)
      throw this.#unexpected(
        'unexpected-rows',
        `The view "${this.view.name}" does not have the expected rows.`,
        difference + this.#errorsText(),
      );
    return this;
  }

  /** The row of a key, or null for no row. Other rows may be there. */
  row(key: KeyValue, expected: ViewRow | null): this {
    const values: readonly Scalar[] = Array.isArray(key) ? key : [key as Scalar];
    const text = this.#keyOf(
      Object.fromEntries(this.view.key.map((column, index) => [column, values[index] ?? null])),
    );
    const row = this.#maintained().rows.get(text);
    const difference = compareRows(
      new Map(row ? [[text, row]] : []),
      expected === null ? [] : [expected as Row],
      this.#keyOf,
    );
    if (difference !== null)
      throw this.#unexpected(
        'unexpected-rows',
        `The view "${this.view.name}" does not have the expected row of the key ${text}.`,
        difference + this.#errorsText(),
      );
    return this;
  }

  /** The reasons of the view's errors are these, in any order: entries it could not read, rows its functions threw on. */
  errors(expected: readonly (string | RegExp)[]): this {
    const reasons = this.#maintained().errors.flatMap(({ reason, weight }) =>
      Array<string>(weight).fill(reason),
    );
    const unmet = expected.filter((pattern) => {
      const at = reasons.findIndex((reason) =>
        typeof pattern === 'string' ? reason.includes(pattern) : pattern.test(reason),
      );
      if (at !== -1) reasons.splice(at, 1);
      return at === -1;
    });
    if (unmet.length > 0 || reasons.length > 0)
      throw this.#unexpected(
        'unexpected-errors',
        `The view "${this.view.name}" does not have the expected errors.`,
        [
          ...unmet.map((pattern) => `  missing     ${String(pattern)}`),
          ...reasons.map((reason) => `  unexpected  ${reason}`),
        ].join('\n'),
      );
    return this;
  }

  /** So many rows came too late, and were left out of what was closed. */
  late(expected: number): this {
    const { late } = this.#maintained();
    if (late !== expected)
      throw this.#unexpected(
        'unexpected-late-rows',
        `Another number of rows came too late for the view "${this.view.name}".`,
        `  expected    ${expected}\n  maintained  ${late}`,
      );
    return this;
  }

  /** The same view after more was appended. */
  afterwards<Input>(
    source: Stream<any, Input, any> | Table<any, any, Input>,
    records: readonly Input[],
  ): Expectation<ViewRow> {
    return new Expectation<ViewRow>(this.history.and(source, records), this.view, this.options);
  }

  /** The same view after time has passed though nothing was appended. */
  afterwardsHeartbeat(
    source: Stream<any, any> | Table<any, any, any>,
    instant: string | number | Date,
  ): Expectation<ViewRow> {
    return new Expectation<ViewRow>(this.history.heartbeat(source, instant), this.view, this.options);
  }

  /** The same view after rows of a table were deleted. */
  afterwardsDeleted(source: Table<any, any, any>, keys: readonly KeyValue[]): Expectation<ViewRow> {
    return new Expectation<ViewRow>(this.history.deleted(source, keys), this.view, this.options);
  }

  /**
   * The view's rows, checksum and errors are the same however its entries are cut into ticks and its sources
   * interleaved; with caches too small to hold anything; when ticks are computed in vain and again; when another
   * worker takes over. A view function that does not answer the same to the same fails here.
   */
  converges({ runs = 25, seed = 1 }: ConvergenceOptions = {}): this {
    const difference = findDivergence(
      this.view,
      this.history.appends(),
      { runs, seed, stepMsMax: this.options.stepMsMax },
      this.#keyOf,
    );
    if (difference !== null)
      throw this.#unexpected(
        'no-convergence',
        `The view "${this.view.name}" depends on more than its log.`,
        difference.text,
        `Run it again alone: converges({ runs: 1, seed: ${difference.seed} }).`,
      );
    return this;
  }

  readonly #keyOf = (row: Row): string => keyTextOfColumns(this.view.columns, this.view.key)(row);

  #maintained(): ViewRun {
    if (this.#run !== null) return this.#run;
    const run = new ViewRun(this.view, this.options);
    for (const append of this.history.appends()) run.tick(append);
    return (this.#run = run);
  }

  #errorsText(): string {
    const lines = this.#maintained().errorsByView.flatMap(({ view, errors }) =>
      errors.map(({ reason, row }) => `  error of "${view}"  ${reason}  in ${row.slice(0, 200)}`),
    );
    return lines.length === 0 ? '' : `\n${lines.slice(0, 10).join('\n')}`;
  }

  #unexpected(code: string, what: string, evidence: string, remedy?: string): StillwaterError {
    return new StillwaterError(code, { what, evidence, remedy });
  }
}
