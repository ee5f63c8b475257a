import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../runtime/metrics.js';

/**
 * Counts every answer of the process: those of guards, filters and the router too, for it is what clients see. A stream of
 * changes is counted when it ends; how long somebody listened says nothing about answering.
 */
export function countRequests(fastify: FastifyInstance, { requests, requestMs }: Metrics): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    requests.add({ method, status: String(reply.statusCode) });
    const type = String(reply.raw.getHeader('content-type') ?? '');
    if (!type.startsWith('text/event-stream')) requestMs.observe({ method }, reply.elapsedTime);
    done();
  });
}
