import type { FastifyReply, FastifyRequest } from 'fastify';
import { StillwaterError } from '../errors/stillwater-error.js';
import { encodeToken } from '../runtime/frontier.js';
import type { TaskRecord } from '../runtime/ports/task-store.js';
import { contained } from '../runtime/contained.js';
import type { ServedView } from '../runtime/reading/served-view.js';
import { commitsOf, versionText } from '../runtime/reading/view-version.js';
import { headerOf, preferencesOf } from './request-parameters.js';

/** The header that says what a view contained when its rows were read, and what an append reached. */
export const POSITION_HEADER = 'stillwater-position';
const AT_LEAST_HEADER = 'stillwater-at-least';

/** The position a reader asks for and how long it will wait, if any. */
export function atLeastOf(
  request: FastifyRequest,
  parameter: string | null,
): { token: string; waitMs: number } | null {
  const token = parameter ?? headerOf(request, AT_LEAST_HEADER);
  if (token === null) return null;
  const wait = preferencesOf(request).get('wait');
  if (wait !== undefined && !/^\d{1,6}(\.\d{1,3})?$/.test(wait))
    throw new StillwaterError('malformed-parameter', {
      what: '`Prefer: wait=` takes seconds.',
      evidence: `wait  ${wait.slice(0, 100)}`,
      consequence: 'Nothing was read.',
      remedy: 'Write for example Prefer: wait=2',
    });
  return { token, waitMs: Number(wait ?? 0) * 1_000 };
}

/** Sets what every answer about rows carries. True if the client has this version already and wants nothing more. */
export function answerVersion(
  request: FastifyRequest,
  reply: FastifyReply,
  view: ServedView,
  records: readonly (TaskRecord | null)[],
): boolean {
  const version = `"${versionText(view, commitsOf(records))}"`;
  void reply.header(POSITION_HEADER, encodeToken(contained(view.generation, records)));
  void reply.header('etag', version);
  void reply.header('cache-control', 'no-cache');
  void reply.header('vary', 'Prefer');
  const known = headerOf(request, 'if-none-match');
  if (known === null) return false;
  return known.trim() === '*' || known.split(',').some((each) => each.trim().replace(/^W\//, '') === version);
}
