import { createServer, type AddressInfo } from 'node:net';
import { count, declarationOf, stream, view } from '../../src/index.js';
import { z } from 'zod';
import { connectionOf } from '../../src/jobs/jobs-options.js';
import { JobsShutdown } from '../../src/jobs/jobs-shutdown.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { eventually } from '../support/system.js';
import { Application } from './application.js';

describe('a process that stops', () => {
  test('does so where Redis cuts every connection before it is made', async () => {
    const resets = createServer((socket) => socket.resetAndDestroy());
    await new Promise<void>((resolve) => resets.listen(0, '127.0.0.1', resolve));
    const orders = stream('orders', { schema: z.object({ customer: z.string() }) });
    const totals = view('totals', { from: orders.groupBy('customer').aggregate({ orders: count() }) });
    const application = new Application({
      url: `redis://127.0.0.1:${(resets.address() as AddressInfo).port}`,
      memory: new MemoryRedis(),
      declarations: [declarationOf(totals)],
      jobs: { limits: { closeMsMax: 500 } },
    });
    await application.start();
    await eventually(() => application.warnings.join().includes('Rebuilds cannot be worked on: '));
    await application.stop();
    await new Promise((resolve) => resets.close(resolve));
  });

  const retryOf = (shutdown: JobsShutdown): ((attempt: number) => number | null) =>
    (
      connectionOf({ connection: { url: 'redis://127.0.0.1:1' }, prefix: 'sw' }, shutdown) as unknown as {
        retryStrategy: (attempt: number) => number | null;
      }
    ).retryStrategy;

  test('waits until no connection of its jobs rests before its next attempt, and no longer', async () => {
    const shutdown = new JobsShutdown();
    const before = performance.now();
    const rest = retryOf(shutdown)(1)!;
    await shutdown.attempted();
    expect(performance.now() - before).toBeGreaterThanOrEqual(rest);
    const after = performance.now();
    await shutdown.attempted();
    expect(performance.now() - after).toBeLessThan(rest);
  });

  test('lets none of them try again', async () => {
    const shutdown = new JobsShutdown();
    shutdown.begin();
    expect(retryOf(shutdown)(1)).toBeNull();
  });
});
