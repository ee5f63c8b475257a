import { generatedRead } from '../../circuit/generated-row.js';
import { Dedupe } from '../../circuit/operators/dedupe.js';
import { Top } from '../../circuit/operators/top.js';
import { memberOfRow, type OrderedRows } from '../../circuit/ordered-rows.js';
import type { PlanCompiler } from '../compile-plan.js';
import { durationText } from '../duration.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import type { DedupeNode } from '../plan.js';

export const dedupe: NodeKind<DedupeNode> = {
  inputs: (node) => [node.input],
  // Of rows of one time that by the bytes of its text comes first.
  reads: () => [null],
  describe: ({ by, withinMs, at }) => ({ by, withinMs, at }),
  explain({ input: { relation }, by, withinMs, at }) {
    const time = at === null ? 'their place in the log' : at;
    const keys = by.join(', ');
    if (withinMs === null)
      return {
        what: `the first of each ${keys} by ${time}`,
        cost: 'O(|Δ| log n)',
        growth: relation.appendOnly ? 'the first rows of each group' : 'grows with its input',
      };
    return {
      what: `each but those with another of their ${keys} at most ${durationText(withinMs)} before them, by ${time}`,
      cost: 'O(|Δ| log n)',
      growth: keptGrowth(relation),
    };
  },
  compile(node, compiler) {
    const input = compiler.vertexOf(node.input);
    const rows = rowsOf(node, compiler);
    const members = compiler.ordered('rows');
    const { appendOnly } = node.input.relation;
    const operator =
      node.withinMs === null
        ? new Top(members, { ...rows, offset: 0, count: 1, ranked: null, appendOnly })
        : new Dedupe(members, { ...rows, withinMs: node.withinMs });
    return compiler.add('dedupe', operator, [input]);
  },
};

/** An order text begins with the event's time, an instant of 24 characters; the place in the log is the rest. */
const INSTANT_LENGTH = 24;

/** Rows are put in the order of their time; those of one time in that of the log, or else of their texts. */
function rowsOf({ input, by, at }: DedupeNode, compiler: PlanCompiler): OrderedRows {
  const { relation } = input;
  compiler.needsOrder(relation);
  const textOf = compiler.rowTextOf(relation);
  const timeOf = at === null ? null : generatedRead(at);
  return {
    groupKeyOf: compiler.keyTextOf(relation, by),
    memberOf(row, order = '') {
      const place = timeOf === null ? order : (timeOf(row) as string) + order.slice(INSTANT_LENGTH);
      return memberOfRow(place, textOf(row));
    },
  };
}
