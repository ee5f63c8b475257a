import { unsupported } from '../unsupported.js';
import type { Expr } from './ast.js';
import { compile } from './expressions.js';
import { columnOf, expanded, type Rel } from './relation.js';
import { Scope, type SqlColumn } from './scope.js';
import { instantOf, intervalOf, msOf } from './types.js';

/** TUMBLE and HOP of a table: each row with the start and the end of every window it lies in. */
export function timeWindow(kind: 'tumble' | 'hop', rel: Rel, args: readonly Expr[], as: string): Rel {
  const [time, ...widths] = args;
  if (time?.k !== 'column') return unsupported(`SQL: ${kind}() by an expression`);
  const column = rel.scope.column(null, time.name);
  const sizes = widths.map((e) => {
    const value = compile(e, new Scope([])).of({});
    const interval = typeof value === 'string' ? intervalOf(value) : value;
    return typeof interval === 'number' ? interval : unsupported('windows of months');
  });
  const [every, size] = kind === 'tumble' ? [sizes[0]!, sizes[0]!] : [sizes[0]!, sizes[1]!];
  if (sizes.length !== (kind === 'tumble' ? 1 : 2)) unsupported('windows with an offset');
  const edge = (name: string): SqlColumn =>
    columnOf(name, column.type === 'date' ? 'timestamp' : column.type, { table: as });
  const [start, end] = [edge('window_start'), edge('window_end')];
  return expanded(rel, [start, end], (row) => {
    if (row[column.id] === null) return [];
    const at = msOf(row[column.id]);
    const found = [];
    for (let from = Math.floor(at / every) * every; from > at - size; from -= every)
      found.push({ [start.id]: instantOf(from), [end.id]: instantOf(from + size) });
    return found;
  });
}
