import { unsupported } from '../unsupported.js';
import type { Expr, Query, Select } from './ast.js';
import type { Catalog } from './catalog.js';
import { compile } from './expressions.js';
import { splitOn } from './equality.js';
import { beside, fromOf } from './from.js';
import { relationOf } from './query.js';
import {
  applied,
  columnOf,
  distinct,
  extended,
  filtered,
  joined,
  keyed,
  materialized,
  offered,
  picked,
  type Rel,
} from './relation.js';
import { Scope, type SqlColumn } from './scope.js';
import {
  columnsIn,
  columnsInFrom,
  columnsInQuery,
  conjunction,
  conjuncts,
  exchanged,
  isAggregate,
  isQuery,
  isWindow,
  some,
} from './walk.js';

type Test = Extract<Expr, { k: 'exists' | 'inQuery' }>;
const isTest = (e: Expr): e is Test => e.k === 'exists' || e.k === 'inQuery';

/** The rows for which a condition holds that asks a query. */
export function filteredByQuery(rel: Rel, condition: Expr, catalog: Catalog): Rel {
  let test: Expr = condition;
  let not = false;
  while (test.k === 'unary' && test.op === 'not') {
    test = test.e;
    not = !not;
  }
  if (isTest(test)) return tested(rel, { ...test, not: test.not !== not }, catalog);
  const found = withoutQueries(rel, [condition], catalog);
  return filtered(found.rel, found.rewrite(condition));
}

/** EXISTS and IN as semijoins, NOT EXISTS and NOT IN as antijoins. */
function tested(rel: Rel, test: Test, catalog: Catalog): Rel {
  return direct(rel, test, catalog) ?? answered(rel, test, catalog);
}

/** A query of plain rows: its conditions on the rows around it are the conditions of the join. */
function direct(rel: Rel, test: Test, catalog: Catalog): Rel | null {
  const { query } = test;
  const { body } = query;
  if (body.k !== 'select' || !isPlain(query, body)) return null;
  if (
    body.from.some((from) =>
      columnsInFrom(from).some(({ table, name }) => rel.scope.find(table, name) !== null),
    )
  )
    return null;
  const { rel: inner, rest } = fromOf(body.from, conjuncts(body.where), catalog, null);
  let other = inner;
  const around: Expr[] = [];
  for (const condition of rest) {
    if (!some(condition, isQuery)) around.push(condition);
    else if (
      columnsInQuery({ ...query, body: { ...body, where: condition } }).every(
        ({ table, name }) => inner.scope.find(table, name) !== null,
      )
    )
      other = filteredByQuery(other, condition, catalog);
    else return null;
  }
  const { rel: left, values } = valuesOf(rel, test);
  let items: string[] = [];
  if (values.length > 0) {
    const given = body.items.flatMap(({ e }): Expr[] =>
      e.k === 'star' ? other.scope.star(e.table).map(({ id }) => ({ k: 'known', id })) : [e],
    );
    if (given.some((e) => columnsIn(e).some(({ table, name }) => other.scope.find(table, name) === null)))
      return null;
    ({ rel: other, ids: items } = materialized(other, given.slice(0, values.length)));
  }
  return paired(left, other, around, test, values, items, []);
}

const isPlain = (query: Query, { groups, distinctOn, having, items }: Select): boolean =>
  query.ctes.length === 0 &&
  query.limit === null &&
  query.offset === null &&
  groups === null &&
  having === null &&
  distinctOn.length === 0 &&
  !items.some(({ e }) => some(e, (part) => isAggregate(part) || isWindow(part) || isQuery(part)));

/** Any query: answered for each combination of the values around it. */
function answered(rel: Rel, test: Test, catalog: Catalog): Rel {
  const { rel: left, values } = valuesOf(rel, test);
  const { answered: other, pairs } = beside('inner', left, columnsInQuery(test.query), (base) =>
    relationOf(test.query, catalog, base),
  );
  const items = other.scope.own.slice(0, values.length).map(({ id }) => id);
  const l = keyed(
    left,
    pairs.map(([id]) => id),
  );
  const r = keyed(
    other,
    pairs.map(([, id]) => id),
  );
  return paired(l.rel, r.rel, [], test, values, items, [[l.key, r.key]]);
}

/** What is looked for, as columns: one, or those of a row. */
function valuesOf(rel: Rel, test: Test): { rel: Rel; values: string[] } {
  if (test.k === 'exists') return { rel, values: [] };
  const found = materialized(rel, test.e.k === 'row' ? test.e.items : [test.e]);
  return { rel: found.rel, values: found.ids };
}

/** What is said of the values and one row of the query. */
function comparison(test: Test, values: readonly string[], items: readonly string[]): Expr {
  const op = test.k === 'exists' ? '=' : test.op;
  if (items.length !== values.length) unsupported('SQL: rows of different lengths');
  const sides = (ids: readonly string[]): Expr[] => ids.map((id) => ({ k: 'known', id }));
  const [l, r] = [sides(values), sides(items)];
  if (l.length === 1) return { k: 'binary', op, l: l[0]!, r: r[0]! };
  if (op !== '=') return { k: 'binary', op, l: { k: 'row', items: l }, r: { k: 'row', items: r } };
  return conjunction(l.map((one, place) => ({ k: 'binary', op, l: one, r: r[place]! })))!;
}

function paired(
  left: Rel,
  right: Rel,
  conditions: readonly Expr[],
  test: Test,
  values: readonly string[],
  items: readonly string[],
  keys: readonly [string, string][],
): Rel {
  // Inside the query a name means its own column before one around it.
  const inner: Rel = right;
  const outer: Rel = {
    ...left,
    scope: new Scope(left.scope.columns.map((column) => ({ ...column, outer: true }))),
  };
  const split = splitOn(conditions, outer, inner);
  let pairs: [string, string][] = [...keys, ...split.pairs];
  const residual: Expr[] = [...split.rest];
  if (values.length > 0) {
    const said = comparison(test, values, items);
    const equal = test.k === 'inQuery' && test.op === '=';
    // It is not so where all comparisons are false: null is not.
    if (test.not) residual.push({ k: 'unary', op: 'not', e: { k: 'is', e: said, value: false, not: false } });
    else if (equal) pairs = [...pairs, ...values.map((id, place): [string, string] => [id, items[place]!])];
    else residual.push(said);
  }
  let [l, r] = [split.left, split.right];
  if (pairs.length === 0) {
    const [a, b] = [keyed(l, []), keyed(r, [])];
    [l, r] = [a.rel, b.rel];
    pairs = [[a.key, b.key]];
  }
  const how: Record<string, unknown> = { on: Object.fromEntries(pairs) };
  const condition = conjunction(residual);
  if (condition !== null) {
    const { of } = compile(condition, new Scope([...r.scope.columns, ...l.scope.columns]));
    how.where = (row: any, other: any) => of({ ...row, ...other }) === true;
  }
  return {
    rows: applied(l.rows, test.not ? 'antiJoin' : 'semiJoin', r.rows, how),
    scope: new Scope(
      l.scope.columns.map((column) => ({
        ...column,
        outer: left.scope.columns.find(({ id }) => id === column.id)?.outer ?? false,
      })),
    ),
  };
}

/** Columns for the queries in some expressions, and the expressions with those columns in their place. */
export function withoutQueries(
  of: Rel,
  expressions: readonly Expr[],
  catalog: Catalog,
): { rel: Rel; rewrite: (e: Expr) => Expr } {
  let rel = of;
  const found = new Map<string, Expr>();
  const visit = (e: Expr): void => {
    if (!isQuery(e)) return;
    const text = JSON.stringify(e);
    if (found.has(text)) return;
    const made = e.k === 'scalar' ? scalar(rel, e.query, catalog) : marked(rel, e as Test, catalog);
    rel = made.rel;
    found.set(text, made.e);
  };
  for (const e of expressions)
    exchanged(e, (part) => {
      visit(part);
      return isQuery(part) ? part : null;
    });
  return { rel, rewrite: (e) => exchanged(e, (part) => found.get(JSON.stringify(part)) ?? null) };
}

function scalar(rel: Rel, query: Query, catalog: Catalog): { rel: Rel; e: Expr } {
  const { rel: wider, own } = beside('left', rel, columnsInQuery(query), (base) =>
    relationOf(query, catalog, base),
  );
  const made = new Set(own.map(({ id }) => id));
  return {
    rel: {
      ...wider,
      scope: new Scope(
        wider.scope.columns.map((column) => (made.has(column.id) ? { ...column, made: true } : column)),
      ),
    },
    e: { k: 'known', id: own[0]!.id },
  };
}

/** Whether a query gives a row, or one of which something is said, as a column: true, false, or null where it may be so. */
function marked(of: Rel, test: Test, catalog: Catalog): { rel: Rel; e: Expr } {
  const { rel, values } = valuesOf(of, test);
  const { answered: other, pairs } = beside('inner', rel, columnsInQuery(test.query), (base) =>
    relationOf(test.query, catalog, base),
  );
  const items = other.scope.own.slice(0, values.length).map(({ id }) => id);
  // Each combination of what is asked for, once, with the rows that answer it.
  const asked = [...new Set([...pairs.map(([id]) => id), ...values])];
  const copies = new Map(
    asked.map((id): [string, SqlColumn] => [id, columnOf('', rel.scope.byId(id).type, { made: true })]),
  );
  const own = keyed(rel, asked);
  const key = columnOf('', 'text', { made: true });
  const combinations = distinct(picked(own.rel, [...copies, [own.key, key]]));
  const outer = keyed(
    combinations,
    pairs.map(([id]) => copies.get(id)!.id),
  );
  const inner = keyed(
    other,
    pairs.map(([, id]) => id),
  );
  const said: Expr =
    values.length === 0
      ? { k: 'literal', value: true, type: 'bool' }
      : comparison(
          test,
          values.map((id) => copies.get(id)!.id),
          items,
        );
  const maybe: Expr = { k: 'unary', op: 'not', e: { k: 'is', e: said, value: false, not: false } };
  const matches = joined('inner', outer.rel, inner.rel, [[outer.key, inner.key]], maybe);
  const [truth, found] = [columnOf('', 'bool', { made: true }), columnOf('', 'int', { made: true })];
  const known = extended(matches, [{ column: truth, of: compile(said, matches.scope).of }]);
  const once: Rel = {
    rows: known.rows
      .groupBy(key.id)
      .aggregate({ [found.id]: offered('count')(), [truth.id]: offered('some')(truth.id) }),
    scope: new Scope([key, found, truth]),
  };
  const wide = joined('left', own.rel, once, [[own.key, key.id]]);
  const answer = columnOf('', 'bool', { made: true });
  return {
    rel: extended(wide, [
      {
        column: answer,
        of: (row) => ((row[found.id] ?? null) === null ? false : row[truth.id] === true ? true : null),
      },
    ]),
    e: test.not ? { k: 'unary', op: 'not', e: { k: 'known', id: answer.id } } : { k: 'known', id: answer.id },
  };
}
