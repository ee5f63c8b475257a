import { generatedExtension } from '../../circuit/generated-row.js';
import { Top } from '../../circuit/operators/top.js';
import { freezingAmong, tightest } from '../freezing.js';
import { frozenGroups } from '../frozen-groups.js';
import { indexOrderText } from '../index-order.js';
import type { NodeKind } from '../node-kind.js';
import { orderTermText } from '../order-terms.js';
import type { TopNode } from '../plan.js';
import { keyTextOfColumns, rowTextOfColumns } from '../row-texts.js';

export const top: NodeKind<TopNode> = {
  inputs: (node) => [node.input],
  // Among rows of equal order the rest of their columns decides.
  reads: () => [null],
  describe: ({ count, offset, per, order, rank }) => ({
    count,
    offset,
    per,
    order: order.map(orderTermText),
    rank,
  }),
  explain({ input, count, offset, per, order, rank }) {
    const group = per.length > 0 ? ` of each ${per.join(', ')}` : '';
    const after = offset > 0 ? ` after the first ${offset}` : '';
    const place = rank === null ? '' : `, their place as ${rank}`;
    const frozenBy = tightest(freezingAmong(input.relation, per));
    return {
      what: `the first ${count}${after}${group} by ${order.map(orderTermText).join(', ')}${place}`,
      cost: 'O(|Δ| log n)',
      growth:
        frozenBy !== null
          ? `freed by ${frozenBy.column}`
          : input.relation.appendOnly
            ? 'the first rows of each group'
            : 'grows with its input',
    };
  },
  compile(node, compiler) {
    const input = compiler.onTime(node.input, freezingAmong(node.input.relation, node.per));
    const members = compiler.ordered('rows');
    const { columns, appendOnly } = node.input.relation;
    const orderOf = indexOrderText({ columns: node.order });
    const textOf = rowTextOfColumns(node.input.relation.columns);
    const names = columns.map(({ name }) => name);
    const operator = new Top(members, {
      groupKeyOf: keyTextOfColumns(node.input.relation.columns, node.per),
      orderOf,
      textOf,
      offset: node.offset,
      count: node.count,
      ranked: node.rank === null ? null : generatedExtension(names, node.rank, names.length),
      appendOnly,
      ...frozenGroups(node.input.relation, node.per, { members: [members], compiler }),
    });
    return compiler.add('top', operator, [input]);
  },
};
