import { Injectable } from '@nestjs/common';
import type { RecordSource } from '../runtime/placement.js';
import { Reading } from '../runtime/reading/reading.js';
import {
  describeColumns,
  describeView,
  descriptionOf,
  pathsOf,
  typeAt,
  type ViewDescription,
} from '../runtime/reading/view-description.js';
import { rowSchema, typeSchema, type JsonSchema } from './json-schema.js';
import { HEADERS, PARAMETERS, query, SCHEMAS } from './open-api-components.js';
import { ResolvedServingOptions } from './serving-options.js';
import { typeText } from './view-page.js';

const json = (schema: JsonSchema, description: string, headers: readonly string[] = []): JsonSchema => ({
  description,
  content: { 'application/json': { schema } },
  ...(headers.length > 0
    ? { headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])) }
    : {}),
});
const PROBLEM = {
  default: {
    description: 'What was wrong.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  },
};
const ref = (kind: string, name: string): JsonSchema => ({ $ref: `#/components/${kind}/${name}` });
const pathParameter = (name: string, schema: JsonSchema = { type: 'string' }): JsonSchema => ({
  name,
  in: 'path',
  required: true,
  schema,
});
const object: JsonSchema = { type: 'object' };
const list: JsonSchema = { type: 'array', items: object };
const secured = { security: [{ token: [] }] };
/** Of a path, as part of an operation's id. */
const idOf = (text: string): string => text.replace(/[^A-Za-z0-9]+/g, '_');

/**
 * The description of the HTTP surface. Beside the routes for any view it has one set for each view, stream and table, with
 * its own columns; made anew for each request, from what is served and declared at the moment.
 */
@Injectable()
export class OpenApi {
  constructor(
    private readonly reading: Reading,
    private readonly options: ResolvedServingOptions,
  ) {}

  document(): JsonSchema {
    const schemas: Record<string, JsonSchema> = { ...SCHEMAS };
    const paths: Record<string, JsonSchema> = { ...this.#general() };
    const { views } = this.reading;
    for (const name of views.names()) {
      const declared = views.catalog.views.get(name);
      const served = views.find(name)?.generation ?? views.generations(name)[0];
      const description = served ? descriptionOf(served) : declared ? describeView(declared) : null;
      if (description) Object.assign(paths, this.#ofView(name, description, schemas));
    }
    for (const source of [...views.catalog.streams.values(), ...views.catalog.tables.values()])
      Object.assign(paths, this.#ofSource(source, schemas));
    return {
      openapi: '3.0.3',
      info: { title: 'Stillwater', version: '1', description: 'Materialized views over Redis Streams.' },
      servers: [{ url: '/' }],
      tags: [
        { name: 'views' },
        { name: 'streams' },
        { name: 'tables' },
        { name: 'rebuilds' },
        { name: 'service' },
      ],
      paths,
      components: {
        schemas,
        headers: HEADERS,
        parameters: PARAMETERS,
        securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      },
    };
  }

  #ofView(
    name: string,
    description: ViewDescription,
    schemas: Record<string, JsonSchema>,
  ): Record<string, JsonSchema> {
    const { rowsLimitDefault, rowsLimitMax, offsetMax } = this.options.limits;
    const schema = `${idOf(name)}_row`;
    schemas[schema] = rowSchema(description.columns, 'all');
    const paths = pathsOf(description.columns).filter(
      (path) => typeAt(description.columns, path)?.kind !== 'object',
    );
    const filters = paths.map((path) => {
      const type = typeAt(description.columns, path)!;
      return query(
        path,
        `A condition on \`${path}\` (${typeText(type)}): \`eq.…\` \`neq.…\` \`gt.…\` \`in.(…,…)\` \`is.null\` \`not.…\``,
      );
    });
    const groups = ['or', 'and', 'not.or', 'not.and'].map((group) =>
      query(
        group,
        `Conditions together: \`${group}=(${paths[0] ?? 'column'}.eq.1,${paths[1] ?? paths[0] ?? 'column'}.gt.2)\``,
      ),
    );
    const select = query(
      'select',
      'Columns, with other names if wished: `a,b,name:path.to.column`. Default: all.',
    );
    const indexes = description.indexes.map((index) => `\`${index.name}\``).join(', ');
    const order = query(
      'order',
      `\`column.desc,other.asc.nullslast\`. Large views need an index; declared: ${indexes || 'none'}.`,
    );
    const row = ref('schemas', schema);
    const id = idOf(name);
    const key = description.key.map((path) =>
      pathParameter(path, typeSchema(typeAt(description.columns, path) ?? { kind: 'json', nullable: true })),
    );
    const base = `/views/${encodeURIComponent(name)}`;
    const tags = ['views'];
    return {
      [`${base}/rows`]: {
        get: {
          tags,
          operationId: `rows_${id}`,
          summary: `Rows of ${name}`,
          ...(description.text ? { description: description.text } : {}),
          parameters: [
            ...filters,
            ...groups,
            select,
            order,
            query('limit', 'Rows of a page.', {
              type: 'integer',
              minimum: 0,
              maximum: rowsLimitMax,
              default: rowsLimitDefault,
            }),
            query('offset', 'Rows to leave out; to go further, follow `Link`.', {
              type: 'integer',
              minimum: 0,
              maximum: offsetMax,
              default: 0,
            }),
            query('cursor', 'From the `Link: rel="next"` of the page before.'),
            ref('parameters', 'atLeast'),
            ref('parameters', 'Prefer'),
          ],
          responses: {
            200: json({ type: 'array', items: row }, 'A page of rows.', [
              'Stillwater-Position',
              'ETag',
              'Content-Range',
              'Link',
            ]),
            304: { description: 'As it was.' },
            ...PROBLEM,
          },
        },
      },
      [`${base}/rows/${description.key.map((path) => `{${path}}`).join('/')}`]: {
        get: {
          tags,
          operationId: `row_${id}`,
          summary: `One row of ${name}`,
          parameters: [...key, select, ref('parameters', 'atLeast'), ref('parameters', 'Prefer')],
          responses: {
            200: json(row, 'The row.', ['Stillwater-Position', 'ETag']),
            304: { description: 'As it was.' },
            ...PROBLEM,
          },
        },
      },
      [`${base}/changes`]: {
        get: {
          tags,
          operationId: `changes_${id}`,
          summary: `Changes of ${name}, live`,
          parameters: [
            ...filters,
            ...groups,
            select,
            query('snapshot', 'Begin with the rows as they are.', { type: 'boolean' }),
            query('after', 'Go on after this id, at a first connection.'),
            ref('parameters', 'atLeast'),
            { name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } },
          ],
          responses: {
            200: { description: CHANGES, content: { 'text/event-stream': { schema: { type: 'string' } } } },
            ...PROBLEM,
          },
        },
      },
    };
  }

  #ofSource(source: RecordSource, schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
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
      [`/tables/${encodeURIComponent(source.name)}/rows/${source.key.map((name) => `{${name}}`).join('/')}`]:
        {
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

  #general(): Record<string, JsonSchema> {
    const get = (
      tag: string,
      operationId: string,
      summary: string,
      schema: JsonSchema,
      parameters: JsonSchema[] = [],
    ): JsonSchema => ({
      get: {
        tags: [tag],
        operationId,
        summary,
        parameters,
        responses: { 200: json(schema, 'OK'), ...PROBLEM },
      },
    });
    const post = (
      operationId: string,
      summary: string,
      status: number,
      schema: JsonSchema,
      parameters: JsonSchema[],
    ): JsonSchema => ({
      post: {
        tags: ['rebuilds'],
        operationId,
        summary,
        parameters,
        responses: {
          [status]: json(schema, status === 202 ? 'Started; progress at `Location`.' : 'Done.'),
          ...PROBLEM,
        },
        ...secured,
      },
    });
    const view = [pathParameter('view')];
    const listed = [
      ...view,
      query('limit', 'How many.', { type: 'integer', minimum: 1 }),
      query('generation', 'Of another generation than the one that serves.', { type: 'integer', minimum: 1 }),
    ];
    const id = [pathParameter('id')];
    const rebuild = ref('schemas', 'Rebuild');
    const verification = ref('schemas', 'Verification');
    return {
      '/views': get('views', 'views', 'All views', list),
      '/views/{view}': {
        ...get('views', 'view', 'One view: state, lag, columns, indexes, circuit', object, view),
        delete: {
          tags: ['views'],
          operationId: 'drop',
          summary: 'Drop a view that is declared no longer, with all its generations',
          parameters: view,
          responses: { 202: json(object, 'Its generations are being deleted.'), ...PROBLEM },
          ...secured,
        },
      },
      '/views/{view}/errors': get(
        'views',
        'errors',
        'The newest entries and rows it could not use',
        list,
        listed,
      ),
      '/views/{view}/late': get('views', 'lateRows', 'The newest rows that came too late', list, listed),
      '/views/{view}/rebuilds': {
        ...get('rebuilds', 'rebuildsOfView', 'Rebuilds of a view', { type: 'array', items: rebuild }, view),
        ...post('rebuild', 'Rebuild a view by replay', 202, rebuild, [
          ...view,
          query('acceptTrimmed', 'Although the beginning of a stream is gone.', { type: 'boolean' }),
        ]),
      },
      '/views/{view}/rollback': post('rollback', 'Put the kept generation back', 200, object, view),
      '/views/{view}/verifications': post(
        'verify',
        'Prove that a replay equals the live view',
        202,
        verification,
        view,
      ),
      '/verifications/{id}': get('rebuilds', 'verification', 'A verification', verification, id),
      '/verifications/{id}/cancel': post(
        'cancelVerification',
        'Cancel a verification',
        200,
        verification,
        id,
      ),
      '/rebuilds': get('rebuilds', 'rebuilds', 'All rebuilds', { type: 'array', items: rebuild }),
      '/rebuilds/{id}': get('rebuilds', 'rebuildById', 'A rebuild', rebuild, id),
      ...Object.fromEntries(
        ['pause', 'resume', 'cancel', 'promote'].map((step) => [
          `/rebuilds/{id}/${step}`,
          post(`${step}Rebuild`, `${step[0]!.toUpperCase()}${step.slice(1)} a rebuild`, 200, rebuild, id),
        ]),
      ),
      '/streams': get('streams', 'streams', 'All streams', list),
      '/streams/{stream}': get('streams', 'stream', 'One stream', object, [pathParameter('stream')]),
      '/tables': get('tables', 'tables', 'All tables', list),
      '/tables/{table}': get('tables', 'table', 'One table', object, [pathParameter('table')]),
      '/health/live': get('service', 'live', 'Does the process turn?', object),
      '/health/ready': get('service', 'ready', 'Does Redis answer, and does every view serve?', object),
      '/metrics': {
        get: {
          tags: ['service'],
          operationId: 'metrics',
          summary: 'Figures for Prometheus',
          responses: {
            200: { description: 'OK', content: { 'text/plain': { schema: { type: 'string' } } } },
          },
        },
      },
    };
  }
}

const CHANGES =
  'Server-sent events. Unnamed: one per commit, `{"changes":[{"op":"upsert","key":[…],"row":{…}},{"op":"delete","key":[…]}]}`. ' +
  'Named: `snapshot` `{"first":…,"rows":[{"key":[…],"row":{…}}]}`, `ready` `{}`, `resync` `{"reason":"…"}` (forget what you have, read the rows again).';
