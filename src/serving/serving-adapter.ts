import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
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
    clientErrorHandler: refuseNonsense,
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

/** What Node cannot read as HTTP comes to no route: there is only the socket to answer on. */
function refuseNonsense(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, what] = NONSENSE[error.code ?? ''] ?? [
    400,
    'The request is not HTTP as it is understood here.',
  ];
  const problem = plainProblem(
    status,
    'malformed-request',
    what,
    'Correct the request.',
    `  said  ${error.message}`,
  );
  const body = Buffer.from(JSON.stringify(problem));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${body.length}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  socket.destroy(error);
}

const NONSENSE: Readonly<Record<string, readonly [status: number, what: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come to its end in time.'],
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than this service takes.'],
};
