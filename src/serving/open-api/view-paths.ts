import { pathsOf, typeAt, type ViewDescription } from '../../runtime/reading/view-description.js';
import type { ReadingLimits } from '../../runtime/reading/reading-limits.js';
import { typeText } from '../view-page.js';
import { type JsonSchema, rowSchema, typeSchema } from './json-schema.js';
import { idOf, json, pathParameter, PROBLEM, query, ref } from './operation.js';

/** The routes of one view, with its columns; the schema of its rows is put among `schemas`. */
export function viewPaths(
  name: string,
  description: ViewDescription,
  limits: Pick<ReadingLimits, 'rowsLimitDefault' | 'rowsLimitMax' | 'offsetMax'>,
  schemas: Record<string, JsonSchema>,
): Record<string, JsonSchema> {
  const { rowsLimitDefault, rowsLimitMax, offsetMax } = limits;
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

const CHANGES =
  'Server-sent events. Unnamed: one per commit, `{"changes":[{"op":"upsert","key":[…],"row":{…}},{"op":"delete","key":[…]}]}`. ' +
  'Named: `snapshot` `{"first":…,"rows":[{"key":[…],"row":{…}}]}`, `ready` `{}`, `resync` `{"reason":"…"}` (forget what you have, read the rows again).';
