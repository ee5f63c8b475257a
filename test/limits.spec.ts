import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { count, stream, view } from '../src/index.js';
import { BullRebuilds } from '../src/jobs/bull-rebuilds.js';
import { RedisConnections } from '../src/redis/connections.js';
import { Metrics } from '../src/runtime/metrics.js';
import { LIMITS } from '../src/runtime/runtime.module.js';
import { Reading } from '../src/runtime/reading/reading.js';
import { ResolvedServingOptions } from '../src/serving/serving-options.js';
import { readSettings } from '../src/settings.js';
import { servingAdapter, StillwaterModule } from '../src/stillwater.module.js';
import { describeWithRedis, RedisServer } from './support/redis-server.js';

const events = stream('events', { schema: z.object({ key: z.int() }) });
const perKey = view('per-key', { from: events.groupBy('key').aggregate({ events: count() }) });

describeWithRedis('the service', () => {
  let redis: RedisServer;
  let app: NestFastifyApplication;
  beforeAll(async () => {
    redis = await RedisServer.start();
    const text = 'leaseMs=1500,registryRefreshMs=150,unindexedRowsMax=7,errorsLimitMax=9,driveMs=77';
    const { limits } = readSettings({ STILLWATER_LIMITS: text });
    app = await NestFactory.create<NestFastifyApplication>(
      StillwaterModule.forRoot({
        connection: redis.url,
        views: [perKey],
        limits: limits.runtime,
        jobs: limits.jobs,
        http: { token: null, standalone: true, limits: limits.http },
      }),
      servingAdapter(limits.http),
      { logger: false },
    );
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });
  afterAll(async () => {
    await app.close();
    await redis.stop();
  });

  it('gives each part the limits that were set, and the defaults of all others', () => {
    expect(app.get(LIMITS)).toMatchObject({ leaseMs: 1_500, registryRefreshMs: 150, waitMs: 2_000 });
    expect(app.get(Reading).limits).toMatchObject({ unindexedRowsMax: 7, registryRefreshMs: 150 });
    expect(app.get(ResolvedServingOptions).limits).toMatchObject({ unindexedRowsMax: 7, errorsLimitMax: 9 });
    expect(app.get(BullRebuilds).options.queue.limits).toMatchObject({ driveMs: 77, restMs: 2_000 });
  });

  it('keeps to them', async () => {
    const payload = Array.from({ length: 8 }, (_, key) => ({ key }));
    const appended = await app.inject({ method: 'POST', url: '/streams/events/events', payload });
    const reply = await app.inject({
      url: `/views/per-key/rows?events=gte.1&atLeast=${appended.json<{ position: string }>().position}`,
      headers: { prefer: 'wait=10' },
    });
    expect(reply.json()).toMatchObject({ status: 400, code: 'unindexed-query' });
    expect((await app.inject({ url: '/views/per-key/errors?limit=10' })).statusCode).toBe(400);
  });

  it('counts the connections that are replaced because an answer did not come', () => {
    app.get(RedisConnections).replaceUnanswered('control', 'a test');
    expect(app.get(Metrics).connectionsReplaced.get()).toBe(1);
  });
});
