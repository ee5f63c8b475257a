import { IntervalJoin } from '../../circuit/operators/interval-join.js';
import {
  describeInterval,
  intervalGrowth,
  intervalInputs,
  intervalReads,
  intervalSide,
  intervalText,
} from '../interval-sides.js';
import { pagedWorks } from '../join-sides.js';
import type { NodeKind } from '../node-kind.js';
import type { IntervalSemiJoinNode } from '../join-plan.js';
import { semiJoin } from './semi-join.js';

export const intervalSemiJoin: NodeKind<IntervalSemiJoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads: (node, needed) => intervalReads(node, semiJoin.reads({ ...node, op: 'semiJoin' }, needed)),
  describe: (node) => ({ kind: node.kind, ...describeInterval(node) }),
  explain: (node) => ({
    what: `${node.kind} join ${intervalText(node, node.within.right)}`,
    cost: 'O(|Δ| · matches)',
    growth: intervalGrowth(node, `${node.within.right} of the other side`),
  }),
  compile(node, compiler) {
    const { kind, where } = node;
    const inputs = intervalInputs(node, compiler);
    const operator = new IntervalJoin(
      intervalSide(node, compiler, 'left', {
        when: kind === 'semi' ? 'matched' : 'alone',
        as: (row) => row,
      }),
      intervalSide(node, compiler, 'right', null),
      {
        pairOf: (left, right) => ({ left, right }),
        givesPairs: false,
        condition: where && (({ left, right }) => where.call(left, right)),
        errors: compiler.errorsOf(`${kind}Join`),
      },
      pagedWorks(compiler),
    );
    return compiler.add(`interval ${kind} join`, operator, inputs);
  },
};
