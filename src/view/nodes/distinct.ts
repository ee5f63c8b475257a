import { DueTimes } from '../../circuit/due-times.js';
import { generatedRead } from '../../circuit/generated-row.js';
import { json } from '../../circuit/operator.js';
import { Distinct, FreedWeights, KeptWeights } from '../../circuit/operators/distinct.js';
import { freezing, tightest } from '../freezing.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import type { DistinctNode } from '../plan.js';

export const distinct: NodeKind<DistinctNode> = {
  inputs: (node) => [node.input],
  reads: () => [null],
  describe: () => ({}),
  explain({ input: { relation } }) {
    const frozenBy = tightest(freezing(relation));
    const what = 'each row once';
    if (frozenBy === null) return { what, cost: 'O(|Δ|)', growth: keptGrowth(relation) };
    return { what, cost: 'O(|Δ| log n)', growth: `freed by ${frozenBy.column}` };
  },
  compile(node, compiler) {
    const { relation } = node.input;
    const frozenBy = tightest(freezing(relation));
    const input = compiler.onTime(node.input, freezing(relation));
    if (frozenBy === null)
      return compiler.add('distinct', new Distinct(new KeptWeights(compiler.keyed('weights', json))), [
        input,
      ]);
    compiler.needsTime(frozenBy.time);
    const column = { read: generatedRead(frozenBy.column), time: frozenBy.time };
    const weights = new FreedWeights(new DueTimes(compiler.ordered('weights')), column);
    return compiler.add('distinct', new Distinct(weights), [input]);
  },
};
