import { generatedExtension } from '../../circuit/generated-row.js';
import { Join } from '../../circuit/operators/join.js';
import type { Row } from '../../zset/value.js';
import { describeFunction } from '../describe-expression.js';
import { shortSource } from '../expression-text.js';
import { joinedBy, keyTexts, matchesOf, onText, rowsOf, worksOf } from '../join-sides.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import { both, inside, NO_PATHS, ofFunction, without } from '../paths.js';
import type { JoinNode } from '../plan.js';

export const join: NodeKind<JoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads({ as, on, where }, needed) {
    const paths = both(needed, where === null ? NO_PATHS : ofFunction(where));
    return [
      both(without(paths, as), new Set(on.map((pair) => pair.left))),
      both(inside(paths, as), new Set(on.map((pair) => pair.right))),
    ];
  },
  describe: ({ kind, as, on, where }) => ({
    kind,
    as,
    on: joinedBy(on),
    ...(where && { where: describeFunction(where) }),
  }),
  explain({ kind, left, right, as, on, where }) {
    const growths = [keptGrowth(left.relation), keptGrowth(right.relation)];
    return {
      what: `${kind === 'inner' ? '' : `${kind} `}join ${as} on ${onText(on)}${where ? ` where ${shortSource(where.source)}` : ''}`,
      cost: 'O(|Δ| · matches)',
      growth: growths.includes('grows for ever') ? 'grows for ever' : 'grows with its input',
    };
  },
  compile(node, compiler) {
    const inputs = [compiler.vertexOf(node.left), compiler.vertexOf(node.right)];
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
    );
    return compiler.add('join', operator, inputs);
  },
};
