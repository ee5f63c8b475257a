import { json } from '../../circuit/operator.js';
import { Distinct } from '../../circuit/operators/distinct.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import type { DistinctNode } from '../plan.js';

export const distinct: NodeKind<DistinctNode> = {
  inputs: (node) => [node.input],
  reads: () => [null],
  describe: () => ({}),
  explain: (node) => ({ what: 'each row once', cost: 'O(|Δ|)', growth: keptGrowth(node.input.relation) }),
  compile(node, compiler) {
    const input = compiler.vertexOf(node.input);
    return compiler.add('distinct', new Distinct(compiler.keyed('weights', json)), [input]);
  },
};
