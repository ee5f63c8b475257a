import { generatedExtension } from '../../circuit/generated-row.js';
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
import type { IntervalJoinNode } from '../join-plan.js';
import { join } from './join.js';

export const intervalJoin: NodeKind<IntervalJoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads: (node, needed) => intervalReads(node, join.reads({ ...node, op: 'join' }, needed)),
  describe: (node) => ({ kind: node.kind, as: node.as, ...describeInterval(node) }),
  explain(node) {
    const { kind, as, within } = node;
    const right = `${as}.${within.right}`;
    return {
      what: `${kind === 'inner' ? '' : `${kind} `}join ${as} ${intervalText(node, right)}`,
      cost: 'O(|Δ| · matches)',
      growth: intervalGrowth(node, right),
    };
  },
  compile(node, compiler) {
    const { left, kind, as } = node;
    const inputs = intervalInputs(node, compiler);
    const names = left.relation.columns.map(({ name }) => name);
    const pairOf = generatedExtension(names, as, names.length);
    const none = Object.fromEntries(names.map((name) => [name, null]));
    const showsLeft = kind === 'left' || kind === 'full';
    const showsRight = kind === 'right' || kind === 'full';
    const operator = new IntervalJoin(
      intervalSide(
        node,
        compiler,
        'left',
        showsLeft ? { when: 'alone', as: (row) => pairOf(row, null) } : null,
      ),
      intervalSide(
        node,
        compiler,
        'right',
        showsRight ? { when: 'alone', as: (row) => pairOf(none, row) } : null,
      ),
      { pairOf, givesPairs: true, condition: node.where?.call ?? null, errors: compiler.errorsOf('join') },
      pagedWorks(compiler),
    );
    return compiler.add('interval join', operator, inputs);
  },
};
