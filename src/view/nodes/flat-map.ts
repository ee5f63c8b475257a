import { Expand, unexpandedCodec } from '../../circuit/operators/expand.js';
import { freezeRow, RowCalls } from '../../circuit/row-function.js';
import { rowsCheckOf } from '../computed-value.js';
import { describeFunction } from '../describe-expression.js';
import { shortSource } from '../expression-text.js';
import type { NodeKind } from '../node-kind.js';
import { ofFunction } from '../paths.js';
import type { FlatMapNode } from '../plan.js';
import { schemaSignature } from '../schema-signature.js';

export const flatMap: NodeKind<FlatMapNode> = {
  inputs: (node) => [node.input],
  reads: (node) => [ofFunction(node.fn)],
  describe: (node) => ({ fn: describeFunction(node.fn), row: schemaSignature(node.row) }),
  explain: (node) => ({ what: shortSource(node.fn.source), cost: 'O(|Δ|)', growth: 'none' }),
  compile(node, compiler) {
    const input = compiler.vertexOf(node.input);
    const calls = new RowCalls({ call: node.fn.call, check: rowsCheckOf(node.row, node.relation.columns) });
    const operator = new Expand(
      (row) => calls.of(freezeRow(row)),
      compiler.errorsOf('flatMap'),
      compiler.keyed('unexpanded', unexpandedCodec),
    );
    return compiler.add('flatMap', operator, [input]);
  },
};
