import { Select } from '../../circuit/operators/select.js';
import { describeNamed } from '../describe-expression.js';
import { namedText } from '../expression-text.js';
import type { NodeKind } from '../node-kind.js';
import { all, ofExpression } from '../paths.js';
import type { SelectNode } from '../plan.js';

export const select: NodeKind<SelectNode> = {
  inputs: (node) => [node.input],
  reads: (node) => [all(node.columns.map(({ value }) => ofExpression(value)))],
  describe: (node) => ({ columns: node.columns.map(describeNamed) }),
  explain: (node) => ({ what: node.columns.map(namedText).join(', '), cost: 'O(|Δ|)', growth: 'none' }),
  compile(node, compiler) {
    const input = compiler.vertexOf(node.input);
    const columns = node.columns.map(({ name, value }) => ({
      name,
      value: compiler.selected(value, node.input.relation),
    }));
    return compiler.add('select', new Select(columns, compiler.errorsOf('select')), [input]);
  },
};
