import type { HttpAdapterHost } from '@nestjs/core';
import { ServingModule } from '../../src/serving/serving.module.js';

it('the routes are refused by an application that does not run on Fastify, before anything is served', () => {
  const host = { httpAdapter: { getType: () => 'express' } } as unknown as HttpAdapterHost;
  expect(() => new ServingModule(host, {} as never, {} as never).onModuleInit()).toThrow(
    /The routes of Stillwater need Fastify; this application runs on express\./,
  );
});
