import { DueTimes } from '../../circuit/due-times.js';
import { generatedRead } from '../../circuit/generated-row.js';
import {
  FreedSides,
  KeptSides,
  type RowSides,
  SetOperation,
  setWeights,
  sidesCodec,
} from '../../circuit/operators/set-operation.js';
import type { PlanCompiler } from '../compile-plan.js';
import { freezing, tightest } from '../freezing.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import type { ExceptNode, IntersectNode } from '../plan.js';
import { comparedFreezing } from '../set-relations.js';

/** The kinds of nodes that compare two collections row by row. */
export function comparing(
  op: keyof typeof setWeights,
  what: string,
): NodeKind<ExceptNode> & NodeKind<IntersectNode> {
  return {
    inputs: ({ left, right }: ExceptNode | IntersectNode) => [left, right],
    // Rows that differ in any column are different rows.
    reads: () => [null, null],
    describe: ({ all }) => ({ all }),
    explain: (node) => {
      const { left, right, all } = node;
      const frozenBy = frozenByOf(node);
      if (frozenBy !== null)
        return {
          what: all ? `${what}, copy by copy` : what,
          cost: 'O(|Δ| log n)',
          growth: `freed by ${frozenBy.column}`,
        };
      return {
        what: all ? `${what}, copy by copy` : what,
        cost: 'O(|Δ|)',
        growth: keptGrowth(left.relation, right.relation),
      };
    },
    compile(node, compiler) {
      const frozen = comparedFreezing(node.left.relation, node.right.relation);
      const [left, right] = [node.left, node.right].map((input) => {
        const ofInput = freezing(input.relation).filter(({ column }) =>
          frozen.some((one) => one.column === column),
        );
        return compiler.withColumns(compiler.onTime(input, ofInput), input.relation, node.relation.columns);
      });
      const operator = new SetOperation(sidesOf(node, compiler), setWeights[op][node.all ? 'all' : 'set']);
      return compiler.add(op, operator, [left!, right!]);
    },
  };
}

const frozenByOf = ({ left, right }: ExceptNode | IntersectNode) =>
  tightest(comparedFreezing(left.relation, right.relation));

function sidesOf(node: ExceptNode | IntersectNode, compiler: PlanCompiler): RowSides {
  const frozenBy = frozenByOf(node);
  if (frozenBy === null) return new KeptSides(compiler.keyed('sides', sidesCodec));
  const { column, time } = frozenBy;
  compiler.needsTime(time);
  const states = [new DueTimes(compiler.ordered('left')), new DueTimes(compiler.ordered('right'))] as const;
  return new FreedSides(states, { read: generatedRead(column), time });
}
