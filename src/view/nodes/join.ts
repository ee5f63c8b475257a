import {
  type Arrangement,
  KeyedArrangement,
  keyedArrangementCodec,
  OrderedArrangement,
} from '../../circuit/arrangement.js';
import { generatedExtension, generatedRead } from '../../circuit/generated-row.js';
import { Join, type JoinSide } from '../../circuit/operators/join.js';
import { keyTextOf } from '../../zset/row-key.js';
import { columnAt, holdsOnlyStrings } from '../columns.js';
import type { PlanCompiler } from '../compile-plan.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import { both, inside, without } from '../paths.js';
import type { JoinNode, Relation } from '../plan.js';

export const join: NodeKind<JoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads: ({ as, on }, needed) => [
    both(without(needed, as), new Set(on.map((pair) => pair.left))),
    both(inside(needed, as), new Set(on.map((pair) => pair.right))),
  ],
  describe: ({ kind, as, on }) => ({ kind, as, on: on.map((pair) => [pair.left, pair.right]) }),
  explain({ kind, left, right, as, on }) {
    const keys = on
      .map((pair) => (pair.left === pair.right ? pair.left : `${pair.left} = ${pair.right}`))
      .join(' and ');
    const growths = [keptGrowth(left.relation), keptGrowth(right.relation)];
    return {
      what: `${kind === 'left' ? 'left join' : 'join'} ${as} on ${keys}`,
      cost: 'O(|Δ| · matches)',
      growth: growths.includes('grows for ever') ? 'grows for ever' : 'grows with its input',
    };
  },
  compile(node, compiler) {
    const left = compiler.vertexOf(node.left);
    const right = compiler.vertexOf(node.right);
    const keys = node.on.map((pair) => ({
      ...pair,
      // Both sides must write equal values as equal texts.
      onlyStrings:
        holdsOnlyStringsAt(node.left.relation, pair.left) &&
        holdsOnlyStringsAt(node.right.relation, pair.right),
    }));
    const names = node.left.relation.columns.map(({ name }) => name);
    const leftKeys = keys.map(({ left: path, onlyStrings }) => ({ path, onlyStrings }));
    const rightKeys = keys.map(({ right: path, onlyStrings }) => ({ path, onlyStrings }));
    const operator = new Join(
      sideOf(node.left.relation, compiler, 'left', leftKeys),
      sideOf(node.right.relation, compiler, 'right', rightKeys),
      { outer: node.kind === 'left', pairOf: generatedExtension(names, node.as, names.length) },
    );
    return compiler.add('join', operator, [left, right]);
  },
};

function sideOf(
  relation: Relation,
  compiler: PlanCompiler,
  name: 'left' | 'right',
  keys: readonly { path: string; onlyStrings: boolean }[],
): JoinSide {
  const oneEach =
    relation.uniqueKey !== null &&
    relation.uniqueKey.every((column) => keys.some(({ path }) => path === column));
  const rows: Arrangement = oneEach
    ? new KeyedArrangement(compiler.keyed(name, keyedArrangementCodec))
    : new OrderedArrangement(compiler.ordered(name));
  const parts = keys.map(({ path, onlyStrings }) => ({ read: generatedRead(path), onlyStrings }));
  const textOf = keyTextOf(parts);
  return { rows, keyOf: (row) => (parts.some(({ read }) => read(row) === null) ? null : textOf(row)) };
}

const holdsOnlyStringsAt = (relation: Relation, path: string): boolean => {
  const column = columnAt(relation.columns, path);
  return column !== null && holdsOnlyStrings(column.type);
};
