import type { FastifyInstance } from 'fastify';
import { plainProblem } from './problem.js';
import { sendProblem } from './send-problem.js';

/**
 * Says of a path that exists which methods it has: OPTIONS asks for them, and any other method that it does not have is
 * told that instead of "unknown". The router is asked, so that this holds for every route there is.
 */
export function tellAllowedMethods(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const path = request.url.split('?', 1)[0]!;
    // A route of OPTIONS for whatever path (CORS has one) makes no path known.
    const known = fastify.supportedMethods.filter(
      (method) => method !== 'OPTIONS' && fastify.findRoute({ method, url: path }) !== null,
    );
    if (known.length === 0 || known.includes(request.method)) return done();
    const allowed = [...known, 'OPTIONS'].join(', ');
    void reply.header('allow', allowed);
    if (request.method === 'OPTIONS') return void reply.status(204).send();
    sendProblem(
      reply,
      plainProblem(
        405,
        'method-not-allowed',
        `There is no ${request.method} ${path}.`,
        'Use one of these methods; /docs describes the routes.',
        `  methods  ${allowed}`,
      ),
    );
  });
}
