import type { Expr } from './ast.js';
import { call } from './call-parser.js';
import { compile } from './expressions.js';
import { materialized, type Rel } from './relation.js';
import type { Scope } from './scope.js';
import { baseOf, isNumber } from './types.js';
import { columnsIn, isQuery, some } from './walk.js';

/** The two sides of an equality, one of each relation; null where a condition is none. */
export function equalSides(e: Expr, left: Scope, right: Scope): { l: Expr; r: Expr; nulls: boolean } | null {
  const nulls = e.k === 'distinct' && e.not;
  if (!nulls && !(e.k === 'binary' && e.op === '=')) return null;
  const [one, other] = [e.l, e.r];
  if (some(one, isQuery) || some(other, isQuery) || one.k === 'row' || other.k === 'row') return null;
  for (const [l, r] of [
    [one, other],
    [other, one],
  ] as const)
    if (only(l, left, right) && only(r, right, left)) return { l, r, nulls };
  return null;
}

/** Whether an expression names columns, and all of them are of this side. */
export function only(e: Expr, scope: Scope, other: Scope): boolean {
  const columns = columnsIn(e);
  return (
    columns.length > 0 &&
    columns.every(({ table, name }) => {
      const here = scope.find(table, name);
      return here !== null && (other.find(table, name) === null || !here.outer);
    })
  );
}

/** Conditions that make a join: equal columns of both sides, and what is left of the conditions. */
export function splitOn(
  conditions: readonly Expr[],
  left: Rel,
  right: Rel,
): { left: Rel; right: Rel; pairs: [string, string][]; rest: Expr[] } {
  const rest: Expr[] = [];
  const sides: { l: Expr; r: Expr; nulls: boolean }[] = [];
  for (const condition of conditions) {
    const equal = equalSides(condition, left.scope, right.scope);
    if (equal === null) rest.push(condition);
    else sides.push(equal);
  }
  const typed = sides.map(({ l, r, nulls }) => {
    const [a, b] = [compile(l, left.scope).type, compile(r, right.scope).type];
    const text = (e: Expr): Expr =>
      nulls
        ? call('coalesce', [
            { k: 'cast', e, type: 'text' },
            { k: 'literal', value: '\u0000null', type: 'text' },
          ])
        : e;
    if (baseOf(a) === baseOf(b) || (isNumber(a) && isNumber(b))) return { l: text(l), r: text(r) };
    const type = a === 'unknown' ? b : b === 'unknown' ? a : 'timestamp';
    return { l: text({ k: 'cast', e: l, type }), r: text({ k: 'cast', e: r, type }) };
  });
  const ls = materialized(
    left,
    typed.map(({ l }) => l),
  );
  const rs = materialized(
    right,
    typed.map(({ r }) => r),
  );
  return { left: ls.rel, right: rs.rel, pairs: ls.ids.map((id, place) => [id, rs.ids[place]!]), rest };
}
