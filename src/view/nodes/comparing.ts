import { SetOperation, setWeights, sidesCodec } from '../../circuit/operators/set-operation.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import type { ExceptNode, IntersectNode } from '../plan.js';

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
    explain: ({ left, right, all }) => {
      const growths = [keptGrowth(left.relation), keptGrowth(right.relation)];
      return {
        what: all ? `${what}, copy by copy` : what,
        cost: 'O(|Δ|)',
        growth: growths.includes('grows for ever') ? 'grows for ever' : 'grows with its input',
      };
    },
    compile(node, compiler) {
      const [left, right] = [node.left, node.right].map((input) =>
        compiler.withColumns(compiler.vertexOf(input), input.relation, node.relation.columns),
      );
      const sides = compiler.keyed('sides', sidesCodec);
      return compiler.add(op, new SetOperation(sides, setWeights[op][node.all ? 'all' : 'set']), [
        left!,
        right!,
      ]);
    },
  };
}
