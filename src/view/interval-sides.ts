import { DueTimes } from '../circuit/due-times.js';
import { generatedRead } from '../circuit/generated-row.js';
import type { IntervalSide } from '../circuit/operators/interval-join.js';
import type { Shown } from '../circuit/pairing.js';
import type { Row } from '../zset/value.js';
import { columnAt } from './column.js';
import type { PlanCompiler } from './compile-plan.js';
import { describeFunction } from './describe-expression.js';
import { durationText } from './duration.js';
import { shortSource } from './expression-text.js';
import { intervalTimes } from './join-relation.js';
import { joinedBy, keyTexts, matchesOf, onText } from './join-sides.js';
import { keptGrowth } from './kept-growth.js';
import type { Growth } from './node-kind.js';
import { both, type Paths } from './paths.js';
import type { IntervalJoinNode, IntervalSemiJoinNode } from './join-plan.js';
import type { ColumnWatermark, Relation } from './relation.js';

/** What joins within an interval are alike in. */

type Joining = Pick<IntervalJoinNode | IntervalSemiJoinNode, 'left' | 'right' | 'on' | 'within' | 'where'>;

const timesOf = ({ left, right, within }: Joining) => intervalTimes(left.relation, right.relation, within);

/** What is read of both sides: what the same join without an interval reads, and the times. */
export const intervalReads = ({ within }: Joining, [left, right]: readonly Paths[]): Paths[] => [
  both(left!, new Set([within.left])),
  both(right!, new Set([within.right])),
];

/** For the fingerprint. */
export const describeInterval = (node: Joining): object => ({
  on: joinedBy(node.on),
  within: node.within,
  ...(node.where && { where: describeFunction(node.where) }),
  ...describeFreed(node),
});

/** Rows that may lack their time were kept for ever once, and are stored otherwise since. */
function describeFreed(node: Joining): { freed?: true } {
  const times = timesOf(node);
  const isMissing = (relation: Relation, time: ColumnWatermark | null): boolean =>
    time !== null && columnAt(relation.columns, time.column)?.type.nullable === true;
  return isMissing(node.left.relation, times.left) || isMissing(node.right.relation, times.right)
    ? { freed: true }
    : {};
}

/** For people: `on id, paidAt from 1h before to 0ms after at`. `right`: what its time is called. */
export function intervalText({ on, within, where }: Joining, right: string): string {
  const { beforeMs, afterMs, left } = within;
  const interval = `from ${durationText(beforeMs)} before to ${durationText(afterMs)} after ${left}`;
  return `on ${onText(on)}, ${right} ${interval}${where ? ` where ${shortSource(where.source)}` : ''}`;
}

/** What is kept of both sides. `right`: what its time is called. */
export function intervalGrowth(node: Joining, right: string): Growth {
  const times = timesOf(node);
  if (times.left !== null && times.right !== null) return `freed by ${node.within.left} and ${right}`;
  return keptGrowth(times.left === null ? node.right.relation : node.left.relation);
}

/** The vertices of both sides' rows, without those that are late for their side's time. */
export function intervalInputs(node: Joining, compiler: PlanCompiler): number[] {
  const times = timesOf(node);
  for (const watermark of [times.left, times.right])
    if (watermark !== null) compiler.needsTime(watermark.time);
  return (['left', 'right'] as const).map((side) =>
    compiler.onTime(node[side], times[side] === null ? [] : [times[side]]),
  );
}

export function intervalSide(
  node: Joining,
  compiler: PlanCompiler,
  side: 'left' | 'right',
  shown: Shown | null,
): IntervalSide {
  const { beforeMs, afterMs } = node.within;
  const keyOf = keyTexts(node)[side];
  const timeOf = generatedRead(node.within[side]) as (row: Row) => string;
  const other = timesOf(node)[side === 'left' ? 'right' : 'left'];
  return {
    // Without a time it matches nothing.
    keyOf: (row) => (timeOf(row) === null ? null : keyOf(row)),
    timeOf,
    rows: compiler.ordered(side),
    matches: shown === null ? null : matchesOf(side, compiler),
    shown,
    belowMs: side === 'left' ? beforeMs : afterMs,
    aboveMs: side === 'left' ? afterMs : beforeMs,
    freed: other && { due: new DueTimes(compiler.ordered(`${side}.due`)), time: other.time },
  };
}
