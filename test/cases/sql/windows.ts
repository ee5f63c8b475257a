import { unsupported } from '../unsupported.js';
import type { Call, Expr } from './ast.js';
import { ordered } from './limit.js';
import { aggregateOf } from './aggregates.js';
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
import { exchanged, isWindow, partsOf } from './walk.js';

/** Columns for the calls with OVER, and the expressions with those columns in their place. */
export function windowed(of: Rel, expressions: readonly Expr[]): { rel: Rel; rewrite: (e: Expr) => Expr } {
  const calls = new Map<string, Call>();
  const visit = (e: Expr): void => {
    if (isWindow(e)) calls.set(JSON.stringify(e), e);
    else partsOf(e).forEach(visit);
  };
  expressions.forEach(visit);
  let rel = of;
  const known = new Map<string, Expr>();
  for (const [text, call] of calls) {
    const made = windowOf(rel, call);
    rel = made.rel;
    known.set(text, { k: 'known', id: made.id });
  }
  return { rel, rewrite: (e) => exchanged(e, (part) => known.get(JSON.stringify(part)) ?? null) };
}

function windowOf(rel: Rel, call: Call): { rel: Rel; id: string } {
  const { per, order, frame } = call.over!;
  const keys = materialized(rel, per);
  const outer = rel.scope.outer.map(({ id }) => id);
  const groups = [...new Set([...outer, ...keys.ids])];
  if (call.filter !== null || call.distinct) unsupported(`SQL: FILTER or DISTINCT with OVER`);
  const ranking = RANKINGS[call.name];
  if (ranking === undefined && order.length === 0 && frame === null) return ofAll(keys.rel, call, groups);
  const sorts = materialized(
    keys.rel,
    order.map(({ e }) => e),
  );
  const sorted = ordered(
    sorts.rel,
    order.map(({ descending, nullsFirst }, place) => ({ id: sorts.ids[place]!, descending, nullsFirst })),
  );
  const args = materialized(sorted.rel, call.args.slice(0, 1));
  const made = ranking
    ? { type: 'int', request: () => offered(ranking)() }
    : moving(call, args.rel, args.ids[0] ?? null);
  const column = columnOf(call.name, made.type, { made: true });
  const rows = applied(
    args.rel.rows,
    'over',
    { ...(groups.length > 0 && { per: groups }), order: sorted.order },
    { [column.id]: made.request() },
  );
  return { rel: { rows, scope: new Scope([...args.rel.scope.columns, column]) }, id: column.id };
}

const RANKINGS: Readonly<Record<string, string>> = {
  row_number: 'rowNumber',
  rank: 'rank',
  dense_rank: 'denseRank',
};

/** lag and lead, and aggregates of a frame. */
function moving(call: Call, rel: Rel, id: string | null): { type: string; request: () => unknown } {
  if (call.name === 'lag' || call.name === 'lead') {
    const constant = (place: number): any =>
      call.args[place] ? compile(call.args[place]!, new Scope([])).of({}) : undefined;
    const [offset, otherwise] = [constant(1) ?? 1, constant(2)];
    if (offset < 1) unsupported(`SQL: ${call.name}() by ${offset}`);
    return {
      type: rel.scope.byId(id!).type,
      request: () =>
        offered(call.name)(id, { offset, ...(otherwise !== undefined && { default: otherwise }) }),
    };
  }
  return unsupported(`SQL: ${call.name}() over a frame`);
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
  const keyedRel = picked(ready, [
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
