import { IntervalJoin } from '../../circuit/operators/interval-join.js';
import { describeFunction } from '../describe-expression.js';
import { shortSource } from '../expression-text.js';
import {
  describeFreed,
  intervalGrowth,
  intervalInputs,
  intervalSide,
  intervalText,
} from '../interval-sides.js';
import { joinedBy, onText, pagedWorks } from '../join-sides.js';
import type { NodeKind } from '../node-kind.js';
import { both } from '../paths.js';
import type { IntervalSemiJoinNode } from '../plan.js';
import { semiJoin } from './semi-join.js';

export const intervalSemiJoin: NodeKind<IntervalSemiJoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads(node, needed) {
    const [left, right] = semiJoin.reads({ ...node, op: 'semiJoin' }, needed);
    return [both(left!, new Set([node.within.left])), both(right!, new Set([node.within.right]))];
  },
  describe: (node) => ({
    kind: node.kind,
    on: joinedBy(node.on),
    within: node.within,
    ...(node.where && { where: describeFunction(node.where) }),
    ...describeFreed(node),
  }),
  explain(node) {
    const { kind, on, where, within } = node;
    return {
      what:
        `${kind} join on ${onText(on)}, ${within.right} ${intervalText(within)}` +
        (where ? ` where ${shortSource(where.source)}` : ''),
      cost: 'O(|Δ| · matches)',
      growth: intervalGrowth(node, `${within.right} of the other side`),
    };
  },
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
