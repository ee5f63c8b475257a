import type { NodeKind } from '../node-kind.js';
import { both } from '../paths.js';
import type { ExchangeNode } from '../plan.js';

export const exchange: NodeKind<ExchangeNode> = {
  inputs: (node) => [node.input],
  reads: (node, needed) => [both(needed, new Set(node.by))],
  describe: ({ by, relation }) => ({ by, partitions: relation.partitions }),
  explain: ({ by, relation: { partitions } }) => ({
    what:
      by.length === 0
        ? 'moves all rows to one partition'
        : `moves rows to the partition of ${by.join(', ')}, of ${partitions}`,
    cost: 'O(|Δ|)',
    growth: 'none',
  }),
  compile: (node, compiler) => compiler.exchanged(node),
};
