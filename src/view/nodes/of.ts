import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import { Of } from '../../circuit/operators/of.js';
import type { NodeKind } from '../node-kind.js';
import { both } from '../paths.js';
import type { OfNode } from '../plan.js';

export const of: NodeKind<OfNode> = {
  inputs: (node) => [node.input],
  reads: (node, needed) => [both(needed, new Set([node.discriminator]))],
  describe: ({ discriminator, types }) => ({ discriminator, types }),
  explain: ({ discriminator, types }) => ({
    what: `${discriminator} is ${types.join(' or ')}`,
    cost: 'O(|Δ|)',
    growth: 'none',
  }),
  compile(node, compiler) {
    const input = compiler.vertexOf(node.input);
    const { columns } = node.relation;
    const rowOf =
      columns.length === node.input.relation.columns.length
        ? null
        : generatedRow(columns.map(({ name }) => ({ name, from: { path: name } })));
    return compiler.add('of', new Of(generatedRead(node.discriminator), node.types, rowOf), [input]);
  },
};
