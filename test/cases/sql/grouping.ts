import { unsupported } from '../unsupported.js';
import { aggregateOf, type MadeAggregate } from './aggregates.js';
import type { Call, Expr } from './ast.js';
import { call } from './call-parser.js';
import type { Catalog } from './catalog.js';
import { groupsIn } from './group-windows.js';
import {
  attached,
  columnOf,
  distinct,
  extended,
  inTexts,
  isStructured,
  materialized,
  offered,
  outOfTexts,
  picked,
  type Rel,
  united,
} from './relation.js';
import { fresh, Scope, type SqlColumn } from './scope.js';
import { exchanged, isAggregate, partsOf } from './walk.js';

/**
 * The groups of a relation, and what its aggregates are. Several sets of columns to group by, as ROLLUP makes them, are as
 * many groupings, united.
 */
export function grouped(
  from: Rel,
  sets: readonly (readonly Expr[])[],
  expressions: readonly Expr[],
  catalog: Catalog,
  base: Rel | null,
): { rel: Rel; rewrite: (e: Expr) => Expr } {
  const textOf = (e: Expr): string =>
    JSON.stringify(
      exchanged(e, (part) =>
        part.k === 'column' ? { k: 'known', id: from.scope.column(part.table, part.name).id } : null,
      ),
    );
  const groups = new Map<string, Expr>();
  for (const e of sets.flat()) groups.set(textOf(e), e);
  const calls = new Map<string, Call>();
  const collectCalls = (e: Expr): void => {
    if (isAggregate(e)) calls.set(textOf(e), e);
    else partsOf(e).forEach(collectCalls);
  };
  expressions.forEach(collectCalls);
  // Where nothing is asked of a group it is there all the same.
  if (groups.size === 0 && calls.size === 0) calls.set('', { ...call('count', []), star: true });
  const groupings = new Map<string, Call>();
  const collectGroupings = (e: Expr): void => {
    if (e.k === 'call' && e.name === 'grouping') groupings.set(textOf(e), e);
    partsOf(e).forEach(collectGroupings);
  };
  expressions.forEach(collectGroupings);

  const keys = materialized(from, [...groups.values()]);
  const names = [...groups.keys()];
  let { rel } = keys;
  for (const { session } of keys.ids.map((id) => rel.scope.byId(id)))
    if (session?.keys)
      sameKeys(
        session.keys,
        keys.ids.filter((id) => !rel.scope.byId(id).session),
      );
  // A column that is grouped by keeps its name: what comes after may speak of it.
  const columns = keys.ids.map((id): SqlColumn => ({ ...rel.scope.byId(id), id: fresh(), outer: false }));
  rel = {
    ...picked(rel, [
      ...rel.scope.columns.map((column): [string, SqlColumn] => [column.id, column]),
      ...keys.ids.map((id, place): [string, SqlColumn] => [id, columns[place]!]),
    ]),
  };
  // Expressions still name the columns of the input: the copies are named by their ids only.
  const input: Rel = {
    rows: rel.rows,
    scope: new Scope([
      ...rel.scope.columns.slice(0, -columns.length || undefined),
      ...columns.map((column) => ({ ...column, made: true })),
    ]),
  };
  const made = [...calls.values()].map((one) => aggregateOf(one, input));
  const ready = extended(
    input,
    made.flatMap(({ before }) => before),
  );

  const parts = sets.map((set) => {
    const here = set.map((e) => names.indexOf(textOf(e)));
    const present = new Set(here);
    const one = groupsOf(
      ready,
      columns.filter((_, place) => present.has(place)),
      made,
      catalog,
      base,
    );
    const missing = columns.filter((_, place) => !present.has(place));
    const marks = [...groupings.values()].map((call) => ({
      column: columnOf('', 'int', { made: true }),
      of: () =>
        call.args.reduce((bits, arg) => bits * 2 + (present.has(names.indexOf(textOf(arg))) ? 0 : 1), 0),
    }));
    const wide = extended(one.rel, [...missing.map((column) => ({ column, of: () => null })), ...marks]);
    return picked(
      wide,
      [...wide.scope.outer, ...columns, ...one.results, ...marks.map(({ column }) => column)].map(
        (column) => [column.id, column],
      ),
    );
  });
  const [first, ...others] = parts as [Rel, ...Rel[]];
  const all =
    others.length === 0
      ? first
      : { ...first, rows: first.rows.union(...others.map((other) => united(first, other).rows)) };
  const outer = all.scope.outer.length;
  const results = all.scope.columns.slice(outer + columns.length);
  const known = new Map<string, string>();
  names.forEach((name, place) => known.set(name, columns[place]!.id));
  [...calls.keys()].forEach((name, place) => known.set(name, results[place]!.id));
  [...groupings.keys()].forEach((name, place) => known.set(name, results[calls.size + place]!.id));
  return {
    rel: {
      ...all,
      scope: new Scope(
        all.scope.columns.map(({ session: _, ...column }, place) =>
          place >= outer + columns.length ? { ...column, made: true } : column,
        ),
      ),
    },
    rewrite: (e) =>
      exchanged(e, (part) => {
        const id = part.k === 'literal' ? undefined : known.get(safely(part, textOf));
        return id === undefined ? null : { k: 'known', id };
      }),
  };
}

/** Sessions of other groups than those that are asked for would be other sessions. */
function sameKeys(told: readonly string[], grouped: readonly string[]): void {
  if (told.length !== grouped.length || told.some((id) => !grouped.includes(id)))
    unsupported('SQL: sessions of other groups than are grouped by');
}

/** A part that names what only the query within it knows has no text here. */
function safely(e: Expr, textOf: (e: Expr) => string): string {
  try {
    return textOf(e);
  } catch {
    return '';
  }
}

function groupsOf(
  rel: Rel,
  by: readonly SqlColumn[],
  made: readonly MadeAggregate[],
  catalog: Catalog,
  base: Rel | null,
): { rel: Rel; results: SqlColumn[] } {
  const { outer } = rel.scope;
  const results = made.map(({ column }) => ({ ...column, id: fresh() }));
  if (by.length > 0 && made.length === 0 && by.every((column) => column.session === undefined))
    return {
      rel: distinct(
        picked(
          rel,
          [...outer, ...by].map((column) => [column.id, column]),
        ),
      ),
      results,
    };
  const aggregates = Object.fromEntries(made.map(({ raw, request }) => [raw, request()]));
  if (made.length === 0) aggregates[fresh()] = offered('count')();
  // What cannot be grouped by is grouped by its text.
  const lists = [...outer, ...by].filter(({ type }) => isStructured(type));
  const texts =
    lists.length === 0
      ? rel
      : inTexts(
          rel,
          lists.map(({ id }) => id),
        );
  let groups: Rel = {
    rows: groupsIn(texts.rows, [...outer, ...by], aggregates),
    scope: new Scope([
      ...outer,
      ...by,
      ...made.map(({ raw, rawType }) => columnOf('', rawType, { id: raw, made: true })),
    ]),
  };
  if (lists.length > 0) groups = outOfTexts(groups, lists);
  // Without GROUP BY there is a row also where there are none to aggregate.
  if (by.length === 0) {
    const around = base ?? catalog.one;
    const copies = new Map(outer.map(({ id }) => [id, fresh()]));
    const renamed = picked(
      groups,
      groups.scope.columns.map((column) => [
        column.id,
        { ...column, id: copies.get(column.id) ?? column.id, outer: false, made: true },
      ]),
    );
    groups = attached(
      'left',
      around,
      renamed,
      base === null ? [] : outer.map(({ id }) => [id, copies.get(id)!]),
    );
  }
  return {
    rel: extended(
      groups,
      made.map(({ raw, result }, place) => ({
        column: results[place]!,
        of: (row: any) => result(row[raw] ?? null),
      })),
    ),
    results,
  };
}
