import { readdirSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { RedisServer } from '../../support/redis-server.js';

/** A private server for the tests of one script, empty at the start of each test. */
export function onServer(): { redis: () => Redis; server: () => RedisServer } {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = server.client();
  });
  beforeEach(() => redis.flushall());
  afterAll(() => server.stop());
  return { redis: () => redis, server: () => server };
}

/** The script files there are. */
export const scriptNames = (): string[] =>
  readdirSync(new URL('../../../src/redis/scripts/', import.meta.url))
    .filter((file) => file.endsWith('.lua'))
    .map((file) => file.slice(0, -'.lua'.length));

/** Everything in a Redis, as text: to see that nothing was changed. */
export async function contents(redis: Redis): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const key of (await redis.keys('*')).sort())
    all[key] = await redis.dumpBuffer(key).then((dump) => dump!.toString('base64'));
  return all;
}
