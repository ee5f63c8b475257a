import { unsupported } from '../unsupported.js';
import type { Expr, Query, Select } from './ast.js';
import type { Catalog } from './catalog.js';
import { compile } from './expressions.js';
import { splitOn } from './equality.js';
import { beside, fromOf } from './from.js';
import { relationOf } from './query.js';
import {
  applied,
  attached,
  columnOf,
  distinct,
  extended,
  filtered,
  keyed,
  materialized,
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
  const { rel: left, value } = valueOf(rel, test);
  let item: string | null = null;
  if (value !== null) {
    const [only] = body.items;
    const e: Expr = only!.e.k === 'star' ? { k: 'known', id: other.scope.own[0]!.id } : only!.e;
    if (columnsIn(e).some(({ table, name }) => other.scope.find(table, name) === null)) return null;
    const found = materialized(other, [e]);
    other = found.rel;
    item = found.ids[0]!;
  }
  return paired(left, other, around, test, value, item, []);
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
  const { rel: left, value } = valueOf(rel, test);
  const { answered: other, pairs } = beside('inner', left, columnsInQuery(test.query), (base) =>
    relationOf(test.query, catalog, base),
  );
  const item = value === null ? null : other.scope.own[0]!.id;
  const l = keyed(
    left,
    pairs.map(([id]) => id),
  );
  const r = keyed(
    other,
    pairs.map(([, id]) => id),
  );
  return paired(l.rel, r.rel, [], test, value, item, [[l.key, r.key]]);
}

/** What IN looks for, as a column. */
function valueOf(rel: Rel, test: Test): { rel: Rel; value: string | null } {
  if (test.k === 'exists') return { rel, value: null };
  if (test.e.k === 'row') unsupported('SQL: IN of rows');
  const found = materialized(rel, [test.e]);
  return { rel: found.rel, value: found.ids[0]! };
}

function paired(
  left: Rel,
  right: Rel,
  conditions: readonly Expr[],
  test: Test,
  value: string | null,
  item: string | null,
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
  if (value !== null && item !== null) {
    if (!test.not) pairs = [...pairs, [value, item]];
    // NOT IN holds where nothing is equal, or may be: null may.
    else
      residual.push({
        k: 'unary',
        op: 'not',
        e: {
          k: 'is',
          e: { k: 'binary', op: '=', l: { k: 'known', id: value }, r: { k: 'known', id: item } },
          value: false,
          not: false,
        },
      });
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

/** Whether a query gives a row, or a row of this value, as a column. */
function marked(of: Rel, test: Test, catalog: Catalog): { rel: Rel; e: Expr } {
  const { rel, value } = valueOf(of, test);
  if (value !== null && test.not) unsupported('SQL: NOT IN within an expression');
  const { answered: other, pairs } = beside('inner', rel, columnsInQuery(test.query), (base) =>
    relationOf(test.query, catalog, base),
  );
  const item = value === null ? [] : [other.scope.own[0]!];
  const mark = columnOf('', 'bool', { made: true });
  const keys: SqlColumn[] = [...other.scope.outer, ...item].map((column) => ({
    ...column,
    outer: false,
    made: true,
  }));
  // Null is equal to nothing.
  const some = item.reduce(
    (all, { id }) => filtered(all, { k: 'is', e: { k: 'known', id }, value: null, not: true }),
    other,
  );
  const once = distinct(
    picked(
      some,
      keys.map((column) => [column.id, column]),
    ),
  );
  const withMark = extended(once, [{ column: mark, of: () => true }]);
  const on: [string, string][] = [...pairs, ...item.map(({ id }): [string, string] => [value!, id])];
  return {
    rel: attached('left', rel, withMark, on),
    e: { k: 'is', e: { k: 'known', id: mark.id }, value: true, not: test.not },
  };
}
