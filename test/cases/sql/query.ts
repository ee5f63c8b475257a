import { unsupported } from '../unsupported.js';
import type { Body, Expr, OrderItem, Query, Select } from './ast.js';
import type { Catalog } from './catalog.js';
import { compile } from './expressions.js';
import { withSets } from './elements.js';
import { fromOf } from './from.js';
import { groupWindows } from './group-windows.js';
import { grouped } from './grouping.js';
import { groupMeantBy, itemsOf, meantBy, projected } from './items.js';
import { limited, type SortColumn } from './limit.js';
import {
  applied,
  columnOf,
  distinct,
  expanded,
  filtered,
  joined,
  materialized,
  picked,
  type Rel,
  united,
} from './relation.js';
import { Scope } from './scope.js';
import { commonType } from './scalar-functions.js';
import { inSums } from './moments.js';
import { filteredByQuery, withoutQueries } from './subqueries.js';
import { answeredByTime, asksNow, comparesNow, inComparisons, whileTrue } from './temporal.js';
import { isNumber, isTime } from './types.js';
import { conjuncts, isAggregate, isQuery, isWindow, some } from './walk.js';
import { windowed } from './windows.js';

/**
 * The relation that a query is. Where it belongs to another query, `base` has the values of the columns around it that it
 * may speak of, each combination once: they come along with every row, and the query is answered for each of them.
 */
export function relationOf(query: Query, around: Catalog, base: Rel | null): Rel {
  let catalog = around;
  for (const { name, columns, query: cte } of query.ctes) {
    const known = catalog;
    catalog = catalog.inside();
    catalog.add(name, () => titled(relationOf(cte, known, null), columns));
  }
  const { body } = query;
  if (body.k === 'select') return selectOf(body, query, catalog, base);
  const rel = bodyOf(body, catalog, base);
  return limited(rel, query, sortedBy(rel, query.order));
}

/** The same columns under other names, as many as are given. */
export const titled = (rel: Rel, names: readonly string[]): Rel => {
  let place = 0;
  return {
    ...rel,
    scope: new Scope(
      rel.scope.columns.map((column) =>
        column.outer || column.made ? column : { ...column, name: names[place++] ?? column.name },
      ),
    ),
  };
};

function bodyOf(body: Body, catalog: Catalog, base: Rel | null): Rel {
  switch (body.k) {
    case 'nested':
      return relationOf(body.query, catalog, base);
    case 'select':
      return selectOf(body, NO_ORDER, catalog, base);
    case 'values':
      return valuesOf(body.rows, catalog, base);
    case 'set': {
      const all = [body.l, body.r].map((side) => onlyOwn(bodyOf(side, catalog, base)));
      const sides = body.by === null ? all : corresponding(all, body.by);
      const left = typedAs(sides[0]!, sides[1]!);
      const right = united(left, typedAs(sides[1]!, left));
      if (body.op === 'union') {
        const both = { ...left, rows: left.rows.union(right.rows) };
        return body.all ? both : distinct(both);
      }
      return { ...left, rows: applied(left.rows, body.op, right.rows, { all: body.all }) };
    }
  }
}

/** CORRESPONDING: of both sides the columns of these names, or of the names that both have. */
function corresponding(sides: readonly Rel[], by: readonly string[]): Rel[] {
  const [left, right] = sides as [Rel, Rel];
  const names =
    by.length > 0
      ? by
      : left.scope.own.map(({ name }) => name).filter((name) => right.scope.find(null, name) !== null);
  return sides.map((side) =>
    picked(
      side,
      [...side.scope.outer, ...names.map((name) => side.scope.column(null, name))].map((column) => [
        column.id,
        column,
      ]),
    ),
  );
}

/** The columns of one side with the types that those of the other give them. */
function typedAs(rel: Rel, other: Rel): Rel {
  const types = rel.scope.columns.map((column, place) => {
    const beside = other.scope.columns[place];
    if (beside === undefined || column.outer) return column.type;
    if (column.untyped && !beside.untyped) return beside.type;
    const both = [column.type, beside.type];
    if (both.every(isNumber)) return column.type === beside.type ? column.type : commonType(both);
    return both.every(isTime) ? commonType(both) : column.type;
  });
  if (rel.scope.columns.every(({ type }, place) => type === types[place])) return rel;
  const made = materialized(
    rel,
    rel.scope.columns.map(({ id, type }, place): Expr => {
      const known: Expr = { k: 'known', id };
      return type === types[place] ? known : { k: 'cast', e: known, type: types[place]! };
    }),
  );
  return picked(
    made.rel,
    rel.scope.columns.map((column, place) => [
      made.ids[place]!,
      { ...column, id: made.ids[place]!, type: types[place]!, untyped: false },
    ]),
  );
}

const NO_ORDER = { order: [], limit: null, offset: null, ties: false };

/** The columns around it and those of the query, nothing that was made beside them. */
export const onlyOwn = (rel: Rel): Rel => {
  const columns = [...rel.scope.outer, ...rel.scope.own];
  return picked(
    rel,
    columns.map((column) => [column.id, column]),
  );
};

function valuesOf(rows: readonly (readonly Expr[])[], catalog: Catalog, base: Rel | null): Rel {
  const rel = base ?? catalog.one;
  const compiled = rows.map((row) => row.map((e) => compile(e, rel.scope)));
  const columns = compiled[0]!.map((_, place) =>
    columnOf(`column${place + 1}`, commonType(compiled.map((row) => row[place]!.type))),
  );
  return onlyOwn(
    expanded(rel, columns, (row) =>
      compiled.map((cells) =>
        Object.fromEntries(columns.map(({ id }, place) => [id, cells[place]!.of(row)])),
      ),
    ),
  );
}

function selectOf(
  select: Select,
  query: Omit<Query, 'ctes' | 'body'>,
  catalog: Catalog,
  base: Rel | null,
): Rel {
  const { rel: from, rest } = fromOf(select.from, conjuncts(select.where), catalog, base);
  let rel = from;
  const conditions = rest.flatMap((condition) => conjuncts(inComparisons(condition)));
  for (const condition of conditions.filter((one) => !asksNow(one)))
    rel = some(condition, isQuery) ? filteredByQuery(rel, condition, catalog) : filtered(rel, condition);
  const temporal = conditions.filter(asksNow);
  const atTime = [...select.items.map(({ e }) => e), ...conjuncts(select.having)].filter(asksNow);
  if (temporal.length + atTime.length > 0) rel = joined('inner', rel, catalog.clock, []);
  const simple = temporal.filter(comparesNow);
  if (simple.length > 0) rel = whileTrue(rel, simple);
  const others = temporal.filter((one) => !comparesNow(one));
  const answered = answeredByTime(rel, [...others, ...atTime]);
  rel = answered.rel;
  for (const condition of others) rel = filtered(rel, answered.rewrite(condition));

  let items = itemsOf(select.items, rel.scope).map((item) => ({
    ...item,
    e: inSums(answered.rewrite(item.e)),
  }));
  let having = conjuncts(select.having).map((e) => inSums(answered.rewrite(e)));
  let order = query.order.map((item) => ({ ...item, e: inSums(meantBy(item.e, items, rel.scope)) }));
  const all = (): Expr[] => [...items.map(({ e }) => e), ...having, ...order.map(({ e }) => e)];
  const rewrite = (to: (e: Expr) => Expr): void => {
    items = items.map((item) => ({ ...item, e: to(item.e) }));
    having = having.map(to);
    order = order.map((item) => ({ ...item, e: to(item.e) }));
  };

  if (select.groups !== null || having.length > 0 || all().some((e) => some(e, isAggregate))) {
    let sets = (select.groups ?? [[]]).map((set) => set.map((e) => groupMeantBy(e, items, rel.scope)));
    const asked = sets.flat().filter((e) => some(e, isQuery));
    if (asked.length > 0) {
      const found = withoutQueries(rel, asked, catalog);
      rel = found.rel;
      sets = sets.map((set) => set.map(found.rewrite));
      rewrite(found.rewrite);
    }
    const windows = groupWindows(rel, sets);
    if (windows !== null) {
      ({ rel, sets } = windows);
      rewrite(windows.rewrite);
    }
    const groups = grouped(rel, sets, all(), catalog, base);
    rel = groups.rel;
    rewrite(groups.rewrite);
  }
  for (const condition of having)
    rel = some(condition, isQuery) ? filteredByQuery(rel, condition, catalog) : filtered(rel, condition);
  having = [];
  if (all().some((e) => some(e, isQuery))) {
    const found = withoutQueries(rel, all(), catalog);
    rel = found.rel;
    rewrite(found.rewrite);
  }
  if (all().some((e) => some(e, isWindow))) {
    const found = windowed(rel, all());
    rel = found.rel;
    rewrite(found.rewrite);
  }
  const made = withSets(rel, items);
  rel = made.rel;
  items = made.items;

  const keys = materialized(
    rel,
    select.distinctOn.map((e) => meantBy(e, items, rel.scope)),
  );
  rel = keys.rel;
  const out = projected(rel, items, order, keys.ids);
  if (select.distinctOn.length > 0) {
    const first = limited(
      out.rel,
      { ...NO_ORDER, limit: { k: 'literal', value: 1, type: 'int' } },
      out.sort,
      out.keys,
    );
    return onlyOwn(limited(first, query, out.sort));
  }
  if (!select.distinct) return onlyOwn(limited(out.rel, query, out.sort));
  const once = distinct(onlyOwn(out.rel));
  return limited(once, query, query.limit === null ? [] : sortedBy(once, query.order));
}

/** ORDER BY over what a set operation or DISTINCT gives: its columns only. */
function sortedBy(rel: Rel, order: readonly OrderItem[]): SortColumn[] {
  return order.map(({ e, descending, nullsFirst }) => {
    const column =
      e.k === 'literal'
        ? rel.scope.own[Number(e.value) - 1]
        : e.k === 'column'
          ? rel.scope.find(null, e.name)
          : null;
    if (!column) return unsupported('SQL: ORDER BY an expression here');
    return { id: column.id, descending, nullsFirst };
  });
}
