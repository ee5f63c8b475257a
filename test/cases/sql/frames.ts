import { unsupported } from '../unsupported.js';
import { aggregateOf } from './aggregates.js';
import type { Bound, Call, Expr, Frame } from './ast.js';
import { compile } from './expressions.js';
import { ordered } from './limit.js';
import {
  applied,
  attached,
  columnOf,
  extended,
  joined,
  keyed,
  materialized,
  offered,
  picked,
  type Rel,
} from './relation.js';
import { fresh, Scope, type SqlColumn } from './scope.js';
import { isTime, msOf } from './types.js';
import { conjunction } from './walk.js';

/** What a frame is without a word for it: all up to the row. */
const WHOLE: Frame = { unit: 'range', from: { at: 'start' }, to: { at: 'current' } };

const different = (l: SqlColumn, r: SqlColumn): Expr => ({ k: 'binary', op: '<>', l: known(l), r: known(r) });

const known = ({ id }: SqlColumn): Expr => ({ k: 'known', id });

/**
 * An aggregate over any frame: each row is joined with the rows of its frame, which are those of its group whose places lie
 * near its own, and these are aggregated for it. Rows are told from one another by their numbers.
 */
export function framedByJoin(of: Rel, call: Call, groups: readonly string[]): { rel: Rel; id: string } {
  const numbered = placed(of, call, groups);
  const { number, place } = numbered;
  const args = materialized(numbered.rel, [...call.args, ...(call.filter === null ? [] : [call.filter])]);
  const rel = args.rel;
  const copies = new Map(
    [...groups, number.id, place.id, ...args.ids].map((id): [string, SqlColumn] => [
      id,
      { ...rel.scope.byId(id), id: fresh(), made: true, outer: false },
    ]),
  );
  const others = picked(rel, [...copies]);
  const [own, theirs] = [
    keyed(rel, groups),
    keyed(
      others,
      groups.map((id) => copies.get(id)!.id),
    ),
  ];
  const { from, to, withoutRow } = call.over!.frame ?? WHOLE;
  const other = copies.get(place.id)!;
  const pairs = joined(
    'inner',
    own.rel,
    theirs.rel,
    [[own.key, theirs.key]],
    conjunction([
      ...peersOr(other, place, [...limit('>=', other, place, from), ...limit('<=', other, place, to)]),
      ...(withoutRow ? [different(copies.get(number.id)!, number)] : []),
    ]),
  );
  const { made, ready } = aggregated(call, pairs, args.ids, copies, number.id);
  const row: SqlColumn = { ...number, id: fresh(), made: true };
  const key: SqlColumn = columnOf('', 'text', { made: true });
  const wide = picked(ready, [
    [own.key, key],
    [number.id, row],
    ...made.before.map(({ column }): [string, SqlColumn] => [column.id, column]),
    ...[...copies.values()].map((column): [string, SqlColumn] => [column.id, column]),
  ]);
  const totals: Rel = {
    rows: wide.rows.groupBy(key.id, row.id).aggregate({ [made.raw]: made.request() }),
    scope: new Scope([key, row, columnOf('', made.rawType, { id: made.raw, made: true })]),
  };
  // A frame may be empty, and have none.
  const both = attached('left', own.rel, totals, [
    [own.key, key.id],
    [number.id, row.id],
  ]);
  const column = { ...made.column, made: true };
  return {
    rel: extended(both, [{ column, of: (values) => made.result(values[made.raw] ?? null) }]),
    id: column.id,
  };
}

/** The rows with their numbers in the order, and with what frames are measured by. */
function placed(
  of: Rel,
  { over }: Call,
  groups: readonly string[],
): { rel: Rel; number: SqlColumn; place: SqlColumn } {
  const { order, frame } = over!;
  const sorts = materialized(
    of,
    order.map(({ e }) => e),
  );
  const sorted = ordered(
    sorts.rel,
    order.map(({ descending, nullsFirst }, at) => ({ id: sorts.ids[at]!, descending, nullsFirst })),
  );
  const [number, rank] = [columnOf('', 'int', { made: true }), columnOf('', 'int', { made: true })];
  const rel: Rel = {
    rows: applied(
      sorted.rel.rows,
      'over',
      { ...(groups.length > 0 && { per: groups }), order: sorted.order },
      { [number.id]: offered('rowNumber')(), [rank.id]: offered('denseRank')() },
    ),
    scope: new Scope([...sorted.rel.scope.columns, number, rank]),
  };
  if (frame?.unit === 'rows') return { rel, number, place: number };
  const measured = frame?.unit === 'range' && ('by' in frame.from || 'by' in frame.to);
  if (!measured) return { rel, number, place: rank };
  const [id] = sorts.ids;
  if (id === undefined || order.length > 1) return unsupported('SQL: a range of several columns');
  const sign = order[0]!.descending ? -1 : 1;
  const timed = isTime(rel.scope.byId(id).type);
  const place = columnOf('', timed ? 'interval' : 'numeric', { made: true });
  const unbounded = [frame.from.at, frame.to.at].some((at) => at === 'start' || at === 'end');
  const value = (row: any): number | null => {
    if (row[id] !== null) return sign * (timed ? msOf(row[id]) : row[id]) + 0;
    return unbounded ? unsupported('SQL: nulls in a range without bounds') : null;
  };
  return { rel: extended(rel, [{ column: place, of: value }]), number, place };
}

/** Rows without a place lie beside one another. */
function peersOr(other: SqlColumn, own: SqlColumn, limits: readonly Expr[]): Expr[] {
  const within = conjunction(limits);
  if (within === null) return [];
  const none = (column: SqlColumn): Expr => ({ k: 'is', e: known(column), value: null, not: false });
  return [
    {
      k: 'binary',
      op: 'or',
      l: within,
      r: { k: 'binary', op: 'and', l: none(other), r: none(own) },
    },
  ];
}

/** A row's place against that of the row whose frame it is to lie in. */
function limit(op: '>=' | '<=', other: SqlColumn, own: SqlColumn, bound: Bound): Expr[] {
  if (bound.at === 'start' || bound.at === 'end') return [];
  if (!('by' in bound)) return [{ k: 'binary', op, l: known(other), r: known(own) }];
  const { type, of } = compile(bound.by, new Scope([]));
  const distance = of({});
  if (typeof distance !== 'number') unsupported('SQL: frames of months');
  const by: Expr = { k: 'literal', value: distance, type: type === 'interval' ? 'interval' : own.type };
  const r: Expr = { k: 'binary', op: bound.at === 'before' ? '-' : '+', l: known(own), r: by };
  return [{ k: 'binary', op, l: known(other), r }];
}

/** The aggregate of the rows of a frame; of the first and the last of them a value. */
function aggregated(
  call: Call,
  pairs: Rel,
  args: readonly string[],
  copies: ReadonlyMap<string, SqlColumn>,
  number: string,
): { made: ReturnType<typeof aggregateOf>; ready: Rel } {
  const columns = args.map((id) => copies.get(id)!);
  // Lists are in the order of the window.
  const order = [{ e: known(copies.get(number)!), descending: false, nullsFirst: false }];
  if (call.order.length > 0) return unsupported(`SQL: ${call.name}() in another order than its window`);
  if (call.name === 'nth_value') {
    const [value] = columns;
    const list = aggregateOf({ ...call, name: 'array_agg', over: null, args: [known(value!)], order }, pairs);
    const nth = Number(compile(call.args[1]!, new Scope([])).of({}));
    return {
      made: {
        ...list,
        result: (raw) => list.result(raw)?.[nth - 1] ?? null,
        column: columnOf(call.name, value!.type),
      },
      ready: extended(pairs, list.before),
    };
  }
  const ends = { first_value: 'minBy', last_value: 'maxBy' }[call.name];
  if (ends === undefined) {
    const filter = call.filter === null ? null : known(columns.at(-1)!);
    const made = aggregateOf(
      { ...call, over: null, args: columns.slice(0, call.args.length).map(known), filter, order },
      pairs,
    );
    return { made, ready: extended(pairs, made.before) };
  }
  if (call.filter !== null) return unsupported(`SQL: FILTER with ${call.name}()`);
  const [value] = columns;
  const by = copies.get(number)!.id;
  return {
    made: {
      before: [],
      raw: fresh(),
      rawType: value!.type,
      request: () => offered(ends)(by, { value: value!.id }),
      result: (raw) => raw,
      column: columnOf(call.name, value!.type),
    },
    ready: pairs,
  };
}
