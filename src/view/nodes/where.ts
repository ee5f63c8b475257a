import { Where } from '../../circuit/operators/where.js';
import { describeFunction } from '../describe-expression.js';
import { shortSource } from '../expression-text.js';
import type { NodeKind } from '../node-kind.js';
import { both, ofFunction } from '../paths.js';
import type { WhereNode } from '../plan.js';

export const where: NodeKind<WhereNode> = {
  inputs: (node) => [node.input],
  reads: (node, needed) => [both(needed, ofFunction(node.predicate))],
  describe: (node) => ({ predicate: describeFunction(node.predicate) }),
  explain: (node) => ({ what: shortSource(node.predicate.source), cost: 'O(|Δ|)', growth: 'none' }),
  compile(node, compiler) {
    const input = compiler.vertexOf(node.input);
    return compiler.add('where', new Where(node.predicate.call, compiler.errorsOf('where')), [input]);
  },
};
