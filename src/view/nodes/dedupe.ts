import { DueTimes } from '../../circuit/due-times.js';
import { FreedMembers } from '../../circuit/freed-members.js';
import { generatedRead } from '../../circuit/generated-row.js';
import type { Ordered } from '../../circuit/operator.js';
import { Dedupe } from '../../circuit/operators/dedupe.js';
import { Top } from '../../circuit/operators/top.js';
import type { OrderedRows } from '../../circuit/ordered-rows.js';
import { positionIn } from '../../circuit/place-in-log.js';
import type { PlanCompiler } from '../compile-plan.js';
import { durationText } from '../duration.js';
import { freezingAmong, freezingTime } from '../freezing.js';
import { frozenGroups } from '../frozen-groups.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import type { DedupeNode } from '../plan.js';
import type { ColumnWatermark, Relation } from '../relation.js';
import { keyTextOfColumns, rowTextOfColumns } from '../row-texts.js';

export const dedupe: NodeKind<DedupeNode> = {
  inputs: (node) => [node.input],
  // Of rows of one time that by the bytes of its text comes first.
  reads: () => [null],
  describe: ({ by, withinMs, at }) => ({ by, withinMs, at }),
  explain({ input: { relation }, by, withinMs, at }) {
    const time = at === null ? 'their place in the log' : at;
    const keys = by.join(', ');
    const [frozenBy] = freezingOf(relation, { by, withinMs, at });
    const freed = frozenBy && (`freed by ${frozenBy.column}` as const);
    if (withinMs === null)
      return {
        what: `the first of each ${keys} by ${time}`,
        cost: 'O(|Δ| log n)',
        growth: freed ?? (relation.appendOnly ? 'the first rows of each group' : 'grows with its input'),
      };
    return {
      what: `each but those with another of their ${keys} at most ${durationText(withinMs)} before them, by ${time}`,
      cost: 'O(|Δ| log n)',
      growth: freed ?? keptGrowth(relation),
    };
  },
  compile(node, compiler) {
    const { relation } = node.input;
    const { by, withinMs } = node;
    const input = compiler.onTime(node.input, freezingOf(relation, node));
    const rows = rowsOf(node, compiler);
    const members = compiler.ordered('rows');
    if (withinMs !== null) {
      const freed = freedMembers(node, withinMs, { members, compiler });
      return compiler.add('dedupe', new Dedupe(members, { ...rows, withinMs, ...freed }), [input]);
    }
    const { appendOnly } = relation;
    const first = { offset: 0, count: 1, ranked: null, appendOnly };
    const frozen = frozenGroups(relation, by, { members: [members], compiler });
    return compiler.add('dedupe', new Top(members, { ...rows, ...first, ...frozen }), [input]);
  },
};

/** The watermarks by which rows can be forgotten: of what they are compared by, or else of their time. */
const freezingOf = (
  relation: Relation,
  { by, withinMs, at }: Pick<DedupeNode, 'by' | 'withinMs' | 'at'>,
): readonly ColumnWatermark[] =>
  withinMs === null ? freezingAmong(relation, by) : freezingTime(relation, at);

function freedMembers(
  { input, at }: DedupeNode,
  keptMs: number,
  { members, compiler }: { members: Ordered; compiler: PlanCompiler },
): { freed?: FreedMembers } {
  const [watermark] = freezingTime(input.relation, at);
  if (watermark === undefined) return {};
  const { time } = watermark;
  compiler.needsTime(time);
  return { freed: new FreedMembers([members], { time, keptMs, due: new DueTimes(compiler.ordered('due')) }) };
}

/** Rows are put in the order of their time; those of one time in that of the log, or else of their texts. */
function rowsOf({ input, by, at }: DedupeNode, compiler: PlanCompiler): OrderedRows {
  const { relation } = input;
  compiler.needsOrder(relation, at === null ? 'time' : 'position');
  const timeOf = at === null ? null : generatedRead(at);
  return {
    groupKeyOf: keyTextOfColumns(relation.columns, by),
    orderOf: (row, place = '') => (timeOf === null ? place : (timeOf(row) as string) + positionIn(place)),
    textOf: rowTextOfColumns(relation.columns),
  };
}
