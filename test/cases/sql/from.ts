import { Unsupported, unsupported } from '../unsupported.js';
import type { Expr, From } from './ast.js';
import type { Catalog } from './catalog.js';
import { call } from './call-parser.js';
import { isSet, withElements } from './elements.js';
import { relationOf, titled } from './query.js';
import {
  attached,
  columnOf,
  distinct,
  extended,
  filtered,
  joined,
  type Kind,
  picked,
  type Rel,
} from './relation.js';
import { Scope, type SqlColumn } from './scope.js';
import { columnsIn, columnsInFrom, columnsInQuery, conjunction, conjuncts, isQuery, some } from './walk.js';
import { asOfJoin } from './as-of.js';
import { equalSides, splitOn } from './equality.js';
import { gapFilled } from './gap-fill.js';
import { nearness } from './near.js';
import { thenThere } from './past.js';
import { filteredByQuery } from './subqueries.js';
import { asksNow } from './temporal.js';
import { timeWindow } from './time-windows.js';

/** What FROM gives, joined by the conditions of WHERE where they say how; `rest`: the conditions not used for that. */
export function fromOf(
  from: readonly From[],
  where: readonly Expr[],
  catalog: Catalog,
  base: Rel | null,
): { rel: Rel; rest: Expr[] } {
  let rest = [...where];
  let rel: Rel | null = base === null ? null : shadowed(base, from, catalog);
  let left = [...from];
  const order: string[][] = [];
  /** Conditions that the rows so far decide. */
  const settle = (): void => {
    const decided = rest.filter(
      (condition) => !some(condition, isQuery) && !asksNow(condition) && decides(condition, rel!.scope),
    );
    rest = rest.filter((condition) => !decided.includes(condition));
    for (const condition of decided) rel = filtered(rel!, condition);
  };
  while (left.length > 0) {
    const chosen =
      rel === null
        ? left[0]!
        : (left.find((item) => !speaksOf(item, rel!.scope) && isEquated(item, rel!, rest, catalog)) ??
          left[0]!);
    left = left.filter((item) => item !== chosen);
    const before: Scope = rel?.scope ?? new Scope([]);
    const other = rel === null || speaksOf(chosen, rel.scope) ? null : alone(chosen, catalog, rel);
    if (other === null) rel = tree(chosen, catalog, rel);
    else {
      const split = splitOn(rest, rel!, other);
      rest = split.rest;
      const within = nearness(rest, split.left, split.right);
      rel = joined('inner', split.left, split.right, split.pairs, null, within);
    }
    order[from.indexOf(chosen)] = rel.scope.columns
      .filter(({ id }) => !before.columns.some((one) => one.id === id))
      .map(({ id }) => id);
    settle();
  }
  if (rel === null) return { rel: catalog.one, rest };
  // Stars list the columns in the order of FROM, however it was joined.
  const places = new Map(order.flat().map((id, place) => [id, place]));
  const columns = [...rel.scope.columns].sort((l, r) => (places.get(l.id) ?? -1) - (places.get(r.id) ?? -1));
  return { rel: { rows: rel.rows, scope: new Scope(columns) }, rest };
}

/** What is around a query, where its own tables have columns of the same names: those come before. */
function shadowed(base: Rel, from: readonly From[], catalog: Catalog): Rel {
  const own = from.flatMap((item) => alone(item, catalog, base)?.scope.own ?? []);
  const columns = base.scope.columns.map((column) => {
    const alike = own.filter(({ name }) => name === column.name);
    if (alike.some(({ table }) => table === column.table)) return { ...column, name: '' };
    return alike.length > 0 ? { ...column, hidden: true } : column;
  });
  return { ...base, scope: new Scope(columns) };
}

const decides = (condition: Expr, scope: Scope): boolean =>
  columnsIn(condition).every(({ table, name }) => scope.find(table, name) !== null);

const WINDOWS = ['tumble', 'hop', 'session'];
/** What takes a table where other functions take a value. */
const OF_TABLES = [...WINDOWS, 'gap_fill'];

/** Whether a part of FROM names columns of what stands before it or around the query. */
function speaksOf(from: From, scope: Scope): boolean {
  if (from.k === 'table') return false;
  if (from.k === 'function' && OF_TABLES.includes(from.name)) return false;
  if (from.k === 'query' && !from.lateral && scope.outer.length === 0) return false;
  const own = from.k === 'join' || from.k === 'query' ? namesIn(from) : new Set<string>();
  return columnsInFrom(from).some(
    ({ table, name }) =>
      (table === null || !own.has(table)) &&
      scope.find(table, name) !== null &&
      (table !== null || from.k === 'function' || isOnlyThere(from, name)),
  );
}

/** The aliases that a part of FROM defines, at any depth. */
function namesIn(from: From): Set<string> {
  const found = new Set<string>();
  const visit = (part: From): void => {
    if (part.k === 'join') [part.l, part.r].forEach(visit);
    else if (part.as !== null) found.add(part.as);
    if (part.k === 'query') fromsIn(part.query.body).forEach(visit);
  };
  visit(from);
  return found;
}

function fromsIn(body: any): From[] {
  if (body.k === 'select') return body.from;
  if (body.k === 'set') return [...fromsIn(body.l), ...fromsIn(body.r)];
  return body.k === 'nested' ? fromsIn(body.query.body) : [];
}

/** A column without a table is taken for one of the tables at hand; only LATERAL may mean others. */
const isOnlyThere = (from: From, _name: string): boolean => from.k === 'query' && from.lateral;

/** A part of FROM by itself; null where it turns out to need the columns around it. */
function alone(from: From, catalog: Catalog, cur: Rel): Rel | null {
  try {
    return tree(from, catalog, null);
  } catch (thrown) {
    if (cur.scope.outer.length > 0 && thrown instanceof Unsupported && thrown.what.includes('the column'))
      return null;
    throw thrown;
  }
}

function isEquated(item: From, rel: Rel, conditions: readonly Expr[], catalog: Catalog): boolean {
  if (item.k === 'function') return false;
  const other = alone(item, catalog, rel);
  if (other === null) return false;
  return conditions.some((condition) => equalSides(condition, rel.scope, other.scope) !== null);
}

/** `cur` with a part of FROM beside it. */
function tree(from: From, catalog: Catalog, cur: Rel | null): Rel {
  switch (from.k) {
    case 'table': {
      const rel = catalog.named(from.name, from.as, from.columns);
      return cur === null ? rel : joined('inner', cur, rel, []);
    }
    case 'query': {
      const aliased = (rel: Rel): Rel => {
        const renamed = titled(rel, from.columns);
        return {
          ...renamed,
          scope: new Scope(
            renamed.scope.columns.map((column) => (column.outer ? column : { ...column, table: from.as })),
          ),
        };
      };
      if (cur === null) return aliased(relationOf(from.query, catalog, null));
      return beside('inner', cur, columnsInQuery(from.query), (base) =>
        aliased(relationOf(from.query, catalog, base)),
      ).rel;
    }
    case 'function':
      return functionOf(from, catalog, cur);
    case 'join': {
      const left = tree(from.l, catalog, cur);
      const lateral = (from.r.k === 'query' && from.r.lateral) || from.r.k === 'function';
      if (lateral && speaksOf(from.r, left.scope)) {
        if (!['inner', 'cross', 'left'].includes(from.kind)) unsupported('SQL: LATERAL on this join');
        return lateralJoin(from, left, catalog);
      }
      return joinOf(from, left, tree(from.r, catalog, null), catalog);
    }
  }
}

function lateralJoin(from: Extract<From, { k: 'join' }>, left: Rel, catalog: Catalog): Rel {
  const { r, on } = from;
  const trivial = on === null || (on.k === 'literal' && on.value === true);
  if (from.kind === 'left' && !trivial) unsupported('SQL: LEFT JOIN LATERAL with a condition');
  if (r.k === 'function' && from.kind === 'left') return functionOf(r, catalog, left, true);
  if (r.k !== 'query') {
    const rel = tree(r, catalog, left);
    return trivial ? rel : filtered(rel, on);
  }
  const { rel } = beside(from.kind === 'left' ? 'left' : 'inner', left, columnsInQuery(r.query), (base) => {
    const found = titled(relationOf(r.query, catalog, base), r.columns);
    return {
      ...found,
      scope: new Scope(
        found.scope.columns.map((column) => (column.outer ? column : { ...column, table: r.as })),
      ),
    };
  });
  return trivial ? rel : filtered(rel, on);
}

function functionOf(
  from: Extract<From, { k: 'function' }>,
  catalog: Catalog,
  cur: Rel | null,
  keeps = false,
): Rel {
  if (WINDOWS.includes(from.name)) {
    const [of] = from.args;
    if (of?.k !== 'column') return unsupported(`SQL: ${from.name}() of an expression`);
    const rel = timeWindow(
      from.name,
      catalog.named(of.name, from.as, from.columns),
      from.args.slice(1),
      from.as,
      from.keys ?? [],
    );
    return cur === null ? rel : joined('inner', cur, rel, []);
  }
  if (from.name === 'gap_fill') {
    const [of, ...args] = from.args;
    if (of?.k !== 'column') return unsupported('SQL: gap_fill() of an expression');
    const rel = gapFilled(catalog.named(of.name, from.as, from.columns), args);
    return cur === null ? rel : joined('inner', cur, rel, []);
  }
  if (!isSet(from.name)) return unsupported(`SQL: ${from.name}() in FROM`);
  const { rel, column, place } = withElements(cur ?? catalog.one, call(from.name, from.args), {
    numbered: from.numbered,
    keeps,
  });
  // What JSON's functions give has a name of its own, where it is given no other.
  const isNamed = from.as !== from.name || !/^jsonb?_array/.test(from.name);
  const name = from.columns[0] ?? (isNamed ? from.as : 'value');
  const named = new Map([[column.id, name]]);
  if (place !== null) named.set(place.id, from.columns[1] ?? 'ordinality');
  return {
    ...rel,
    scope: new Scope(
      rel.scope.columns.map((one) => {
        const known = named.get(one.id);
        return known === undefined ? one : { ...one, name: known, table: from.as, made: false };
      }),
    ),
  };
}

/**
 * What a query gives for each row of `cur`, beside that row: the query is answered for each combination of values it may
 * speak of, once, and joined to the rows that have them. The ids of the columns it gives are in `own`.
 */
export function beside(
  kind: Kind,
  cur: Rel,
  mentioned: readonly { table: string | null; name: string }[],
  answer: (base: Rel | null) => Rel,
): { rel: Rel; own: SqlColumn[]; answered: Rel; pairs: [string, string][] } {
  const refs = new Map<string, SqlColumn>();
  for (const { table, name } of mentioned) {
    const column = cur.scope.find(table, name);
    if (column) refs.set(column.id, column);
  }
  const around = (columns: readonly SqlColumn[]): [string, SqlColumn][] =>
    columns.map((column) => [
      column.id,
      columnOf(column.name, column.type, { table: column.table, outer: true }),
    ]);
  const withThese = (outer: readonly [string, SqlColumn][]): Rel =>
    answer(outer.length === 0 ? null : distinct(picked(cur, outer)));
  const outer = around([...spokenOf([...refs.values()], (some) => withThese(around(some)))]);
  const answered = withThese(outer);
  const own = answered.scope.own;
  const pairs = outer.map(([id, { id: other }]): [string, string] => [id, other]);
  const rel = pairs.length === 0 ? joined(kind, cur, answered, []) : attached(kind, cur, answered, pairs);
  const gone = new Set(answered.scope.outer.map(({ id }) => id));
  return {
    rel: {
      ...rel,
      scope: new Scope(
        rel.scope.columns.map((column) =>
          gone.has(column.id) ? { ...column, outer: false, made: true } : column,
        ),
      ),
    },
    own,
    answered,
    pairs,
  };
}

/**
 * Of the columns that a query may speak of, those that it does: a name that its own tables have means theirs. It is asked
 * for less and less of what is around it, for as long as it can be answered.
 */
function spokenOf(columns: readonly SqlColumn[], answer: (some: readonly SqlColumn[]) => Rel): SqlColumn[] {
  const suffices = (some: readonly SqlColumn[]): boolean => {
    try {
      answer(some);
      return true;
    } catch (thrown) {
      if (thrown instanceof Unsupported && thrown.what.includes('the column')) return false;
      throw thrown;
    }
  };
  if (columns.length === 0 || suffices([])) return [];
  return columns.reduce<SqlColumn[]>(
    (kept, column) => {
      const less = kept.filter((one) => one !== column);
      return less.length > 0 && suffices(less) ? less : kept;
    },
    [...columns],
  );
}

function joinOf(from: Extract<From, { k: 'join' }>, left: Rel, right: Rel, catalog: Catalog): Rel {
  const kind: Kind = from.kind === 'cross' ? 'inner' : from.kind;
  const shared = from.natural
    ? left.scope.own
        .filter(({ name, hidden }) => !hidden && right.scope.find(null, name) !== null)
        .map(({ name }) => name)
    : from.using;
  if (shared !== null) return using(kind, left, right, [...new Set(shared)]);
  const on = conjuncts(from.on).filter((e) => !(e.k === 'literal' && e.value === true));
  const asking = on.filter((e) => some(e, isQuery));
  if (asking.length > 0) {
    if (kind !== 'inner' || from.asOf) unsupported('SQL: a query in ON');
    const plain = conjunction(on.filter((e) => !asking.includes(e)));
    const rel = joinOf({ ...from, on: plain }, left, right, catalog);
    return asking.reduce((all, e) => filteredByQuery(all, e, catalog), rel);
  }
  if (from.asOf) {
    if (kind !== 'inner' && kind !== 'left') return unsupported('SQL: ASOF with this join');
    return asOfJoin(kind, left, right, on);
  }
  const split = splitOn(on, left, right);
  const rest = [...split.rest, ...thenThere(left, right)];
  const within = nearness(rest, split.left, split.right);
  return joined(kind, split.left, split.right, split.pairs, conjunction(rest), within);
}

/** USING and NATURAL: the shared columns are one column each, and come first. */
function using(kind: Kind, left: Rel, right: Rel, names: readonly string[]): Rel {
  const conditions = names.map((name): [SqlColumn, SqlColumn] => [
    left.scope.column(null, name),
    right.scope.column(null, name),
  ]);
  const rel = joined(
    kind,
    left,
    right,
    conditions.map(([l, r]) => [l.id, r.id]),
  );
  const merged: SqlColumn[] = [];
  const hidden = new Set<string>();
  const more: { column: SqlColumn; of: (row: any) => any }[] = [];
  for (const [l, r] of conditions) {
    if (kind === 'full') {
      const column = columnOf(l.name, l.type);
      more.push({ column, of: (row) => row[l.id] ?? row[r.id] });
      merged.push(column);
      hidden.add(l.id).add(r.id);
    } else {
      merged.push(kind === 'right' ? r : l);
      hidden.add(kind === 'right' ? l.id : r.id);
    }
  }
  const wide = extended(rel, more);
  const first = new Set(merged.map(({ id }) => id));
  const rest = wide.scope.columns.filter(({ id }) => !first.has(id));
  const columns = [...merged.map(({ id }) => wide.scope.byId(id)), ...rest];
  return {
    ...wide,
    scope: new Scope(columns.map((column) => (hidden.has(column.id) ? { ...column, hidden: true } : column))),
  };
}
