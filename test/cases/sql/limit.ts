import type { Query } from './ast.js';
import { compile } from './expressions.js';
import { applied, columnOf, extended, isStructured, offered, type Rel } from './relation.js';
import { Scope, type SqlColumn } from './scope.js';

/** A column that rows are ordered by. */
export interface SortColumn {
  readonly id: string;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** The first rows in an order, of each combination of the columns around the query and of `per`. */
export function limited(
  rel: Rel,
  { limit, offset, ties }: Pick<Query, 'limit' | 'offset' | 'ties'>,
  sort: readonly SortColumn[],
  per: readonly string[] = [],
): Rel {
  if (limit === null && offset === null) return rel;
  const nothing = new Scope([]);
  const count = limit === null ? null : compile(limit, nothing).of({});
  const skipped = offset === null ? 0 : Number(compile(offset, nothing).of({}));
  const { rel: sortable, order } = ordered(rel, sort);
  const groups = [...rel.scope.outer.map(({ id }) => id), ...per];
  if (ties && skipped === 0) {
    const rank = columnOf('', 'int', { made: true });
    const ranked = ranks(sortable, groups, order, rank);
    return { ...ranked, rows: ranked.rows.where((row: any) => row[rank.id] <= Number(count)) };
  }
  if (count === null) {
    const place = columnOf('', 'int', { made: true });
    const placed = ranks(sortable, groups, order, place, 'rowNumber');
    return { ...placed, rows: placed.rows.where((row: any) => row[place.id] > skipped) };
  }
  const rows = applied(sortable.rows, 'top', Number(count), {
    ...(groups.length > 0 && { per: groups }),
    order,
    ...(skipped > 0 && { offset: skipped }),
  });
  return { rows, scope: sortable.scope };
}

/** The words of the product's order for columns of SQL's: nulls where SQL wants them. */
export function ordered(rel: Rel, sort: readonly SortColumn[]): { rel: Rel; order: string[] } {
  const more: { column: SqlColumn; of: (row: any) => any }[] = [];
  const order: string[] = [];
  const word = (id: string, descending: boolean): string => (descending ? `${id}.desc` : id);
  for (const { id, descending, nullsFirst } of sort) {
    if (nullsFirst !== descending) {
      const column = columnOf('', 'int', { made: true });
      more.push({ column, of: (row) => ((row[id] === null) === nullsFirst ? 0 : 1) });
      order.push(column.id);
    }
    const { type } = rel.scope.byId(id);
    if (!isStructured(type)) order.push(word(id, descending));
    else {
      const column = columnOf('', 'text', { made: true });
      more.push({ column, of: (row) => (row[id] === null ? null : JSON.stringify(row[id])) });
      order.push(word(column.id, descending));
    }
  }
  if (order.length === 0) {
    // Any rows will do: those that come first as texts.
    const column = columnOf('', 'text', { made: true });
    more.push({ column, of: (row) => JSON.stringify(row) });
    order.push(column.id);
  }
  return { rel: extended(rel, more), order };
}

/** Each row with its rank, or its place. */
function ranks(
  rel: Rel,
  per: readonly string[],
  order: readonly string[],
  rank: SqlColumn,
  by: 'rank' | 'rowNumber' = 'rank',
): Rel {
  const rows = applied(
    rel.rows,
    'over',
    { ...(per.length > 0 && { per }), order },
    { [rank.id]: offered(by)() },
  );
  return { rows, scope: new Scope([...rel.scope.columns, rank]) };
}
