import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { PositionNotReached } from '../runtime/reading/wait-for-position.js';
import { PartlyAppended } from './partly-appended.js';
import { plainProblem, problemOf, type Problem } from './problem.js';
import { sendProblem } from './send-problem.js';

/** Answers every error as `application/problem+json`. Errors that are ours to find are logged, and told without their stack. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger('serving');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const problem = this.#problem(thrown, request);
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.end();
      return;
    }
    sendProblem(reply, problem);
  }

  #problem(thrown: unknown, request: FastifyRequest): Problem {
    if (thrown instanceof PositionNotReached)
      return { ...problemOf(thrown), wanted: thrown.wanted, reached: thrown.reached };
    if (thrown instanceof PartlyAppended) return { ...problemOf(thrown), partitions: thrown.partitions };
    if (thrown instanceof StillwaterError) {
      const problem = { ...problemOf(thrown), ...extraOf(thrown) };
      if (problem.status === 500) this.#log(thrown, request);
      return problem;
    }
    const known = frameworkProblem(thrown, request);
    if (known) return known;
    this.#log(thrown, request);
    if (isUnreachable(thrown))
      return plainProblem(
        503,
        'redis-unreachable',
        'Redis does not answer.',
        'Look whether it runs (GET /health/ready); ask again when it does.',
      );
    return plainProblem(
      500,
      'internal',
      'The request failed for a reason that is not the request’s.',
      'Look at the log of the service, and report it.',
    );
  }

  #log(thrown: unknown, request: FastifyRequest): void {
    this.#logger.error(
      `${request.method} ${request.url}: ${messageOf(thrown)}`,
      thrown instanceof Error ? thrown.stack : undefined,
    );
  }
}

/** Lists that some errors carry beside their parts: the invalid events of a request. */
function extraOf(error: StillwaterError): Record<string, unknown> {
  const { errors, invalid, issues } = error as unknown as Record<string, unknown>;
  const list = invalid ?? issues ?? errors;
  return Array.isArray(list) ? { invalid: list } : {};
}

/** What Nest and Fastify refuse before a handler is reached. */
function frameworkProblem(thrown: unknown, request: FastifyRequest): Problem | null {
  const { code, statusCode } = (thrown ?? {}) as { code?: string; statusCode?: number };
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusCode;
  if (status === undefined || status >= 500) return null;
  const what = messageOf(thrown);
  switch (status) {
    case 404:
      return plainProblem(
        404,
        'unknown-route',
        `There is no ${request.method} ${request.url.split('?')[0]}.`,
        'See /docs for all routes.',
      );
    case 413:
      return plainProblem(
        413,
        'body-too-large',
        'The body is larger than this service takes.',
        'Send it in several requests, each with its own Idempotency-Key.',
      );
    case 415:
      return plainProblem(
        415,
        'unsupported-media-type',
        `The body's type is ${request.headers['content-type'] ?? 'not stated'}.`,
        'Send application/json, or application/x-ndjson where events are appended (curl --json does the former).',
      );
    case 400:
      return plainProblem(
        400,
        code?.startsWith('FST_ERR_CTP') || /JSON|body/i.test(what) ? 'malformed-body' : 'bad-request',
        what,
        'Correct the request.',
      );
    default:
      return plainProblem(status, 'refused-request', what, 'Correct the request.');
  }
}

const UNREACHABLE =
  /Connection is closed|Command timed out|Stream isn't writeable|Cluster is ended|startup nodes|slots cache|Cluster redirections|sentinels are unreachable|^LOADING|^CLUSTERDOWN/;

/** Errors of a connection to Redis, told by their codes and the words ioredis uses. */
function isUnreachable(thrown: unknown): boolean {
  const code = String((thrown as { code?: unknown } | null)?.code ?? '');
  if (/^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EHOSTUNREACH)$/.test(code)) return true;
  return (
    thrown instanceof Error &&
    (thrown.name === 'MaxRetriesPerRequestError' || UNREACHABLE.test(thrown.message))
  );
}
