import { normalSource } from './function-source.js';
import type { Expression } from './expression.js';
import type { UserFunction } from './user-function.js';
import { schemaSignature } from './schema-signature.js';

/** Functions and expressions as fingerprints see them: what decides their values, however it is formatted. */

export const describeFunction = ({ source }: Pick<UserFunction, 'source'>): string => normalSource(source);

export function describeExpression(expression: Expression | null): unknown {
  if (expression === null) return null;
  if (expression.kind === 'path') return { path: expression.path };
  if (expression.kind === 'position') return { position: true };
  return { computed: describeFunction(expression.fn), schema: schemaSignature(expression.column.schema) };
}

export const describeNamed = ({
  name,
  value,
}: {
  readonly name: string;
  readonly value: Expression;
}): unknown => [name, describeExpression(value)];
