import type { JsonSchema } from './json-schema.js';
import { json, list, object, pathParameter, PROBLEM, query, ref, secured } from './operation.js';

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

/** The routes for any view, stream and table, and for the service. */
export const GENERAL_PATHS: Readonly<Record<string, JsonSchema>> = {
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
  '/verifications/{id}/cancel': post('cancelVerification', 'Cancel a verification', 200, verification, id),
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
