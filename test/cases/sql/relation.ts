import * as product from 'stillwater';
import { computed, instant } from 'stillwater';
import { z } from 'zod';
import { unsupported } from '../unsupported.js';
import type { Expr } from './ast.js';
import type { Compiled } from './compiled.js';
import { compile } from './expressions.js';
import { fresh, Scope, type SqlColumn } from './scope.js';
import { baseOf, isList, isNumber } from './types.js';
import { columnsIn } from './walk.js';

/** A collection of the product, and what SQL calls its columns. */
export interface Rel {
  /** A `Collection`: columns are only known at run time here, so the compiler cannot follow. */
  readonly rows: any;
  readonly scope: Scope;
}

/** What the product exports under a name, or the word that it does not. */
export function offered(name: string): any {
  return (product as Record<string, unknown>)[name] ?? unsupported(`the product has no ${name}()`);
}

/** Calls a method of a collection, or says that there is none. */
export function applied(rows: any, method: string, ...args: unknown[]): any {
  if (typeof rows[method] !== 'function') unsupported(`the product has no .${method}()`);
  return rows[method](...args);
}

export const columnOf = (name: string, type: string, more: Partial<SqlColumn> = {}): SqlColumn => ({
  id: fresh(),
  name,
  table: null,
  type,
  outer: false,
  ...more,
});

/** What a column of a type holds, as the product is told. Null is in all of them: SQL's types do not say. */
export function schemaOf(type: string): z.ZodType {
  const base = baseOf(type);
  if (isNumber(type) || type === 'interval') return z.number().nullable();
  if (base === 'bool') return z.boolean().nullable();
  if (base === 'timestamp' || base === 'timestamptz') return instant().nullable();
  if (isStructured(type)) return z.unknown().nullable();
  return z.string().nullable();
}

export const isStructured = (type: string): boolean => isList(type) || type === 'json' || type === 'row';

/** Further columns, computed from the rows. */
export function extended(rel: Rel, more: readonly { column: SqlColumn; of: Compiled['of'] }[]): Rel {
  if (more.length === 0) return rel;
  const columns: Record<string, unknown> = {};
  for (const { id } of rel.scope.columns) columns[id] = id;
  for (const { column, of } of more) columns[column.id] = computed(schemaOf(column.type) as any, of as never);
  return {
    rows: rel.rows.select(columns),
    scope: new Scope([...rel.scope.columns, ...more.map(({ column }) => column)]),
  };
}

/** These columns only, under these names where they have new ones. */
export function picked(rel: Rel, columns: readonly (readonly [from: string, to: SqlColumn])[]): Rel {
  return {
    rows: rel.rows.select(Object.fromEntries(columns.map(([from, { id }]) => [id, from]))),
    scope: new Scope(columns.map(([, to]) => to)),
  };
}

/** The same rows with columns of new ids: a relation that is used twice is two relations. */
export const renamed = (rel: Rel, rename: (column: SqlColumn) => Partial<SqlColumn>): Rel =>
  picked(
    rel,
    rel.scope.columns.map((column) => [column.id, { ...column, ...rename(column), id: fresh() }]),
  );

export function filtered(rel: Rel, condition: Expr): Rel {
  if (columnsIn(condition).some(({ table, name }) => rel.scope.find(table, name)?.session))
    unsupported('SQL: sessions before there are groups');
  const { of } = compile(condition, rel.scope);
  return { ...rel, rows: rel.rows.where((row: any) => of(row) === true) };
}

/** A column for each expression: those that are columns already as they are. */
export function materialized(rel: Rel, expressions: readonly Expr[]): { rel: Rel; ids: string[] } {
  const more: { column: SqlColumn; of: Compiled['of'] }[] = [];
  const ids = expressions.map((e) => {
    if (e.k === 'known') return e.id;
    if (e.k === 'column') return rel.scope.column(e.table, e.name).id;
    const { type, of } = compile(e, rel.scope);
    const column = columnOf('', type === 'unknown' ? 'text' : type, { made: true });
    more.push({ column, of });
    return column.id;
  });
  return { rel: extended(rel, more), ids };
}

/** One text for the values of some columns, the same for the same values, null or not. */
export function keyed(rel: Rel, ids: readonly string[]): { rel: Rel; key: string } {
  const column = columnOf('', 'text', { made: true });
  const of = (row: any): string => JSON.stringify(ids.map((id) => row[id] ?? null));
  return { rel: extended(rel, [{ column, of }]), key: column.id };
}

export type Kind = 'inner' | 'left' | 'right' | 'full';
const METHOD = { inner: 'join', left: 'leftJoin', right: 'rightJoin', full: 'fullJoin' } as const;

/** Joins by columns of either side that are equal, and a condition on the pairs. */
export function joined(
  kind: Kind,
  left: Rel,
  right: Rel,
  on: readonly (readonly [left: string, right: string])[],
  condition: Expr | null = null,
  within: object | null = null,
): Rel {
  let [l, r] = [left, right];
  let pairs = on;
  if (pairs.length === 0) {
    const [leftKey, rightKey] = [keyed(l, []), keyed(r, [])];
    [l, r] = [leftKey.rel, rightKey.rel];
    pairs = [[leftKey.key, rightKey.key]];
  }
  const scope = new Scope([...l.scope.columns, ...r.scope.columns]);
  const side = fresh();
  const how: Record<string, unknown> = { on: Object.fromEntries(pairs), ...(within && { within }) };
  const test = condition === null ? null : compile(condition, scope).of;
  if (test !== null && kind !== 'inner') {
    if (typeof l.rows.semiJoin !== 'function') unsupported('the product has no condition on outer joins');
    how.where = (row: any) => test({ ...row, ...row[side] }) === true;
  }
  const pairsOfRows = applied(l.rows, METHOD[kind], { [side]: r.rows }, how);
  const flat = Object.fromEntries([
    ...l.scope.columns.map(({ id }) => [id, id]),
    ...r.scope.columns.map(({ id }) => [id, `${side}.${id}`]),
  ]);
  const rel: Rel = { rows: pairsOfRows.select(flat), scope };
  return test !== null && kind === 'inner'
    ? { ...rel, rows: rel.rows.where((row: any) => test(row) === true) }
    : rel;
}

/** Joins by columns that are equal or both null. */
export function attached(
  kind: Kind,
  left: Rel,
  right: Rel,
  on: readonly (readonly [left: string, right: string])[],
): Rel {
  const l = keyed(
    left,
    on.map(([id]) => id),
  );
  const r = keyed(
    right,
    on.map(([, id]) => id),
  );
  return joined(kind, l.rel, r.rel, [[l.key, r.key]]);
}

/** Each of the rows once; lists are compared as their texts. */
export function distinct(rel: Rel): Rel {
  if (!rel.scope.columns.some(({ type }) => isStructured(type))) return { ...rel, rows: rel.rows.distinct() };
  const texts = inTexts(rel);
  return outOfTexts({ ...texts, rows: texts.rows.distinct() }, rel.scope.columns);
}

/** Lists and objects as their texts, which can be grouped by: all of them, or these. */
export function inTexts(rel: Rel, ids: readonly string[] | null = null): Rel {
  return converted(rel, (column) =>
    isStructured(column.type) && ids?.includes(column.id) !== false
      ? { ...column, type: 'text', of: (value) => JSON.stringify(value) }
      : column,
  );
}

export function outOfTexts(rel: Rel, columns: readonly SqlColumn[]): Rel {
  return converted(rel, (column) => {
    const was = columns.find(({ id }) => id === column.id);
    if (was === undefined) return column;
    return isStructured(was.type) ? { ...was, of: (value) => JSON.parse(value) } : was;
  });
}

function converted(rel: Rel, one: (column: SqlColumn) => SqlColumn & { of?: (value: any) => any }): Rel {
  const columns: Record<string, unknown> = {};
  const found = rel.scope.columns.map((before) => {
    const { of, ...column } = one(before);
    const { id } = before;
    columns[id] =
      of === undefined
        ? id
        : computed(
            schemaOf(column.type) as any,
            ((row: any) => (row[id] === null ? null : of(row[id]))) as never,
          );
    return column;
  });
  return { rows: rel.rows.select(columns), scope: new Scope(found) };
}

/** Rows made of rows, any number of each: the columns of the row, and further ones. */
export function expanded(
  rel: Rel,
  more: readonly SqlColumn[],
  of: (row: any) => Iterable<Record<string, unknown>>,
): Rel {
  const columns = [...rel.scope.columns, ...more];
  const schema = z.object(Object.fromEntries(columns.map(({ id, type }) => [id, schemaOf(type)])));
  return {
    rows: rel.rows.flatMap(schema, (row: any) => Array.from(of(row), (added) => ({ ...row, ...added }))),
    scope: new Scope(columns),
  };
}

/** The same columns on both sides, under the ids of the left; what has another type on the right is made of the left's. */
export function united(left: Rel, right: Rel): Rel {
  const [to, from] = [left.scope.columns, right.scope.columns];
  if (to.length !== from.length) unsupported('SQL: sides of different columns');
  return picked(
    right,
    to.map((column, index) => [from[index]!.id, column]),
  );
}
