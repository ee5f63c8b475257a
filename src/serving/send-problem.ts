import type { FastifyReply } from 'fastify';
import { type Problem, RETRY_AFTER_SECONDS } from './problem.js';

/** Answers with a problem, with what its status asks of the headers. */
export function sendProblem(reply: FastifyReply, problem: Problem): void {
  void reply.status(problem.status);
  void reply.header('content-type', 'application/problem+json; charset=utf-8');
  void reply.header('cache-control', 'no-store');
  if (problem.status === 503) void reply.header('retry-after', String(RETRY_AFTER_SECONDS));
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="stillwater"');
  void reply.send(JSON.stringify(problem));
}
