import type { JsonSchema } from './json-schema.js';
import { query } from './operation.js';

const string = { type: 'string' };
const number = { type: 'number' };
const nullableNumber = { type: 'number', nullable: true };
const progress = {
  id: string,
  view: string,
  reason: { type: 'string', nullable: true },
  entriesDone: number,
  entriesTotal: number,
  startedAt: number,
  finishedAt: nullableNumber,
};

/** What the descriptions of routes refer to. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Problem: {
    type: 'object',
    properties: {
      type: string,
      title: string,
      status: { type: 'integer' },
      detail: string,
      code: string,
      what: string,
      evidence: string,
      consequence: string,
      remedy: string,
      partitions: {
        type: 'array',
        description: 'Of an append that came through in some partitions only: what became of each.',
        items: {
          type: 'object',
          properties: {
            redisKey: string,
            indexes: { type: 'array', items: { type: 'integer' } },
            status: { type: 'string', enum: ['appended', 'refused', 'unknown', 'notTried'] },
            ids: { type: 'array', items: string },
            reason: string,
          },
        },
      },
    },
    required: ['type', 'title', 'status', 'detail', 'code', 'what'],
  },
  Appended: {
    type: 'object',
    properties: {
      position: { type: 'string', description: 'Wait for it at a view: ?atLeast=…' },
      ids: { type: 'array', items: string },
    },
    required: ['position', 'ids'],
  },
  Rebuild: {
    type: 'object',
    properties: {
      ...progress,
      state: {
        type: 'string',
        enum: ['waiting', 'replaying', 'paused', 'caughtUp', 'held', 'promoted', 'cancelled', 'failed'],
      },
      generations: {
        type: 'array',
        items: { type: 'object', properties: { view: string, generation: number } },
      },
      errors: number,
      entriesPerSecond: nullableNumber,
      remainingMs: nullableNumber,
    },
  },
  Verification: {
    type: 'object',
    properties: {
      ...progress,
      state: {
        type: 'string',
        enum: ['waiting', 'replaying', 'comparing', 'equal', 'different', 'failed', 'cancelled'],
      },
      frontier: { type: 'string', nullable: true },
      live: { type: 'object', nullable: true },
      replayed: { type: 'object', nullable: true },
      differences: { type: 'array', items: { type: 'object' } },
    },
  },
};

export const HEADERS: Readonly<Record<string, JsonSchema>> = {
  'Stillwater-Position': {
    description: 'What the view contained when it was read, or what an append reached: for `atLeast`.',
    schema: string,
  },
  ETag: { description: 'Generation, and the commit of each partition; for `If-None-Match`.', schema: string },
  'Content-Range': {
    description:
      '`0-99/*`; with `Prefer: count=exact` the total. After a cursor only the total, `*/250`; without that preference it is left out.',
    schema: string,
  },
  Link: { description: '`<…>; rel="next"` where there is a next page.', schema: string },
};

export const PARAMETERS: Readonly<Record<string, JsonSchema>> = {
  atLeast: query(
    'atLeast',
    'A position the view must contain; with `Prefer: wait=2` it is waited for. Also as the header `Stillwater-At-Least`.',
  ),
  Prefer: { name: 'Prefer', in: 'header', description: '`count=exact`, `wait=<seconds>`', schema: string },
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'A repeat with the same key appends nothing and answers the same.',
    schema: string,
  },
};
