import type { JsonSchema } from './json-schema.js';

/** What operations are described with. */

export const json = (
  schema: JsonSchema,
  description: string,
  headers: readonly string[] = [],
): JsonSchema => ({
  description,
  content: { 'application/json': { schema } },
  ...(headers.length > 0
    ? { headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])) }
    : {}),
});
export const PROBLEM = {
  default: {
    description: 'What was wrong.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  },
};
export const ref = (kind: string, name: string): JsonSchema => ({ $ref: `#/components/${kind}/${name}` });
export const pathParameter = (name: string, schema: JsonSchema = { type: 'string' }): JsonSchema => ({
  name,
  in: 'path',
  required: true,
  schema,
});

export const object: JsonSchema = { type: 'object' };
export const list: JsonSchema = { type: 'array', items: object };
export const secured = { security: [{ token: [] }] };
/** A parameter of the query. */
export const query = (
  name: string,
  description: string,
  schema: JsonSchema = { type: 'string' },
): JsonSchema => ({
  name,
  in: 'query',
  description,
  schema,
});

/** Of a path, as part of an operation's id. */
export const idOf = (text: string): string => text.replace(/[^A-Za-z0-9]+/g, '_');
