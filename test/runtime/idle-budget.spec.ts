import { count, declarationOf, stream, view } from 'stillwater';
import { z } from 'zod';
import { defaultLimits } from '../../src/runtime/limits.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';

/** Of a task, and of a worker, in commands a second while nothing happens: see docs/operating.md. */
const PER_TASK = 0.75;
const PER_WORKER = 50;
const MEASURED_MS = 8_000;

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), buyer: z.string() }),
  partitions: 10,
  partitionBy: 'shop',
});
const staying = Array.from({ length: 60 }, (_, index) =>
  view(`staying-${index}`, { from: sales.groupBy('shop').aggregate({ sales: count() }) }),
);
const moving = Array.from({ length: 20 }, (_, index) =>
  view(`moving-${index}`, { from: sales.groupBy('buyer').aggregate({ sales: count() }) }),
);
const TASKS = 60 * 10 + 20 * 20;

describeWithRedis('a thousand tasks that have nothing to do', () => {
  let redis: RedisServer;
  let system: System;
  beforeEach(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    await system.stop();
    await redis.stop();
  });

  /** How often each command was executed since Redis started. */
  const counts = async (): Promise<Map<string, number>> => {
    const text = await redis.client().info('commandstats');
    return new Map(
      [...text.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, calls]) => [name!, Number(calls)]),
    );
  };

  it('ask Redis for little', async () => {
    const declarations = [...staying, ...moving].map((each) => declarationOf(each) as SourceDeclaration);
    const { leaseMs, registryRefreshMs, readerReportMs } = defaultLimits;
    system = await System.start({
      url: redis.url,
      declarations,
      limits: { leaseMs, registryRefreshMs, readerReportMs },
    });
    for (let at = 0; at < 50; at++)
      await redis
        .client()
        .xadd(`sales:${at % 10}`, '*', 'data', JSON.stringify({ shop: 's', buyer: `b${at}` }));
    await eventually(() => [...system.metrics.tasks.values()][0]?.value === TASKS, 60_000);
    // What has come is taken in, and everybody has settled.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const before = await counts();
    await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
    const after = await counts();
    const asked = [...after]
      .map(([name, calls]) => [name, ((calls - (before.get(name) ?? 0)) / MEASURED_MS) * 1_000] as const)
      .filter(([name, perSecond]) => perSecond > 0 && name !== 'info')
      .sort(([, left], [, right]) => right - left);
    const total = asked.reduce((sum, [, perSecond]) => sum + perSecond, 0);
    expect({ total, asked, within: total <= PER_TASK * TASKS + PER_WORKER }).toMatchObject({ within: true });
  }, 120_000);
});
