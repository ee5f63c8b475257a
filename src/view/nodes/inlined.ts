import type { NodeKind } from '../node-kind.js';
import type { InlinedNode } from '../plan.js';

export const inlined: NodeKind<InlinedNode> = {
  inputs: (node) => [node.input],
  reads: (_node, needed) => [needed],
  describe: ({ version }) => (version === null ? {} : { version }),
  explain: ({ view, why }) => ({
    what: `the rows of the view "${view}", made here as well: ${REASONS[why]}`,
    cost: 'O(|Δ|)',
    growth: 'none',
  }),
  compile: (node, compiler) => compiler.vertexOf(node.input),
};

const REASONS = {
  met: 'something else reads what it reads',
  torn: 'rows of several of its partitions meet here, and these are not of one moment',
};
