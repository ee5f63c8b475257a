import { unsupported } from '../unsupported.js';
import type { Expr } from './ast.js';
import { compile } from './expressions.js';
import { applied, columnOf, extended, filtered, type Rel } from './relation.js';
import { instantOf } from './types.js';
import { some } from './walk.js';

/** The logical clock of a case, in milliseconds. */
const isNow = (e: Expr): boolean => e.k === 'call' && e.name === 'now_ms';
export const asksNow = (e: Expr): boolean => some(e, isNow);

const TURNED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const one: Expr = { k: 'literal', value: 1, type: 'int' };

/** Conditions that compare the clock with a row: the row is there from an instant on, until another. */
export function whileTrue(of: Rel, conditions: readonly Expr[]): Rel {
  const from: Expr[] = [];
  const until: Expr[] = [];
  for (const condition of conditions) {
    const { op, e } = comparison(condition);
    const next: Expr = { k: 'binary', op: '+', l: e, r: one };
    if (op === '>=') from.push(e);
    else if (op === '>') from.push(next);
    else if (op === '<') until.push(e);
    else until.push(next);
  }
  // A comparison with null holds never.
  const rel = [...from, ...until].reduce(
    (all, e) => filtered(all, { k: 'is', e, value: null, not: true }),
    of,
  );
  const end = (ends: readonly Expr[], choose: (...ms: number[]) => number) => {
    if (ends.length === 0) return null;
    const each = ends.map((e) => compile(e, rel.scope));
    return {
      column: columnOf('', 'timestamp', { made: true }),
      of: (row: any) => instantOf(choose(...each.map((one) => one.of(row) as number))),
    };
  };
  const [begins, ends] = [end(from, Math.max), end(until, Math.min)];
  const wide = extended(
    rel,
    [begins, ends].filter((column) => column !== null),
  );
  const rows = applied(wide.rows, 'during', {
    ...(begins && { from: begins.column.id }),
    ...(ends && { until: ends.column.id }),
  });
  return { ...wide, rows };
}

/** `now op e`. */
function comparison(condition: Expr): { op: string; e: Expr } {
  if (condition.k !== 'binary' || TURNED[condition.op] === undefined)
    return unsupported('SQL: now_ms() here');
  const { op, l, r } = condition;
  if (asksNow(l) && !asksNow(r)) return solved(op, l, r);
  if (asksNow(r) && !asksNow(l)) return solved(TURNED[op]!, r, l);
  return unsupported('SQL: now_ms() on both sides');
}

function solved(op: string, side: Expr, other: Expr): { op: string; e: Expr } {
  if (isNow(side)) return { op, e: other };
  if (side.k !== 'binary' || (side.op !== '+' && side.op !== '-'))
    return unsupported('SQL: now_ms() in an expression');
  const turned = side.op === '+' ? '-' : '+';
  if (asksNow(side.l)) return solved(op, side.l, { k: 'binary', op: turned, l: other, r: side.r });
  if (side.op === '+') return solved(op, side.r, { k: 'binary', op: '-', l: other, r: side.l });
  return unsupported('SQL: now_ms() taken away');
}
