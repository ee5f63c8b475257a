import { columnAt, holdsOnlyStrings } from './column.js';
import type { ViewDeclaration } from './declarations.js';
import { finishesInGroups } from './freezing.js';
import { isPaned } from './panes.js';
import type { AggregateNode, EvolveNode, PlanNode } from './plan.js';

/**
 * The aggregate, or fold of events, whose groups can be kept in the view's own rows, if there is one: a row of the view is
 * then the result of just one group, with the group's key. That halves what a tick writes.
 *
 * It is so where nothing but `where` and `select` lies between it and the view, or `final` whose results wait in the groups,
 * and the view's key is the group's columns, in their order, whatever they are called by then.
 */
export function fusedAggregate(view: ViewDeclaration): AggregateNode | EvolveNode | null {
  let names = view.key;
  let node: PlanNode = view.plan;
  let final = false;
  for (;;) {
    if (node.op === 'aggregate' || node.op === 'evolve') break;
    if (node.op === 'select') {
      const { columns } = node;
      const before: (string | null)[] = names.map((name) => {
        const value = columns.find((column) => column.name === name)?.value;
        return value?.kind === 'path' ? value.path : null;
      });
      if (before.includes(null)) return null;
      names = before as string[];
    } else if (node.op === 'final') {
      if (node.input.op !== 'aggregate' || !finishesInGroups(node.input)) return null;
      final = true;
    } else if (node.op !== 'where') return null;
    node = node.input;
  }
  if (node.op === 'aggregate' && isPaned(node, final)) return null;
  const key = node.op === 'aggregate' ? node.key : undefined;
  const by = key === undefined ? node.by : node.by.filter(({ name }) => key.includes(name));
  if (by.length !== names.length || by.some(({ name }, index) => name !== names[index])) return null;
  const sameText = by.every(({ value }, index) => {
    const column = columnAt(view.columns, view.key[index]!);
    return column !== null && holdsOnlyStrings(column.type) === holdsOnlyStrings(value.column.type);
  });
  return sameText ? node : null;
}
