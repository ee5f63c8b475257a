import { unsupported } from '../unsupported.js';
import type { Expr } from './ast.js';
import { only, splitOn } from './equality.js';
import { ordered } from './limit.js';
import { applied, attached, columnOf, joined, materialized, offered, picked, type Rel } from './relation.js';
import { Scope, type SqlColumn } from './scope.js';

const TURNED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/**
 * ASOF JOIN: each left row with the one right row whose value lies nearest to its own, on one side of it. It is the first of
 * all that match, in the order of that value.
 */
export function asOfJoin(kind: 'inner' | 'left', left: Rel, right: Rel, on: readonly Expr[]): Rel {
  const numbered = withNumber(left);
  const split = splitOn(on, numbered.rel, right);
  const [nearest, ...others] = split.rest;
  if (nearest?.k !== 'binary' || TURNED[nearest.op] === undefined || others.length > 0)
    return unsupported('SQL: ASOF JOIN by other than one comparison');
  const { op, l, r } = nearest;
  const isLeft = only(l, left.scope, right.scope) && only(r, right.scope, left.scope);
  // What the right value is to the left one.
  const side = isLeft ? { op: TURNED[op]!, e: r } : { op, e: l };
  const rights = materialized(split.right, [side.e]);
  const [value] = rights.ids as [string];
  const pairs = joined('inner', split.left, rights.rel, split.pairs, nearest);
  // Of several that lie equally near it is the least.
  const sorted = ordered(pairs, [
    { id: value, descending: side.op.startsWith('<'), nullsFirst: false },
    ...right.scope.own.map(({ id }) => ({ id, descending: false, nullsFirst: false })),
  ]);
  const best: Rel = {
    ...sorted.rel,
    rows: applied(sorted.rel.rows, 'top', 1, { per: [numbered.number.id], order: sorted.order }),
  };
  const own = new Set(right.scope.columns.map(({ id }) => id));
  const number: SqlColumn = columnOf('', 'int', { made: true });
  const found = picked(best, [
    [numbered.number.id, number],
    ...best.scope.columns
      .filter(({ id }) => own.has(id))
      .map((column): [string, SqlColumn] => [column.id, column]),
  ]);
  return attached(kind, numbered.rel, found, [[numbered.number.id, number.id]]);
}

/** Rows may be equal: each has a number. */
function withNumber(rel: Rel): { rel: Rel; number: SqlColumn } {
  const number = columnOf('', 'int', { made: true });
  const sorted = ordered(rel, []);
  return {
    rel: {
      rows: applied(
        sorted.rel.rows,
        'over',
        { order: sorted.order },
        { [number.id]: offered('rowNumber')() },
      ),
      scope: new Scope([...sorted.rel.scope.columns, number]),
    },
    number,
  };
}
