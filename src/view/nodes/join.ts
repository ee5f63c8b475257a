import { generatedExtension } from '../../circuit/generated-row.js';
import { Join } from '../../circuit/operators/join.js';
import type { Row } from '../../zset/value.js';
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
import { both, inside, NO_PATHS, ofFunction, without } from '../paths.js';
import type { JoinNode } from '../join-plan.js';

export const join: NodeKind<JoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads({ as, on, where }, needed) {
    const paths = both(needed, where === null ? NO_PATHS : ofFunction(where));
    return [
      both(without(paths, as), new Set(on.map((pair) => pair.left))),
      both(inside(paths, as), new Set(on.map((pair) => pair.right))),
    ];
  },
  describe: (node) => ({
    kind: node.kind,
    as: node.as,
    on: joinedBy(node.on),
    ...(node.where && { where: describeFunction(node.where) }),
    ...describeFrozen(node),
  }),
  explain(node) {
    const { kind, left, right, as, on, where } = node;
    const frozen = frozenBy(node);
    return {
      what: `${kind === 'inner' ? '' : `${kind} `}join ${as} on ${onText(on)}${where ? ` where ${shortSource(where.source)}` : ''}`,
      cost: 'O(|Δ| · matches)',
      growth: frozen ? `freed by ${frozen.left}` : keptGrowth(left.relation, right.relation),
    };
  },
  compile(node, compiler) {
    const inputs = sidesOnTime(node, compiler);
    const names = node.left.relation.columns.map(({ name }) => name);
    const pairOf = generatedExtension(names, node.as, names.length);
    const none = Object.fromEntries(names.map((name) => [name, null]));
    const keyTextOf = keyTexts(node);
    const showsLeft = node.kind === 'left' || node.kind === 'full';
    const showsRight = node.kind === 'right' || node.kind === 'full';
    const counted = node.where !== null;
    const operator = new Join(
      {
        keyOf: keyTextOf.left,
        rows: rowsOf(node, 'left', compiler),
        shown: showsLeft ? { when: 'alone', as: (row) => pairOf(row, null) } : null,
        matches: counted && showsLeft ? matchesOf('left', compiler) : null,
      },
      {
        keyOf: keyTextOf.right,
        rows: rowsOf(node, 'right', compiler),
        shown: showsRight ? { when: 'alone', as: (row: Row) => pairOf(none, row) } : null,
        matches: counted && showsRight ? matchesOf('right', compiler) : null,
      },
      {
        pairOf,
        givesPairs: true,
        condition: node.where?.call ?? null,
        errors: compiler.errorsOf('join'),
      },
      worksOf(node, compiler),
      frozenKeys(node, compiler),
    );
    return compiler.add('join', operator, inputs);
  },
};
