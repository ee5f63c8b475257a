import type { Column } from './column.js';
import type { Expression, NamedExpression } from './expression.js';
import type { PlanNode, SelectNode } from './plan.js';
import { selectRelation } from './relation.js';

/** A path, and what the column it leads to is named. */
export interface NamedPath extends NamedExpression {
  readonly value: Extract<Expression, { kind: 'path' }>;
}

/** A column of the rows, as it is. */
export const asItIs = (column: Column): NamedPath => ({
  name: column.name,
  value: { kind: 'path', path: column.name, column },
});

/** The rows with these columns. */
export const projected = (
  input: PlanNode,
  columns: readonly NamedExpression[],
  place: string | null,
): SelectNode =>
  Object.freeze({
    op: 'select',
    input,
    columns,
    relation: selectRelation(input.relation, columns),
    place,
  });
