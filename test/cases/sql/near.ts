import type { Expr } from './ast.js';
import { compile } from './expressions.js';
import type { Rel } from './relation.js';
import { Scope, type SqlColumn } from './scope.js';
import { columnsIn } from './walk.js';

/** Joins of rows whose times lie near each other, where views wait until these rows can no longer change. */

/** `right - left` in milliseconds. */
interface Bound {
  readonly left: SqlColumn;
  readonly right: SqlColumn;
  readonly least: number;
  readonly most: number;
}

/**
 * The interval that some conditions bound the times of both sides to, as a join takes it; null where they do not, or where
 * a side has no time that it is ever late for. The conditions stay: they may say more.
 */
export function nearness(conditions: readonly Expr[], left: Rel, right: Rel): object | null {
  const bounds = conditions
    .flatMap(comparisonsIn)
    .flatMap((condition) => boundOf(condition, left, right) ?? []);
  const [first] = bounds;
  if (first === undefined) return null;
  const same = bounds.filter((one) => one.left === first.left && one.right === first.right);
  const least = Math.max(...same.map((one) => one.least));
  const most = Math.min(...same.map((one) => one.most));
  if (!Number.isFinite(least) || !Number.isFinite(most)) return null;
  return {
    before: `${Math.max(0, -least)}ms`,
    after: `${Math.max(0, most)}ms`,
    left: first.left.id,
    right: first.right.id,
  };
}

/** BETWEEN is two comparisons. */
function comparisonsIn(e: Expr): { op: string; l: Expr; r: Expr }[] {
  if (e.k === 'between' && !e.not)
    return [
      { op: '>=', l: e.e, r: e.low },
      { op: '<=', l: e.e, r: e.high },
    ];
  return e.k === 'binary' ? [e] : [];
}

function boundOf({ op, l, r }: { op: string; l: Expr; r: Expr }, left: Rel, right: Rel): Bound | null {
  const [one, other] = [shifted(l, left.scope, right.scope), shifted(r, left.scope, right.scope)];
  if (one === null || other === null || one.isLeft === other.isLeft) return null;
  // What the right side's time is to the left one's: `right op left + ms`.
  const [ours, theirs, said] = one.isLeft ? [one, other, TURNED[op]] : [other, one, op];
  const ms = ours.ms - theirs.ms;
  const ends = { left: ours.column, right: theirs.column };
  switch (said) {
    case '>=':
      return { ...ends, least: ms, most: Infinity };
    case '>':
      return { ...ends, least: ms + 1, most: Infinity };
    case '<=':
      return { ...ends, least: -Infinity, most: ms };
    case '<':
      return { ...ends, least: -Infinity, most: ms - 1 };
    case '=':
      return { ...ends, least: ms, most: ms };
    default:
      return null;
  }
}

const TURNED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '=': '=' };

/** A time that has a watermark, and so many milliseconds. */
function shifted(
  e: Expr,
  left: Scope,
  right: Scope,
): { column: SqlColumn; isLeft: boolean; ms: number } | null {
  if (e.k === 'column') {
    const here = left.find(e.table, e.name);
    const column = here ?? right.find(e.table, e.name);
    return column?.isTime === true ? { column, isLeft: here !== null, ms: 0 } : null;
  }
  if (e.k !== 'binary' || (e.op !== '+' && e.op !== '-')) return null;
  const [of, by] = columnsIn(e.l).length > 0 ? [e.l, e.r] : [e.r, e.l];
  if (columnsIn(by).length > 0 || (e.op === '-' && of === e.r)) return null;
  const found = shifted(of, left, right);
  const ms = compile(by, new Scope([])).of({});
  return found === null || typeof ms !== 'number'
    ? null
    : { ...found, ms: found.ms + (e.op === '+' ? ms : -ms) };
}
