import type { DescribedColumn, DescribedType } from '../../runtime/reading/view-description.js';

/** What the texts of decimals of a scale look like. */
const patternOf = (scale: number): string => (scale === 0 ? '^-?\\d+$' : `^-?\\d+\\.\\d{${scale}}$`);

export interface JsonSchema {
  [keyword: string]: unknown;
}

/** A row as OpenAPI 3.0 says it. */
export const rowSchema = (
  columns: readonly DescribedColumn[],
  required: 'all' | 'notNullable',
): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(columns.map(({ name, type }) => [name, typeSchema(type)])),
  required: columns.filter(({ type }) => required === 'all' || !type.nullable).map(({ name }) => name),
});

export function typeSchema(type: DescribedType): JsonSchema {
  const nullable = type.nullable ? { nullable: true } : {};
  switch (type.kind) {
    case 'string':
      return {
        type: 'string',
        ...(type.format ? { format: type.format === 'instant' ? 'date-time' : type.format } : {}),
        ...(type.format === 'decimal' ? { pattern: patternOf(type.scale) } : {}),
        ...nullable,
      };
    case 'number':
      return { type: type.integer ? 'integer' : 'number', ...nullable };
    case 'boolean':
      return { type: 'boolean', ...nullable };
    case 'enum':
      return {
        type: type.values.every((value) => typeof value === 'string') ? 'string' : 'number',
        enum: [...type.values, ...(type.nullable ? [null] : [])],
        ...nullable,
      };
    case 'array':
      return { type: 'array', items: typeSchema(type.element), ...nullable };
    case 'object':
      return { ...rowSchema(type.columns, 'all'), ...nullable };
    case 'json':
      return { description: 'Any JSON.', nullable: true };
  }
}
