import { Union } from '../../circuit/operators/union.js';
import type { NodeKind } from '../node-kind.js';
import type { UnionNode } from '../plan.js';

export const union: NodeKind<UnionNode> = {
  inputs: (node) => node.inputs,
  reads: (node, needed) => node.inputs.map(() => needed),
  describe: () => ({}),
  explain: (node) => ({ what: `${node.inputs.length} inputs`, cost: 'O(|Δ|)', growth: 'none' }),
  compile(node, compiler) {
    const inputs = node.inputs.map((input) =>
      compiler.withColumns(compiler.vertexOf(input), input.relation, node.relation.columns),
    );
    return compiler.add('union', new Union(), inputs);
  },
};
