import { unsupported } from '../unsupported.js';
import type { Call, Expr, Over } from './ast.js';
import { call } from './call-parser.js';
import { ordered } from './limit.js';
import { aggregateOf, totalAs, totalType } from './aggregates.js';
import { framedByJoin } from './frames.js';
import { inSessions } from './session-frames.js';
import {
  applied,
  attached,
  columnOf,
  extended,
  materialized,
  offered,
  picked,
  type Rel,
} from './relation.js';
import { fresh, Scope, type SqlColumn } from './scope.js';
import { compile } from './expressions.js';
import { exchanged, isWindow, partsOf, some } from './walk.js';

/** Columns for the calls with OVER, and the expressions with those columns in their place. */
export function windowed(of: Rel, expressions: readonly Expr[]): { rel: Rel; rewrite: (e: Expr) => Expr } {
  const calls = new Map<string, Call>();
  const visit = (e: Expr): void => {
    if (isWindow(e)) calls.set(JSON.stringify(e), e);
    else partsOf(e).forEach(visit);
  };
  const told = inSessions(of, expressions.map(spelled), windowOf);
  told.expressions.forEach(visit);
  let { rel } = told;
  const known = new Map<string, Expr>();
  for (const [text, call] of calls) {
    const made = windowOf(rel, call);
    rel = made.rel;
    known.set(text, { k: 'known', id: made.id });
  }
  return {
    rel,
    rewrite: (e) => exchanged(told.rewrite(spelled(e)), (part) => known.get(JSON.stringify(part)) ?? null),
  };
}

/** Functions of a window that are said with others. */
const spelled = (e: Expr): Expr => exchanged(e, (part) => (isWindow(part) ? shares(part) : null));

function shares(of: Call): Expr | null {
  const { per, order } = of.over!;
  const over = (name: string, how: Partial<Over>): Expr => ({
    ...call(name, []),
    star: name === 'count',
    over: { per, order: [], frame: null, ...how },
  });
  const literal = (value: number): Expr => ({ k: 'literal', value, type: 'int' });
  const op = (mark: string, l: Expr, r: Expr): Expr => ({ k: 'binary', op: mark, l, r });
  const float = (e: Expr): Expr => ({ k: 'cast', e, type: 'float' });
  const all = over('count', {});
  switch (of.name) {
    case 'percent_rank': {
      const before = op('-', over('rank', { order }), literal(1));
      const others = call('greatest', [op('-', all, literal(1)), literal(1)]);
      return op('/', float(before), float(others));
    }
    case 'cume_dist':
      return op('/', float(over('count', { order })), float(all));
    case 'ntile': {
      // The first buckets have one row more than the others where the rows do not divide.
      const place = op('-', over('row_number', { order }), literal(1));
      const [size, rest] = [op('/', all, of.args[0]!), op('%', all, of.args[0]!)];
      const larger = op('+', size, literal(1));
      const within = op('*', larger, rest);
      const bucket = op('+', op('/', place, larger), literal(1));
      const later = op('+', op('/', op('-', place, within), size), op('+', rest, literal(1)));
      return { k: 'case', of: null, whens: [[op('<', place, within), bucket]], otherwise: later };
    }
    default:
      return null;
  }
}

/** Whether an expression is the same for every row. */
const isConstant = (e: Expr): boolean => !some(e, (part) => part.k === 'column' || part.k === 'known');

/** lag and lead where a row that has none before or behind it gives a value of its own: what it finds is in a list. */
function withDefault(rel: Rel, of: Call): { rel: Rel; id: string } {
  const [value, offset, otherwise] = of.args as [Expr, Expr, Expr];
  const { type, of: valueOf } = compile(value, rel.scope);
  const box = columnOf('', 'text', { made: true });
  const boxes = extended(rel, [{ column: box, of: (row) => JSON.stringify([valueOf(row)]) }]);
  const found = windowOf(boxes, { ...of, args: [{ k: 'known', id: box.id }, offset] });
  const other = compile(otherwise, rel.scope).of;
  const column = columnOf(of.name, type === 'unknown' ? 'text' : type, { made: true });
  const unboxed = (row: any): any => {
    const text = row[found.id] ?? null;
    return text === null ? other(row) : JSON.parse(text)[0];
  };
  return { rel: extended(found.rel, [{ column, of: unboxed }]), id: column.id };
}

function windowOf(rel: Rel, call: Call): { rel: Rel; id: string } {
  if ((call.name === 'lag' || call.name === 'lead') && call.args[2] && !isConstant(call.args[2]))
    return withDefault(rel, call);
  const { per, order, frame } = call.over!;
  const keys = materialized(rel, per);
  const outer = rel.scope.outer.map(({ id }) => id);
  const groups = [...new Set([...outer, ...keys.ids])];
  if (call.distinct) unsupported(`SQL: DISTINCT with OVER`);
  const ranking = RANKINGS[call.name];
  if (ranking === undefined && order.length === 0 && frame === null) return ofAll(keys.rel, call, groups);
  const moves = ranking === undefined && call.name !== 'lag' && call.name !== 'lead';
  if (moves && !rolls(call)) return framedByJoin(keys.rel, call, groups);
  if (call.filter !== null) unsupported(`SQL: FILTER with ${call.name}()`);
  const { rows, range, ahead } = moves ? framed(call.over!) : { rows: 1, range: null, ahead: false };
  // Where nulls need a column of their own in the order, no single column measures the range.
  const measure = range === null ? null : compile(order[0]!.e, keys.rel.scope);
  if (range !== null && (order[0]!.nullsFirst !== order[0]!.descending || measure!.type === 'date'))
    return framedByJoin(keys.rel, call, groups);
  const sorts = materialized(
    keys.rel,
    order.map(({ e }) => e),
  );
  let sorted = ordered(
    sorts.rel,
    order.map(({ descending, nullsFirst }, place) => ({
      id: sorts.ids[place]!,
      descending: descending !== ahead,
      nullsFirst: nullsFirst !== ahead,
    })),
  );
  // A frame up to the rows of equal order is a range of the ranks without gaps.
  if (rows === null && range === null) {
    const dense = columnOf('', 'int', { made: true });
    sorted = {
      rel: over(sorted.rel, groups, sorted.order, dense, offered('denseRank')()),
      order: [dense.id],
    };
  }
  const args = materialized(sorted.rel, call.args.slice(0, 1));
  const made: Moving = ranking
    ? { type: 'int', request: () => offered(ranking)() }
    : moving(
        call,
        args.rel,
        args.ids[0] ?? null,
        rows === null ? { range: range === null ? EVERYTHING : distance(range) } : { rows },
      );
  const raw = columnOf(call.name, made.type, { made: true });
  const found = over(args.rel, groups, sorted.order, raw, made.request());
  if (made.shown === undefined) return { rel: found, id: raw.id };
  const shown = columnOf(call.name, made.type, { made: true });
  return { rel: extended(found, [{ column: shown, of: (row) => made.shown!(row[raw.id]) }]), id: shown.id };
}

function over(
  rel: Rel,
  per: readonly string[],
  order: readonly string[],
  column: SqlColumn,
  request: unknown,
): Rel {
  const rows = applied(rel.rows, 'over', { ...(per.length > 0 && { per }), order }, { [column.id]: request });
  return { rows, scope: new Scope([...rel.scope.columns, column]) };
}

const RANKINGS: Readonly<Record<string, string>> = {
  row_number: 'rowNumber',
  rank: 'rank',
  dense_rank: 'denseRank',
};

/** Aggregates that roll over the rows up to the row itself, or from it on. */
const ROLLING = ['count', 'sum', 'avg', 'min', 'max'];

function rolls({ name, filter, over: how }: Call): boolean {
  const { frame, order } = how!;
  if (!ROLLING.includes(name) || filter !== null) return false;
  if (frame === null) return true;
  if (frame.withoutRow) return false;
  const [near, far] = frame.from.at === 'current' ? [frame.from, frame.to] : [frame.to, frame.from];
  if (near.at !== 'current' || frame.unit === 'groups') return false;
  return frame.unit === 'rows' || !('by' in far) || order.length === 1;
}

interface Moving {
  readonly type: string;
  readonly request: () => unknown;
  /** What is made of its result. */
  readonly shown?: (result: any) => any;
}

/** lag and lead, and aggregates of a frame. */
function moving(call: Call, rel: Rel, id: string | null, frame: object): Moving {
  const type = id === null ? 'int' : rel.scope.byId(id).type;
  if (call.name === 'lag' || call.name === 'lead') {
    const constant = (place: number): any =>
      call.args[place] ? compile(call.args[place]!, new Scope([])).of({}) : undefined;
    const [offset, otherwise] = [constant(1) ?? 1, constant(2)];
    // The row itself is in the frame of one row that ends with it.
    if (offset === 0) return { type, request: () => offered('rolling')(offered('max')(id), { rows: 1 }) };
    if (offset < 1) unsupported(`SQL: ${call.name}() by ${offset}`);
    return {
      type,
      request: () =>
        offered(call.name)(id, { offset, ...(otherwise !== undefined && { default: otherwise }) }),
    };
  }
  const totals = call.name === 'sum' || call.name === 'avg';
  const given = call.name === 'count' ? 'int' : totals ? totalType(call.name, type) : type;
  const of = (): unknown => (id === null ? offered('count')() : offered(call.name)(id));
  return {
    type: given,
    request: () => offered('rolling')(of(), frame),
    ...(totals && { shown: totalAs(given) }),
  };
}

/** The frames that the product has no word for are as long as it allows: longer than the groups of the cases. */
const ROWS_MAX = 1_000;
const EVERYTHING = 1_000_000;

interface Framed {
  /** How many rows a frame holds, this one included; null: all up to those of equal order, or a range. */
  readonly rows: number | null;
  /** How far back it goes in the values of its one column; null: to the beginning. */
  readonly range: Expr | null;
  /** It looks at what follows. */
  readonly ahead: boolean;
}

function framed({ order, frame }: Over): Framed {
  if (frame === null) return { rows: order.length === 0 ? ROWS_MAX : null, range: null, ahead: false };
  const { from, to, unit } = frame;
  const ahead = from.at === 'current' && to.at !== 'current';
  const far = ahead ? to : from;
  if (far.at === 'start' || far.at === 'end')
    return { rows: unit === 'rows' ? ROWS_MAX : null, range: null, ahead };
  if (unit === 'rows') {
    const by = 'by' in far ? Number(compile(far.by, new Scope([])).of({})) : 0;
    return { rows: by + 1, range: null, ahead };
  }
  return { rows: null, range: (far as { by: Expr }).by, ahead };
}

/** A distance as the product takes it: a duration between times, else a number. */
function distance(e: Expr): unknown {
  const { type, of } = compile(e, new Scope([]));
  const value = of({});
  return type === 'interval' ? `${value}ms` : Number(value);
}

/** An aggregate over all rows of a partition: the partition's aggregate, joined to its rows. */
function ofAll(rel: Rel, call: Call, groups: readonly string[]): { rel: Rel; id: string } {
  const made = aggregateOf({ ...call, over: null }, rel);
  const ready = extended(rel, made.before);
  const copies = groups.map((id): SqlColumn => ({
    ...rel.scope.byId(id),
    id: fresh(),
    made: true,
    outer: false,
  }));
  const one = columnOf('', 'int', { made: true });
  const keyedRel = picked(extended(ready, [{ column: one, of: () => 1 }]), [
    [one.id, one],
    ...groups.map((id, place): [string, SqlColumn] => [id, copies[place]!]),
    ...made.before.map(({ column }): [string, SqlColumn] => [column.id, column]),
  ]);
  const totals: Rel = {
    rows: keyedRel.rows.groupBy(...copies.map(({ id }) => id)).aggregate({ [made.raw]: made.request() }),
    scope: new Scope([...copies, columnOf('', made.rawType, { id: made.raw, made: true })]),
  };
  const both = attached(
    'left',
    rel,
    totals,
    groups.map((id, place) => [id, copies[place]!.id]),
  );
  const column = { ...made.column, made: true };
  return {
    rel: extended(both, [{ column, of: (row) => made.result(row[made.raw] ?? null) }]),
    id: column.id,
  };
}
