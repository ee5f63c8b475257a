import { unsupported } from '../unsupported.js';
import type { Expr } from './ast.js';
import { dialect } from './dialect.js';
import { compile } from './expressions.js';
import { applied, columnOf, extended, filtered, type Rel } from './relation.js';
import { Scope, type SqlColumn } from './scope.js';
import { instantOf } from './types.js';
import { exchanged, partsOf, some } from './walk.js';

/** The logical clock of a case, in milliseconds. */
const isNow = (e: Expr): boolean => e.k === 'call' && (e.name === 'now_ms' || tellsNow(e));
/** NOW() is the same clock as a timestamp. */
const tellsNow = (e: Expr): boolean => e.k === 'call' && e.name === 'now' && dialect().hasClock;
export const asksNow = (e: Expr): boolean => some(e, isNow);

const TURNED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const one: Expr = { k: 'literal', value: 1, type: 'int' };

/** Whether a condition says of the clock only that it has passed something, or has not: BETWEEN says it twice. */
export const comparesNow = (e: Expr): boolean =>
  e.k === 'binary' && TURNED[e.op] !== undefined && asksNow(e.l) !== asksNow(e.r);

/** BETWEEN as two comparisons, where the clock is among its bounds. */
export const inComparisons = (e: Expr): Expr =>
  exchanged(e, (part) => {
    if (part.k !== 'between' || !asksNow(part)) return null;
    const within: Expr = {
      k: 'binary',
      op: 'and',
      l: { k: 'binary', op: '>=', l: part.e, r: part.low },
      r: { k: 'binary', op: '<=', l: part.e, r: part.high },
    };
    return part.not ? { k: 'unary', op: 'not', e: within } : within;
  });

/**
 * Comparisons with the clock anywhere in expressions, as columns: each row is there with one answer until its instant, and
 * with the other from then on.
 */
export function answeredByTime(
  of: Rel,
  expressions: readonly Expr[],
): { rel: Rel; rewrite: (e: Expr) => Expr } {
  let rel = of;
  const known = new Map<string, Expr>();
  const visit = (e: Expr): void => {
    const text = JSON.stringify(e);
    if (!comparesNow(e)) partsOf(e).forEach(visit);
    else if (!known.has(text)) {
      const made = answer(rel, e);
      rel = made.rel;
      known.set(text, { k: 'known', id: made.column.id });
    }
  };
  expressions.map(inComparisons).forEach(visit);
  return {
    rel,
    rewrite: (e) => exchanged(inComparisons(e), (part) => known.get(JSON.stringify(part)) ?? null),
  };
}

function answer(of: Rel, condition: Expr): { rel: Rel; column: SqlColumn } {
  const { op, e } = comparison(condition);
  const rises = op === '>=' || op === '>';
  const turn = compile(op === '>=' || op === '<' ? e : { k: 'binary', op: '+', l: e, r: one }, of.scope).of;
  const at = columnOf('', 'timestamp', { made: true });
  const instant = (row: any): string | null => {
    const ms = turn(row) as number | null;
    return ms === null ? null : instantOf(ms);
  };
  const timed = extended(of, [{ column: at, of: instant }]);
  const column = columnOf('', 'bool', { made: true });
  const are = (rows: any, value: boolean | null): any =>
    extended({ ...timed, rows }, [{ column, of: () => value }]).rows;
  const compared = timed.rows.where((row: any) => row[at.id] !== null);
  const before = are(applied(compared, 'during', { until: at.id }), !rises);
  const after = are(applied(compared, 'during', { from: at.id }), rises);
  const never = are(
    timed.rows.where((row: any) => row[at.id] === null),
    null,
  );
  return {
    rel: { rows: before.union(after, never), scope: new Scope([...timed.scope.columns, column]) },
    column,
  };
}

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
  if (isNow(side)) return { op, e: tellsNow(side) ? { k: 'extract', field: 'epoch_ms', e: other } : other };
  if (side.k !== 'binary' || (side.op !== '+' && side.op !== '-'))
    return unsupported('SQL: now_ms() in an expression');
  const turned = side.op === '+' ? '-' : '+';
  if (asksNow(side.l)) return solved(op, side.l, { k: 'binary', op: turned, l: other, r: side.r });
  if (side.op === '+') return solved(op, side.r, { k: 'binary', op: '-', l: other, r: side.l });
  return unsupported('SQL: now_ms() taken away');
}
