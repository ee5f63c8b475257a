import { DueTimes } from '../../circuit/due-times.js';
import { generatedRead } from '../../circuit/generated-row.js';
import { Final } from '../../circuit/operators/final.js';
import { finishesInGroups, freezing, tightest } from '../freezing.js';
import type { NodeKind } from '../node-kind.js';
import { isFinalOfPanes } from '../panes.js';
import { both } from '../paths.js';
import type { FinalNode } from '../plan.js';
import { aggregateVertex } from './aggregate.js';

export const final: NodeKind<FinalNode> = {
  inputs: (node) => [node.input],
  reads: (node, needed) => [both(needed, new Set(freezing(node.input.relation).map(({ column }) => column)))],
  describe: (node) => (isFinalOfPanes(node) ? { panes: true } : {}),
  explain(node) {
    const { input } = node;
    const by = tightest(freezing(input.relation))?.column;
    if (input.op === 'aggregate' && finishesInGroups(input))
      return {
        what: `results once, when ${by} is over (${isFinalOfPanes(node) ? 'merged of panes' : 'kept in the groups'})`,
        cost: 'O(|Δ|)',
        growth: 'none',
      };
    return { what: `rows once, when ${by} is over`, cost: 'O(|Δ| log n)', growth: `freed by ${by}` };
  },
  compile(node, compiler) {
    const { input } = node;
    if (input.op === 'aggregate' && finishesInGroups(input)) return aggregateVertex(input, compiler, true);
    const { column, time } = tightest(freezing(input.relation))!;
    const vertex = compiler.onTime(input, freezing(input.relation));
    compiler.needsTime(time);
    const held = new DueTimes(compiler.ordered('held'));
    return compiler.add('final', new Final(held, { read: generatedRead(column), time }), [vertex]);
  },
};
