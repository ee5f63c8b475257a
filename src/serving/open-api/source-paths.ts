import type { RecordSource } from '../../runtime/placement.js';
import { describeColumns } from '../../runtime/reading/view-description.js';
import { type JsonSchema, rowSchema } from './json-schema.js';
import { idOf, json, pathParameter, PROBLEM, ref, secured } from './operation.js';

/** The routes by which a stream or a table is written, with its columns; the schema of what is appended is put among `schemas`. */
export function sourcePaths(
  source: RecordSource,
  schemas: Record<string, JsonSchema>,
): Record<string, JsonSchema> {
  const id = idOf(source.name);
  const columns = describeColumns(source.columns);
  const schema = `${id}_${source.kind === 'stream' ? 'event' : 'record'}`;
  schemas[schema] = rowSchema(columns, 'notNullable');
  const idempotency = ref('parameters', 'Idempotency-Key');
  const accepted = {
    202: json(ref('schemas', 'Appended'), 'Appended.', ['Stillwater-Position']),
    ...PROBLEM,
  };
  if (source.kind === 'stream') {
    const event = ref('schemas', schema);
    return {
      [`/streams/${encodeURIComponent(source.name)}/events`]: {
        post: {
          tags: ['streams'],
          operationId: `append_${id}`,
          summary: `Append to ${source.name}`,
          parameters: [idempotency],
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: { oneOf: [event, { type: 'array', items: event }] } },
              'application/x-ndjson': { schema: { type: 'string' } },
            },
          },
          responses: accepted,
          ...secured,
        },
      },
    };
  }
  const parameters = [...source.key.map((name) => pathParameter(name)), idempotency];
  return {
    [`/tables/${encodeURIComponent(source.name)}/rows/${source.key.map((name) => `{${name}}`).join('/')}`]: {
      put: {
        tags: ['tables'],
        operationId: `put_${id}`,
        summary: `Insert or replace a row of ${source.name}`,
        parameters,
        requestBody: {
          required: true,
          content: { 'application/json': { schema: ref('schemas', schema) } },
        },
        responses: accepted,
        ...secured,
      },
      delete: {
        tags: ['tables'],
        operationId: `delete_${id}`,
        summary: `Delete a row of ${source.name}`,
        parameters,
        responses: accepted,
        ...secured,
      },
    },
  };
}
