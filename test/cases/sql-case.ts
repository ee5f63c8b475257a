import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Append, LogWriter } from '../../src/testing/history.js';
import { BagView, Clock, MaintainedBag, OneRow } from './case-view.js';
import type { CaseView, Cells, Change, Check, SqlCase, Step, Verdict } from './case-file.js';
import { Arrivals, SourceTable } from './case-table.js';
import { bagDifference, rowText } from './comparison.js';
import { Catalog } from './sql/catalog.js';
import { changesOf } from './sql/changes.js';
import { finalBy, finalWindows, hasWindows } from './sql/finals.js';
import { parseQuery } from './sql/parser.js';
import { pastOf } from './sql/past.js';
import { relationOf, titled } from './sql/query.js';
import { speak } from './sql/dialect.js';
import { applied, type Rel } from './sql/relation.js';
import { restart } from './sql/scope.js';
import { timeOf } from './sql/types.js';
import { Unsupported, unsupported, verdictOf } from './unsupported.js';

/** Maintains a case's views over its changes with the product, and compares them with what is expected after each step. */
export function runSqlCase(one: SqlCase, folder: string): Verdict {
  const run = (inlined: boolean): Verdict => {
    try {
      return new SqlRun(one, folder, inlined).verdict();
    } catch (thrown) {
      return verdictOf(thrown);
    }
  };
  const verdict = run(false);
  return verdict.verdict === 'unsupported' && IN_ONE_VIEW.some((what) => verdict.reason.includes(what))
    ? run(true)
    : verdict;
}

/** What is refused of views over views, and not where their queries are one: a view's rows are bags, and have no time. */
const IN_ONE_VIEW = ['by two paths', 'flatMap() makes new rows'];

class SqlRun {
  readonly #log = new LogWriter();
  readonly #clock = new Clock();
  /** How far rows are final, where a column makes them so. */
  readonly #finals = new Clock('finals');
  #finalColumn: string | null = null;
  readonly #appends: Append[] = [];
  readonly #tables = new Map<string, SourceTable>();
  readonly #catalog: Catalog;
  readonly #views = new Map<string, BagView>();
  readonly #maintained = new Map<string, MaintainedBag>();
  readonly #changes: readonly (readonly Change[])[];
  #wrong: string | null = null;
  #unsupported: string | null = null;

  constructor(
    readonly one: SqlCase,
    folder: string,
    readonly inlined: boolean,
  ) {
    restart();
    speak(one.dialect);
    this.#changes = one.steps.map(({ changes, changes_fixture: fixture }) =>
      fixture === undefined ? (changes ?? []) : JSON.parse(readFileSync(join(folder, fixture), 'utf8')),
    );
    const oneRow = new OneRow();
    this.#catalog = new Catalog(oneRow.rel, this.#clock.rel);
    const arrivals = new Arrivals();
    const isTimed = one.views.some(({ emit_on_window_close: isFinal }) => isFinal === true);
    const withPast = one.views.some(({ sql }) => /for\s+system_time/i.test(sql));
    const withChanges = one.views.some(({ sql }) => /changelog\s+from/i.test(sql));
    for (const table of one.tables) {
      const changes = this.#changes.flat().filter((change) => change.table === table.name);
      const source = new SourceTable(table, { changes, arrivals, withPast, withChanges, isTimed });
      this.#tables.set(table.name, source);
      this.#catalog.add(table.name, () => source.rel);
      if (withChanges) this.#catalog.add(changesOf(table.name), () => source.changes);
      if (withPast) this.#catalog.add(pastOf(table.name), () => source.past);
    }
    this.#appends.push(oneRow.append(this.#log));
    this.#appends.push(this.#clock.start(this.#log));
    this.#appends.push(this.#finals.start(this.#log));
  }

  verdict(): Verdict {
    for (const view of this.one.views) this.#declare(view);
    // Changes of a view are told from nothing on: also the row that an aggregate of no rows has.
    let before: string[] = [];
    const main = this.#views.get(this.one.main_view)!;
    const madeLater = this.one.steps.some(
      ({ op, view }) => op === 'create_view' && view === this.one.main_view,
    );
    if (!madeLater || this.one.checks.some(({ after_step: after }) => after === -1))
      this.#maintain(this.one.main_view, main);
    this.#check(-1, before);
    this.one.steps.forEach((step, place) => {
      this.#step(step, place);
      this.#check(place, before);
      if (this.#isDelta && step.op === 'dml') before = this.#rowsOf(this.one.main_view);
    });
    if (this.#wrong !== null) return { verdict: 'wrong', reason: this.#wrong };
    if (this.#unsupported !== null) return { verdict: 'unsupported', reason: this.#unsupported };
    return { verdict: 'passed' };
  }

  get #isDelta(): boolean {
    return this.one.kind === 'sql-delta';
  }

  #declare(view: CaseView): void {
    const names = view.columns?.replace(/[()\s"]/g, '').split(',') ?? [];
    const rel = this.#finished(view, titled(this.#relation(view), names));
    const bag = new BagView(`view_${this.#views.size + 1}`, rel);
    this.#views.set(view.name, bag);
    this.#catalog.add(view.name, () => (this.inlined ? rel : bag.rel));
  }

  /** The rows of a view that shows them when they can no longer change. */
  #finished(view: CaseView, given: Rel): Rel {
    const [, column] = /'emit_final'\s*=\s*'(\w+)'/.exec(view.with ?? '') ?? [];
    if (column !== undefined) {
      this.#finalColumn = column;
      return finalBy(given, column, this.#finals.rel);
    }
    return view.emit_on_window_close && !hasWindows(view.sql)
      ? { ...given, rows: applied(given.rows, 'final') }
      : given;
  }

  /** What a view's text says; where that is beyond the runner, what its rewrite for PostgreSQL says. */
  #relation({ sql, sql_postgres: rewritten, emit_on_window_close: isFinal }: CaseView): Rel {
    try {
      if (isFinal === true && hasWindows(sql)) return finalWindows(parseQuery(sql), this.#finalRows());
      return relationOf(parseQuery(sql), this.#catalog, null);
    } catch (thrown) {
      if (!(thrown instanceof Unsupported) || rewritten === undefined) throw thrown;
      return relationOf(parseQuery(rewritten), this.#catalog, null);
    }
  }

  /** Tables of which a query sees only the rows that can no longer change. */
  #finalRows(): Catalog {
    const catalog = this.#catalog.inside();
    for (const [name, source] of this.#tables)
      catalog.add(name, () => {
        const { rows, scope } = source.rel;
        return { rows: applied(rows, 'final'), scope };
      });
    return catalog;
  }

  #maintain(name: string, bag: BagView): void {
    this.#maintained.set(name, new MaintainedBag(bag, this.#appends));
  }

  #step(step: Step, place: number): void {
    if (step.op === 'create_view') {
      const bag = this.#views.get(step.view!);
      if (bag && step.view === this.one.main_view) this.#maintain(step.view!, bag);
      return;
    }
    const append = step.op === 'set_clock' ? this.#clock.set(step.value!, this.#log) : this.#changesOf(place);
    this.#appends.push(append);
    for (const bag of this.#maintained.values()) bag.tick(append);
  }

  #changesOf(place: number): Append {
    const appended = this.#changes[place]!.flatMap((change) => {
      if (change.op === 'set_clock') return this.#clock.set(timeOf(String(change.value)), this.#log);
      const table =
        this.#tables.get(change.table) ?? unsupported(`changes of ${change.table}, which is no table`);
      return table.apply(change, this.#log);
    });
    if (this.#finalColumn !== null) appended.push(...this.#finalTime(this.#finalColumn));
    for (const table of this.#tables.values()) table.endStep();
    return appended;
  }

  /** How far the column is that makes rows final: that of one table. */
  #finalTime(column: string): Append {
    const told = [...this.#tables.values()].flatMap((table) => table.leastOf(column) ?? []);
    if (told.length > 1) unsupported('a column of several tables that makes rows final');
    return told.length === 0 ? [] : this.#finals.set(told[0]!, this.#log);
  }

  #rowsOf(name: string): string[] {
    return this.#maintained.get(name)?.rows ?? [];
  }

  #check(place: number, before: readonly string[]): void {
    for (const check of this.one.checks.filter(({ after_step: after }) => after === place)) {
      try {
        const difference = check.delta
          ? deltaDifference(before, this.#rowsOf(this.one.main_view), check.delta)
          : this.#difference(check);
        if (difference !== null) this.#wrong ??= `after step ${place}: ${difference}`;
      } catch (thrown) {
        const verdict = verdictOf(thrown);
        if (verdict.verdict === 'unsupported') this.#unsupported ??= verdict.reason;
        else if (verdict.verdict === 'wrong') this.#wrong ??= `after step ${place}: ${verdict.reason}`;
      }
    }
  }

  #difference(check: Check): string | null {
    const found = check.whole_view ? this.#rowsOf(this.one.main_view) : this.#answer(check.query!);
    // Where commas are between cells, those within a text are no others.
    if (check.separated !== undefined)
      return differenceOf(
        found.map((row) => rowText(row.split(/,? /))),
        check.separated.map((line) =>
          rowText(line.split(/, ?/).map((cell) => (cell === 'null' ? null : cell))),
        ),
      );
    const expected = check.rows?.map(rowText) ?? textsOf(check.expected_text ?? []);
    return differenceOf(found, expected);
  }

  /** The rows of a query over the views: a view itself, maintained from when it is first asked for. */
  #answer(query: string): string[] {
    if (!this.#maintained.has(query)) {
      const bag = new BagView(
        `query_${this.#maintained.size + 1}`,
        relationOf(parseQuery(query), this.#catalog, null),
      );
      this.#maintain(query, bag);
    }
    return this.#rowsOf(query);
  }
}

const textsOf = (text: readonly string[] | string): string[] =>
  (typeof text === 'string' ? text.split('\n') : [...text]).map((line) => rowText([line]));

const SHOWN_MAX = 3;

function differenceOf(found: readonly string[], expected: readonly string[]): string | null {
  const { missing, surplus } = bagDifference(found, expected);
  if (missing.length === 0 && surplus.length === 0) return null;
  const some = (rows: readonly string[]): string =>
    `${rows.length} ${rows
      .slice(0, SHOWN_MAX)
      .map((row) => `[${row}]`)
      .join(' ')}`;
  return `missing ${some(missing)}; too many ${some(surplus)}`;
}

function deltaDifference(
  before: readonly string[],
  after: readonly string[],
  delta: readonly { row: Cells; weight: number }[],
): string | null {
  const expected = [...before];
  const gone: string[] = [];
  for (const { row, weight } of delta) {
    const text = rowText(row);
    if (weight > 0) expected.push(...Array<string>(weight).fill(text));
    else gone.push(...Array<string>(-weight).fill(text));
  }
  const { missing, surplus } = bagDifference(expected, gone);
  if (missing.length > 0)
    return `rows retracted that were not there: ${missing.slice(0, SHOWN_MAX).join('; ')}`;
  return differenceOf(after, surplus);
}
