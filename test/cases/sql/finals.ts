import { unsupported } from '../unsupported.js';
import type { Call, Expr, Item, Query } from './ast.js';
import { call } from './call-parser.js';
import type { Catalog } from './catalog.js';
import { compile } from './expressions.js';
import { relationOf } from './query.js';
import { applied, columnOf, extended, joined, picked, type Rel } from './relation.js';
import { Scope } from './scope.js';
import { instantOf, isNumber, isTime, msOf } from './types.js';
import { isWindow, partsOf } from './walk.js';

/** Views that show rows once these can no longer change. */

/** The rows of which a column lies behind the clock. */
export function finalBy(of: Rel, name: string, clock: Rel): Rel {
  const { id, type } = of.scope.column(null, name.toLowerCase());
  if (!isTime(type) && !isNumber(type)) return unsupported(`rows that are final by ${type}`);
  const from = columnOf('', 'timestamp', { made: true });
  const behind = (row: any): string | null =>
    row[id] === null ? null : instantOf((isTime(type) ? msOf(row[id]) : row[id]) + 1);
  const timed = extended(joined('inner', of, clock, []), [{ column: from, of: behind }]);
  const rows = timed.rows.where((row: any) => row[from.id] !== null);
  return picked(
    { ...timed, rows: applied(rows, 'during', { from: from.id }) },
    of.scope.columns.map((column) => [column.id, column]),
  );
}

/** Whether a query looks at rows beside each row: what those are must be final before. */
export const hasWindows = (sql: string): boolean => /\b(over|gap_fill)\s*\(/i.test(sql);

/**
 * A query with windows over rows that can no longer change: of these those whose frames are whole, which is where as many
 * rows follow as they look at.
 */
export function finalWindows(query: Query, finalRows: Catalog): Rel {
  const { body } = query;
  if (body.k !== 'select') return unsupported('SQL: final windows in this query');
  const calls: Call[] = [];
  const visit = (e: Expr): void => (isWindow(e) ? void calls.push(e) : partsOf(e).forEach(visit));
  body.items.forEach(({ e }) => visit(e));
  const looking = calls.map((one) => ({ one, rows: rowsAhead(one) })).filter(({ rows }) => rows > 0);
  const counts = looking.map(({ one: { over }, rows }, place): Item => {
    const by: Expr = { k: 'literal', value: rows, type: 'int' };
    const frame = { unit: 'rows', from: { at: 'current' }, to: { at: 'after', by } } as const;
    const e: Expr = { ...call('count', []), star: true, over: { ...over!, frame } };
    return { e, as: `(ahead ${place})`, name: `(ahead ${place})` };
  });
  const rel = relationOf({ ...query, body: { ...body, items: [...body.items, ...counts] } }, finalRows, null);
  const found = looking.map(({ rows }, place) => ({
    id: rel.scope.column(null, `(ahead ${place})`).id,
    rows,
  }));
  const whole = rel.rows.where((row: any) => found.every(({ id, rows }) => row[id] === rows + 1));
  return picked(
    { ...rel, rows: whole },
    rel.scope.columns
      .filter(({ id }) => !found.some((one) => one.id === id))
      .map((column) => [column.id, column]),
  );
}

/** How many rows behind a row a window looks at. */
function rowsAhead({ name, args, over }: Call): number {
  const constant = (e: Expr): number => Number(compile(e, new Scope([])).of({}));
  if (name === 'lead') return args[1] === undefined ? 1 : constant(args[1]);
  if (over!.frame === null || over!.frame.to.at === 'current' || over!.frame.to.at === 'before') return 0;
  const { unit, to } = over!.frame;
  return unit === 'rows' && to.at === 'after'
    ? constant(to.by)
    : unsupported('SQL: final windows of this frame');
}
