import { generatedExtension, generatedRead } from '../../circuit/generated-row.js';
import { Unnest } from '../../circuit/operators/unnest.js';
import type { NodeKind } from '../node-kind.js';
import { both, without } from '../paths.js';
import type { UnnestNode } from '../plan.js';

export const unnest: NodeKind<UnnestNode> = {
  inputs: (node) => [node.input],
  reads: (node, needed) => [both(without(needed, node.as), new Set([node.path]))],
  describe: (node) => ({ path: node.path, as: node.as }),
  explain: (node) => ({ what: `${node.path} as ${node.as}`, cost: 'O(|Δ|)', growth: 'none' }),
  compile(node, compiler) {
    const input = compiler.vertexOf(node.input);
    const names = node.relation.columns.map(({ name }) => name);
    const rowOf = generatedExtension(
      names.filter((name) => name !== node.as),
      node.as,
      names.indexOf(node.as),
    );
    return compiler.add('unnest', new Unnest(generatedRead(node.path), rowOf), [input]);
  },
};
