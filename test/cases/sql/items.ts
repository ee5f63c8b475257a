import { unsupported } from '../unsupported.js';
import type { Expr, Item, OrderItem } from './ast.js';
import { compile } from './expressions.js';
import type { SortColumn } from './limit.js';
import { columnOf, extended, materialized, picked, type Rel } from './relation.js';
import type { Scope, SqlColumn } from './scope.js';
import { partsOf } from './walk.js';

/** The items of a SELECT: what they are, what else means them, and the columns they become. */

/** The items with stars replaced by what they stand for. */
export function itemsOf(items: readonly Item[], scope: Scope): Item[] {
  return items.flatMap((item): Item[] => {
    if (item.e.k !== 'star') return [item];
    const left = (item.e.except ?? []).map((e) => (e.k === 'column' ? scope.column(e.table, e.name).id : ''));
    const columns = scope.star(item.e.table).filter(({ id }) => !left.includes(id));
    if (columns.length === 0) unsupported('SQL: a star without columns');
    const { replaced } = item.e;
    return columns.map(({ id, name }) => ({ e: replaced?.get(name) ?? { k: 'known', id }, as: name, name }));
  });
}

/** What ORDER BY and DISTINCT ON mean: the place or the name of an item, or else an expression of the input. */
export function meantBy(e: Expr, items: readonly Item[], scope: Scope): Expr {
  if (e.k === 'literal' && typeof e.value === 'number')
    return items[e.value - 1]?.e ?? unsupported('SQL: ORDER BY place');
  if (e.k === 'column' && e.table === null) {
    const named = items.find(({ name }) => name === e.name);
    if (named && (named.as !== null || scope.find(null, e.name) === null)) return named.e;
  }
  return e;
}

/** What GROUP BY means: the place of an item, a column of the input, or the name of an item. */
export function groupMeantBy(e: Expr, items: readonly Item[], scope: Scope): Expr {
  if (e.k === 'literal' && typeof e.value === 'number')
    return items[e.value - 1]?.e ?? unsupported('SQL: GROUP BY place');
  if (e.k === 'column' && e.table === null && scope.find(null, e.name) === null)
    return items.find((item) => item.as === e.name)?.e ?? e;
  return e;
}

const columnsOf = (e: Expr, scope: Scope): SqlColumn[] =>
  e.k === 'known'
    ? [scope.byId(e.id)]
    : e.k === 'column'
      ? [scope.column(e.table, e.name)]
      : partsOf(e).flatMap((part) => columnsOf(part, scope));

/** The items as columns, and beside them what is sorted by and what DISTINCT ON compares. */
export function projected(
  rel: Rel,
  items: readonly Item[],
  order: readonly OrderItem[],
  keys: readonly string[],
): { rel: Rel; sort: SortColumn[]; keys: string[] } {
  const sorts = materialized(
    rel,
    order.map(({ e }) => e),
  );
  const more: { column: SqlColumn; of: (row: any) => any }[] = [];
  const plain: [string, SqlColumn][] = [];
  for (const item of items) {
    const { type, of } = compile(item.e, sorts.rel.scope);
    if (columnsOf(item.e, sorts.rel.scope).some(({ session }) => session !== undefined))
      unsupported('SQL: sessions without groups');
    const column = columnOf(item.name, type === 'unknown' ? 'text' : type, { untyped: type === 'unknown' });
    if (item.e.k === 'known') plain.push([item.e.id, column]);
    else if (item.e.k === 'column')
      plain.push([sorts.rel.scope.column(item.e.table, item.e.name).id, column]);
    else {
      more.push({ column, of });
      plain.push([column.id, column]);
    }
  }
  const wide = extended(sorts.rel, more);
  const beside = [...new Set([...sorts.ids, ...keys])].map((id): [string, SqlColumn] => [
    id,
    columnOf('', wide.scope.byId(id).type, { made: true }),
  ]);
  const besideId = new Map(beside.map(([from, to]) => [from, to.id]));
  return {
    rel: picked(wide, [
      ...wide.scope.outer.map((column): [string, SqlColumn] => [column.id, column]),
      ...plain,
      ...beside,
    ]),
    sort: order.map(({ descending, nullsFirst }, place) => ({
      id: besideId.get(sorts.ids[place]!)!,
      descending,
      nullsFirst,
    })),
    keys: keys.map((id) => besideId.get(id)!),
  };
}
