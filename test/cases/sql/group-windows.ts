import { hopping, session, tumbling } from 'stillwater';
import { unsupported } from '../unsupported.js';
import type { Call, Expr } from './ast.js';
import { compile } from './expressions.js';
import { columnOf, extended, materialized, picked, type Rel } from './relation.js';
import { Scope, type SqlColumn } from './scope.js';
import { exchanged } from './walk.js';

const KINDS = ['tumble', 'hop', 'session'];
const EDGE = /^(tumble|hop|session)_(start|end|rowtime)$/;

const isWindow = (e: Expr): e is Call => e.k === 'call' && KINDS.includes(e.name) && e.args.length > 1;

/** TUMBLE, HOP and SESSION among what is grouped by: the rows with their windows, and both edges to group by instead. */
export function groupWindows(
  rel: Rel,
  sets: readonly (readonly Expr[])[],
): { rel: Rel; sets: Expr[][]; rewrite: (e: Expr) => Expr } | null {
  const window = sets.flat().find(isWindow);
  if (window === undefined) return null;
  if (sets.length > 1) return unsupported('SQL: windows in several sets of groups');
  const [time, ...widths] = window.args;
  const sizes = widths.map((e): number => {
    const { type, of } = compile(e, new Scope([]));
    const ms = type === 'interval' ? of({}) : null;
    return typeof ms === 'number' ? ms : unsupported('windows of these lengths');
  });
  const timed = materialized(rel, [time!]);
  const [on] = timed.ids as [string];
  if (timed.rel.scope.byId(on).type !== 'timestamp') return unsupported(`SQL: ${window.name}() of no time`);
  const edges = {
    start: columnOf('', 'timestamp', { made: true }),
    end: columnOf('', 'timestamp', { made: true }),
  };
  const known = (column: SqlColumn): Expr => ({ k: 'known', id: column.id });
  return {
    rel: withWindows(window.name, timed.rel, on, sizes, edges),
    sets: sets.map((set) => set.flatMap((e) => (isWindow(e) ? [known(edges.start), known(edges.end)] : [e]))),
    rewrite: (e) =>
      exchanged(e, (part) => {
        const edge = part.k === 'call' ? EDGE.exec(part.name) : null;
        if (edge === null) return null;
        if (edge[2] === 'start') return known(edges.start);
        if (edge[2] === 'end') return known(edges.end);
        const last: Expr = {
          k: 'cast',
          e: { k: 'literal', value: '1 millisecond', type: 'unknown' },
          type: 'interval',
        };
        return { k: 'binary', op: '-', l: known(edges.end), r: last };
      }),
  };
}

function withWindows(
  kind: string,
  rel: Rel,
  on: string,
  sizes: readonly number[],
  { start, end }: { start: SqlColumn; end: SqlColumn },
): Rel {
  if (kind === 'session') {
    // Sessions are told of groups only: the edges stand for them until then.
    const gapMs = sizes[0]!;
    return extended(rel, [
      { column: { ...start, session: { gapMs, on, edge: 'windowStart' } }, of: (row) => row[on] },
      { column: { ...end, session: { gapMs, on, edge: 'windowEnd' } }, of: (row) => row[on] },
    ]);
  }
  const [every, size] = kind === 'tumble' ? [sizes[0]!, sizes[0]!] : [sizes[0]!, sizes[1]!];
  return inWindows(rel, on, { every, size, offset: sizes[kind === 'tumble' ? 1 : 2] ?? 0 }, { start, end });
}

/** Each row once for every window that it lies in; a row without a time lies in none. */
export function inWindows(
  rel: Rel,
  on: string,
  { every, size, offset }: { readonly every: number; readonly size: number; readonly offset: number },
  { start, end }: { readonly start: SqlColumn; readonly end: SqlColumn },
): Rel {
  const moved = { offset: `${((offset % every) + every) % every}ms` } as const;
  const shape =
    every === size ? tumbling(`${size}ms`, moved) : hopping(`${size}ms`, { every: `${every}ms`, ...moved });
  const windowed: Rel = {
    rows: rel.rows
      .where((row: any) => row[on] !== null)
      .window(shape, { on })
      .rows(),
    scope: rel.scope,
  };
  return picked(windowed, [
    ...rel.scope.columns.map((column): [string, SqlColumn] => [column.id, column]),
    ['windowStart', start],
    ['windowEnd', end],
  ]);
}

/** The groups of rows, by session too where edges of sessions are among what is grouped by. */
export function groupsIn(rows: any, by: readonly SqlColumn[], aggregates: object): any {
  const edges = by.filter((column) => column.session !== undefined);
  const names = by.filter((column) => column.session === undefined).map(({ id }) => id);
  if (edges.length === 0) return rows.groupBy(...names).aggregate(aggregates);
  const { gapMs, on } = edges[0]!.session!;
  return rows
    .where((row: any) => row[on] !== null)
    .window(session(`${gapMs}ms`), { on })
    .groupBy(...names)
    .aggregate(aggregates)
    .select(
      Object.fromEntries([
        ...edges.map(({ id, session: of }) => [id, of!.edge]),
        ...[...names, ...Object.keys(aggregates)].map((name) => [name, name]),
      ]),
    );
}
