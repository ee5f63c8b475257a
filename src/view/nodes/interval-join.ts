import { DueTimes } from '../../circuit/due-times.js';
import { generatedExtension, generatedRead } from '../../circuit/generated-row.js';
import { IntervalJoin, type IntervalSide } from '../../circuit/operators/interval-join.js';
import type { Row } from '../../zset/value.js';
import { columnAt } from '../column.js';
import type { PlanCompiler } from '../compile-plan.js';
import { describeFunction } from '../describe-expression.js';
import { durationText } from '../duration.js';
import { shortSource } from '../expression-text.js';
import { intervalTimes } from '../join-relation.js';
import { joinedBy, keyTexts, matchesOf, onText, pagedWorks } from '../join-sides.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import { both } from '../paths.js';
import type { IntervalJoinNode } from '../plan.js';
import type { ColumnWatermark, Relation } from '../relation.js';
import { join } from './join.js';

export const intervalJoin: NodeKind<IntervalJoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads(node, needed) {
    const [left, right] = join.reads({ ...node, op: 'join' }, needed);
    return [both(left!, new Set([node.within.left])), both(right!, new Set([node.within.right]))];
  },
  describe({ kind, left, right, as, on, where, within }) {
    const times = intervalTimes(left.relation, right.relation, within);
    const isMissing = (relation: Relation, time: ColumnWatermark | null): boolean =>
      time !== null && columnAt(relation.columns, time.column)?.type.nullable === true;
    return {
      kind,
      as,
      on: joinedBy(on),
      within,
      ...(where && { where: describeFunction(where) }),
      // Rows that may lack their time were kept for ever once, and are stored otherwise since.
      ...((isMissing(left.relation, times.left) || isMissing(right.relation, times.right)) && {
        freed: true,
      }),
    };
  },
  explain({ kind, left, right, as, on, where, within }) {
    const times = intervalTimes(left.relation, right.relation, within);
    const interval = `from ${durationText(within.beforeMs)} before to ${durationText(within.afterMs)} after`;
    return {
      what:
        `${kind === 'inner' ? '' : `${kind} `}join ${as} on ${onText(on)}, ${as}.${within.right} ${interval} ${within.left}` +
        (where ? ` where ${shortSource(where.source)}` : ''),
      cost: 'O(|Δ| · matches)',
      growth:
        times.left !== null && times.right !== null
          ? `freed by ${within.left} and ${as}.${within.right}`
          : keptGrowth(times.left === null ? right.relation : left.relation),
    };
  },
  compile(node, compiler) {
    const { left, right, within, kind, as } = node;
    const times = intervalTimes(left.relation, right.relation, within);
    const inputs = [
      compiler.onTime(left, times.left === null ? [] : [times.left]),
      compiler.onTime(right, times.right === null ? [] : [times.right]),
    ];
    for (const watermark of [times.left, times.right])
      if (watermark !== null) compiler.needsTime(watermark.time);
    const names = left.relation.columns.map(({ name }) => name);
    const pairOf = generatedExtension(names, as, names.length);
    const none = Object.fromEntries(names.map((name) => [name, null]));
    const { beforeMs, afterMs } = within;
    const operator = new IntervalJoin(
      sideOf(node, compiler, 'left', {
        aloneAs: kind === 'left' || kind === 'full' ? (row: Row) => pairOf(row, null) : null,
        belowMs: beforeMs,
        aboveMs: afterMs,
      }),
      sideOf(node, compiler, 'right', {
        aloneAs: kind === 'right' || kind === 'full' ? (row: Row) => pairOf(none, row) : null,
        belowMs: afterMs,
        aboveMs: beforeMs,
      }),
      { pairOf, givesPairs: true, condition: node.where?.call ?? null, errors: compiler.errorsOf('join') },
      pagedWorks(compiler),
    );
    return compiler.add('interval join', operator, inputs);
  },
};

function sideOf(
  node: IntervalJoinNode,
  compiler: PlanCompiler,
  side: 'left' | 'right',
  reach: Pick<IntervalSide, 'aloneAs' | 'belowMs' | 'aboveMs'>,
): IntervalSide {
  const { left, right, within } = node;
  const keyOf = keyTexts(node)[side];
  const timeOf = generatedRead(within[side]) as (row: Row) => string;
  const other = intervalTimes(left.relation, right.relation, within)[side === 'left' ? 'right' : 'left'];
  return {
    // Without a time it matches nothing.
    keyOf: (row) => (timeOf(row) === null ? null : keyOf(row)),
    timeOf,
    rows: compiler.ordered(side),
    matches: reach.aloneAs === null ? null : matchesOf(side, compiler),
    ...reach,
    freed: other && { due: new DueTimes(compiler.ordered(`${side}.due`)), time: other.time },
  };
}
