import type { FastifyReply, FastifyRequest } from 'fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { plainProblem } from './problem.js';
import { jsonOf } from './read-body.js';
import { sendProblem } from './send-problem.js';
import { defaultServingLimits, type ServingLimits } from './serving-limits.js';

/** Fastify with the limits of the HTTP surface. Open connections (changes) end when the service does. */
export function servingAdapter(limits: Partial<ServingLimits> = {}): FastifyAdapter {
  const { bodyBytesMax, pathSegmentMax } = { ...defaultServingLimits, ...limits };
  const adapter = new FastifyAdapter({
    bodyLimit: bodyBytesMax,
    routerOptions: { maxParamLength: pathSegmentMax },
    forceCloseConnections: true,
    // What the router itself refuses comes to no filter.
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(
        reply,
        plainProblem(400, 'malformed-url', error.message, 'Percent-encode the address as UTF-8.'),
      );
    },
  });
  adapter.useBodyParser('application/json', false, { bodyLimit: bodyBytesMax }, (_request, body, done) => {
    try {
      done(null, jsonOf(body));
    } catch (thrown) {
      done(thrown as Error);
    }
  });
  return adapter;
}
