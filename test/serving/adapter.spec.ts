import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import type { HttpAdapterHost } from '@nestjs/core';
import { servingAdapter } from '../../src/serving/serving-adapter.js';
import { ServingModule } from '../../src/serving/serving.module.js';

it('the routes are refused by an application that does not run on Fastify, before anything is served', () => {
  const host = { httpAdapter: { getType: () => 'express' } } as unknown as HttpAdapterHost;
  expect(() => new ServingModule(host, {} as never, {} as never).onModuleInit()).toThrow(
    /The routes of Stillwater need Fastify; this application runs on express\./,
  );
});

it.each([
  ['BREW /views HTTP/1.1\r\nhost: a\r\n\r\n', 400, 'Invalid method'],
  [`GET /views HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'overflow'],
])('what is no HTTP is answered with a problem too: %#', async (request, status, said) => {
  const fastify = servingAdapter().getInstance<FastifyInstance>();
  await fastify.listen({ port: 0, host: '127.0.0.1' });
  try {
    const socket = connect((fastify.server.address() as { port: number }).port, '127.0.0.1');
    socket.write(request);
    const [head, body] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*content-type: application/problem\\+json`));
    const problem = JSON.parse(body!);
    expect(problem).toMatchObject({ status, code: 'malformed-request' });
    expect(problem.evidence.toLowerCase()).toContain(said.toLowerCase());
  } finally {
    await fastify.close();
  }
});
