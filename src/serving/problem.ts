import { type ErrorParts, StillwaterError } from '../errors/stillwater-error.js';

/** An error as RFC 9457 has it, with the four parts our errors have. */
export interface Problem extends ErrorParts {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  [more: string]: unknown;
}

/** Statuses of errors that are not a malformed request (400): unknown things are 404 by their names. */
const STATUS: Readonly<Record<string, number>> = {
  unauthorized: 401,
  'body-too-large': 413,
  'too-many-events': 413,
  'unsupported-media-type': 415,
  'other-origin': 403,
  'idempotency-key-reused': 422,
  'log-trimmed': 409,
  'rebuilds-max': 409,
  'rebuild-state': 409,
  'rebuild-finished': 409,
  'verification-finished': 409,
  'nothing-kept': 409,
  'view-declared': 409,
  'view-read': 409,
  'not-caught-up': 409,
  'no-code': 409,
  'processing-time': 409,
  'release-superseded': 409,
  'changes-lost': 409,
  'wrong-type': 409,
  'decoder-function': 409,
  'followers-max': 503,
  'not-serving': 503,
  'position-not-reached': 503,
  'append-outcome-unknown': 503,
  'partly-appended': 503,
  'append-refused': 503,
  'redis-error': 503,
  'redis-refused': 503,
  'redis-refuses': 503,
  'redis-unavailable': 503,
  'redis-unreachable': 503,
  'description-missing': 500,
  internal: 500,
};

/** How long a client is asked to wait after an error that passes. */
export const RETRY_AFTER_SECONDS = 1;

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  413: 'Body too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Not now',
};

const UNKNOWN_THINGS = [
  'unknown-view',
  'unknown-generation',
  'unknown-stream',
  'unknown-table',
  'unknown-row',
  'unknown-route',
  'unknown-rebuild',
  'unknown-verification',
];

export const statusOf = (code: string): number => STATUS[code] ?? (UNKNOWN_THINGS.includes(code) ? 404 : 400);

export function problemOf(error: StillwaterError, status = statusOf(error.code)): Problem {
  return {
    type: `urn:stillwater:problem:${error.code}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail: error.message,
    code: error.code,
    ...error.parts,
  };
}

/** A problem that has only a status and a sentence: what the framework itself refuses. */
export function plainProblem(
  status: number,
  code: string,
  what: string,
  remedy: string,
  evidence?: string,
): Problem {
  const parts = { what, ...(evidence && { evidence }), consequence: 'Nothing was done.', remedy };
  return problemOf(new StillwaterError(code, parts), status);
}
