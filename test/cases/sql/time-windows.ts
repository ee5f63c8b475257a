import { unsupported } from '../unsupported.js';
import type { Expr } from './ast.js';
import { compile } from './expressions.js';
import { inWindows } from './group-windows.js';
import { columnOf, extended, materialized, type Rel } from './relation.js';
import { Scope, type SqlColumn } from './scope.js';
import { intervalOf } from './types.js';

/**
 * TUMBLE, HOP and SESSION of a table: each row with the start and the end of every window it lies in; where these are
 * sessions, they are told once the rows are grouped by `keys`.
 */
export function timeWindow(
  kind: string,
  rel: Rel,
  args: readonly Expr[],
  as: string,
  keys: readonly Expr[],
): Rel {
  const [time, ...widths] = args;
  if (time?.k !== 'column') return unsupported(`SQL: ${kind}() by an expression`);
  const column = rel.scope.column(null, time.name);
  const sizes = widths.map((e) => {
    const value = compile(e, new Scope([])).of({});
    const interval = typeof value === 'string' ? intervalOf(value) : value;
    return typeof interval === 'number' ? interval : unsupported('windows of months');
  });
  const [every, size] = kind === 'tumble' ? [sizes[0]!, sizes[0]!] : [sizes[0]!, sizes[1]!];
  const edge = (name: string): SqlColumn =>
    columnOf(name, column.type === 'date' ? 'timestamp' : column.type, { table: as });
  const [start, end] = [edge('window_start'), edge('window_end')];
  // Days begin at midnight: a date is its instant.
  const timed = materialized(rel, [
    column.type === 'date'
      ? { k: 'cast', e: { k: 'known', id: column.id }, type: 'timestamp' }
      : { k: 'known', id: column.id },
  ]);
  if (kind === 'session') {
    const of = materialized(timed.rel, keys);
    const session = { gapMs: sizes[0]!, on: timed.ids[0]!, keys: of.ids };
    const same = (row: any): unknown => row[session.on];
    return extended(of.rel, [
      { column: { ...start, session: { ...session, edge: 'windowStart' } }, of: same },
      { column: { ...end, session: { ...session, edge: 'windowEnd' } }, of: same },
    ]);
  }
  const offset = sizes[kind === 'tumble' ? 1 : 2] ?? 0;
  return inWindows(timed.rel, timed.ids[0]!, { every, size, offset }, { start, end });
}
