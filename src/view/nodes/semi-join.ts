import { CountedArrangement } from '../../circuit/counted-arrangement.js';
import { json } from '../../circuit/operator.js';
import { Join } from '../../circuit/operators/join.js';
import { describeFunction } from '../describe-expression.js';
import { shortSource } from '../expression-text.js';
import {
  describeFrozen,
  frozenBy,
  frozenKeys,
  joinedBy,
  keyTexts,
  matchesOf,
  onText,
  rowsOf,
  sidesOnTime,
  worksOf,
} from '../join-sides.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import { both } from '../paths.js';
import type { SemiJoinNode } from '../join-plan.js';

export const semiJoin: NodeKind<SemiJoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads: ({ on, where }, needed) =>
    // What a function reads of its second argument is not known.
    where !== null
      ? [null, null]
      : [both(needed, new Set(on.map((pair) => pair.left))), new Set(on.map((pair) => pair.right))],
  describe: (node) => ({
    kind: node.kind,
    on: joinedBy(node.on),
    ...(node.where && { where: describeFunction(node.where) }),
    ...describeFrozen(node),
  }),
  explain(node) {
    const { kind, left, right, on, where } = node;
    const frozen = frozenBy(node);
    const kept = [left.relation, ...(where ? [right.relation] : [])];
    return {
      what: `${kind} join on ${onText(on)}${where ? ` where ${shortSource(where.source)}` : ''}`,
      cost: 'O(|Δ| · matches)',
      growth: frozen ? `freed by ${frozen.left}` : keptGrowth(...kept),
    };
  },
  compile(node, compiler) {
    const inputs = sidesOnTime(node, compiler);
    const { where, kind } = node;
    const keyTextOf = keyTexts(node);
    const operator = new Join(
      {
        keyOf: keyTextOf.left,
        rows: rowsOf(node, 'left', compiler),
        shown: { when: kind === 'semi' ? 'matched' : 'alone', as: (row) => row },
        matches: where === null ? null : matchesOf('left', compiler),
      },
      {
        keyOf: keyTextOf.right,
        rows:
          where === null
            ? new CountedArrangement(compiler.keyed<number>('right', json))
            : rowsOf(node, 'right', compiler),
        shown: null,
        matches: null,
      },
      {
        pairOf: (left, right) => ({ left, right }),
        givesPairs: false,
        condition: where && (({ left, right }) => where.call(left, right)),
        errors: compiler.errorsOf(`${kind}Join`),
      },
      worksOf(node, compiler),
      frozenKeys(node, compiler),
    );
    return compiler.add(`${kind} join`, operator, inputs);
  },
};
