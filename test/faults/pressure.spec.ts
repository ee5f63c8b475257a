import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { count, declarationOf, stream, view } from '../../src/index.js';
import { partitionOf } from '../../src/runtime/placement.js';
import { progressOf } from '../../src/runtime/progress.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { Product } from '../bad-input/product.js';
import { compiled } from '../support/compiled.js';
import { Proxy } from '../support/proxy.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), note: z.string() }),
  retain: { entries: 20 },
});
const perShop = view('per-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
const visits = stream('visits', {
  schema: z.object({ page: z.string() }),
  partitions: 4,
  partitionBy: ['page'],
});
const perPage = view('per-page', { from: visits.groupBy('page').aggregate({ visits: count() }) });

describeWithRedis('pressure', () => {
  let redis: RedisServer;
  let raw: Redis;
  const systems: System[] = [];
  let product: Product | null = null;
  beforeEach(async () => {
    redis = await RedisServer.start();
    raw = redis.client();
  });
  afterEach(async () => {
    for (const system of systems.splice(0)) await system.stop();
    await product?.stop();
    product = null;
    await redis.stop();
  });

  const start = async (of: typeof perShop | typeof perPage, url = redis.url): Promise<System> => {
    const system = await System.start({ url, declarations: [declarationOf(of) as ViewDeclaration] });
    systems.push(system);
    return system;
  };
  const fill = async (key: string, entries: number, data: object): Promise<void> => {
    const text = JSON.stringify(data);
    for (let left = entries; left > 0; left -= 1_000) {
      const pipeline = raw.pipeline();
      for (let count = Math.min(left, 1_000); count > 0; count--) pipeline.xadd(key, '*', 'data', text);
      await pipeline.exec();
    }
  };
  const sold = async (): Promise<number> =>
    (await product!.get('/views/per-shop/rows')).body.reduce((all: number, row: any) => all + row.sales, 0);

  test('of a full Redis: the view says that it waits and why, retention makes room, and it goes on by itself', async () => {
    product = await Product.start(redis, [perShop], {}, { retentionMs: 8_000 });
    await fill('sales', 4_000, { shop: 'a', note: 'x'.repeat(1_000) });
    await product.caughtUp('per-shop');
    const used = Number(/used_memory:(\d+)/.exec(await raw.info('memory'))![1]);
    const transaction = raw.multi();
    for (let more = 0; more < 50; more++)
      transaction.xadd('sales', '*', 'data', JSON.stringify({ shop: 'b', note: '' }));
    transaction.config('SET', 'maxmemory', used - 500_000);
    await transaction.exec();
    let waiting: any;
    await eventually(async () => {
      waiting = (await product!.get('/views/per-shop')).body;
      return waiting.state === 'waiting';
    });
    expect(waiting.waiting).toEqual([{ partition: 0, reason: expect.stringMatching(/^OOM/) as string }]);
    const metrics = await product.app.inject({ method: 'GET', url: '/metrics' });
    expect(metrics.body).toMatch(/stillwater_view_waiting_tasks\{view="per-shop"\} 1/);
    await product.caughtUp('per-shop');
    expect(await sold()).toBe(4_050);
    expect(await raw.xlen('sales')).toBeLessThan(4_000);
  });

  test.each([
    ['NOREPLICAS', (): unknown => raw.config('SET', 'min-replicas-to-write', '1')],
    ['READONLY', (): unknown => raw.replicaof('127.0.0.1', 1)],
    [
      'MISCONF',
      async (): Promise<void> => {
        await raw.config('SET', 'save', '3600 1');
        await raw.config('SET', 'dir', '/proc');
        await raw.bgsave();
      },
    ],
  ])(
    'of a Redis that takes no writes (%s): whoever asks is told that views wait and why, and they go on by themselves',
    async (refusal, refuse) => {
      await redis.stop();
      redis = await RedisServer.start({ args: ['--enable-protected-configs', 'yes'] });
      raw = redis.client();
      product = await Product.start(redis, [perShop]);
      await fill('sales', 10, { shop: 'a', note: '' });
      await product.caughtUp('per-shop');
      await refuse();
      const reason = expect.stringMatching(new RegExp(`^${refusal}`)) as string;
      // Longer than a lease, which nobody can renew.
      for (let round = 0; round < 2; round++) {
        await eventually(async () => (await product!.get('/views/per-shop')).body.state === 'waiting');
        await new Promise((resolve) => setTimeout(resolve, 1_200));
      }
      const { status, body } = await product.get('/views/per-shop');
      expect([status, body.state, body.waiting]).toEqual([200, 'waiting', [{ partition: 0, reason }]]);
      expect((await product.get('/views')).status).toBe(200);
      expect((await product.get('/streams')).status).toBe(200);
      expect(await sold()).toBe(10);
      const metrics = await product.app.inject({ method: 'GET', url: '/metrics' });
      expect(metrics.body).toMatch(/stillwater_view_waiting_tasks\{view="per-shop"\} 1/);
      expect(metrics.body).toMatch(/stillwater_redis_up 1/);
      await raw.config('SET', 'min-replicas-to-write', '0');
      await raw.config('SET', 'save', '');
      await raw.replicaof('NO', 'ONE');
      await fill('sales', 10, { shop: 'a', note: '' });
      await product.caughtUp('per-shop');
      expect(await sold()).toBe(20);
    },
  );

  test('of a Redis that stands still for longer than a lease, and of a slow wire: nothing parks, nothing is lost or doubled', async () => {
    const proxy = await Proxy.start(redis.port);
    const system = await start(perShop, proxy.url);
    await fill('sales', 500, { shop: 'a', note: '' });
    await system.caughtUp('per-shop');
    await raw.client('PAUSE', 2_500);
    await fill('sales', 500, { shop: 'a', note: '' });
    await system.caughtUp('per-shop');
    proxy.delayMs = 40;
    for (let round = 0; round < 5; round++) await fill('sales', 100, { shop: 'b', note: '' });
    await system.caughtUp('per-shop');
    const rows = [...(await system.rows('per-shop')).values()] as { shop: string; sales: number }[];
    expect(Object.fromEntries(rows.map(({ shop, sales: some }) => [shop, some]))).toEqual({
      a: 1_000,
      b: 500,
    });
    await system.stop();
    systems.length = 0;
    await proxy.stop();
  });

  test('of one hot partition: what comes into the others is shown in a moment all the same', async () => {
    const system = await start(perPage);
    const where = partitionOf(visits.declaration)!;
    const pageIn = (partition: number): string =>
      Array.from({ length: 1_000 }, (_, index) => `page-${index}`).find(
        (page) => where({ page }) === partition,
      )!;
    await fill('visits:0', 60_000, { page: pageIn(0) });
    const waits: number[] = [];
    for (let round = 0; round < 5; round++) {
      const page = pageIn(1 + (round % 3));
      await fill(`visits:${1 + (round % 3)}`, 1, { page });
      const started = performance.now();
      await eventually(async () => {
        const { frontier } = await progressOf(system.registry.serving('per-page')!, system.tasks, system.log);
        const ends = await system.log.ends(['visits:1', 'visits:2', 'visits:3']);
        return ends.every(({ redisKey, last }) => frontier[redisKey] === last);
      });
      waits.push(performance.now() - started);
    }
    expect(Math.max(...waits)).toBeLessThan(10_000);
    await system.caughtUp('per-page');
    expect((await system.rows('per-page')).size).toBe(4);
  });

  test('of a backlog many times the memory of the worker: it is worked through, and the process lives', async () => {
    await fill('parcels', 100_000, { town: 'a', grams: 3, note: 'x'.repeat(1_500) });
    const program = fileURLToPath(new URL('./small-worker.ts', import.meta.url));
    const worker = spawn(process.execPath, ['--max-old-space-size=64', await compiled(program), redis.url], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [worker.stdout, worker.stderr])
      stream.on('data', (data) => (output += String(data)));
    const rows = async (): Promise<unknown> => {
      const [key] = await raw.keys('*by-town#1/0.0:k:rows:*');
      const text = key && Object.values(await raw.hgetall(key))[0];
      return text ? JSON.parse(text.split('\n')[0]!) : null;
    };
    await eventually(async () => {
      if (worker.exitCode !== null || worker.signalCode !== null) throw new Error(`It ended:\n${output}`);
      return ((await rows()) as { parcels?: number } | null)?.parcels === 100_000;
    });
    expect(await rows()).toEqual({ town: 'a', parcels: 100_000, grams: 300_000 });
    worker.kill('SIGTERM');
    await new Promise((resolve) => worker.once('exit', resolve));
  }, 90_000);
});
