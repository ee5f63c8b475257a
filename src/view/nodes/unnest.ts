import { generatedExtension, generatedRead } from '../../circuit/generated-row.js';
import { Expand, unexpandedCodec } from '../../circuit/operators/expand.js';
import type { NodeKind } from '../node-kind.js';
import { both, without } from '../paths.js';
import type { UnnestNode } from '../plan.js';
import type { Row, Value } from '../../zset/value.js';

const NONE: readonly Row[] = [];

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
    const elementsOf = generatedRead(node.path);
    const operator = new Expand(
      (row) => {
        const elements = elementsOf(row);
        return Array.isArray(elements) ? elements.map((element: Value) => rowOf(row, element)) : NONE;
      },
      compiler.errorsOf('unnest'),
      compiler.keyed('unexpanded', unexpandedCodec),
    );
    return compiler.add('unnest', operator, [input]);
  },
};
