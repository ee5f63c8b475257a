import { z } from 'zod';
import { count, declarationOf, stream, sum, view } from '../../src/index.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { progressOf } from '../../src/runtime/progress.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';

const TASK = new Keyspace().task({ view: 'by-shop', generation: 1, stage: 0, partition: 0 });

describeWithRedis('a failover that takes back what one master had not replicated', () => {
  let cluster: RedisCluster;
  let system: System;
  let sales: string;
  let sent: number;
  beforeEach(async () => {
    cluster = await RedisCluster.start({ appendOnly: true });
    // The stream on one master, the view on another.
    const of = (await cluster.masterOf(TASK)).id;
    const names = ['sales', 'sold', 'bought', 'orders', 'receipts', 'tickets'];
    const masters = await Promise.all(names.map(async (name) => (await cluster.masterOf(name)).id));
    sales = names[masters.findIndex((id) => id !== of)]!;
    sent = 0;
    const source = stream(sales, { schema: z.object({ shop: z.string(), amount: z.number() }) });
    const byShop = view('by-shop', {
      from: source.groupBy('shop').aggregate({ sales: count(), amount: sum('amount') }),
    });
    system = await System.start({
      url: cluster.url,
      declarations: [declarationOf(byShop) as SourceDeclaration],
      commandTimeoutMs: 500,
      limits: { leaseMs: 1_000, waitMs: 200, retryMsMax: 200 },
    });
  });
  afterEach(async () => {
    await system.stop().catch(() => {});
    await cluster.stop();
  });

  const append = async (entries: number): Promise<void> => {
    const rows = Array.from({ length: entries }, () => ({ shop: `shop ${sent++ % 7}`, amount: 0.25 }));
    await eventually(
      () =>
        system.log
          .append({
            redisKey: sales,
            entries: rows.map((row) => ['data', JSON.stringify(row)]),
            idempotencyKey: `until ${sent}`,
            memoryMs: 600_000,
          })
          .then(
            () => true,
            () => false,
          ),
      30_000,
      50,
    );
  };
  const shown = async (): Promise<number> =>
    [...(await system.rows('by-shop')).values()].reduce((all, row) => all + row.sales, 0);
  const parked = async (): Promise<string | undefined> => {
    const serving = system.registry.serving('by-shop')!;
    const { statuses } = await progressOf(serving, system.tasks, system.log);
    return statuses[0]!.parked?.code;
  };
  /** Whatever is done meanwhile on the master of a key is gone with it. */
  const forgetting = async (redisKey: string, meanwhile: () => Promise<void>): Promise<void> => {
    const master = await cluster.masterOf(redisKey);
    const index = cluster.nodes.indexOf(master);
    const replica = cluster.nodes[(index + 3) % cluster.nodes.length]!;
    await master.server.raw.wait(1, 2_000);
    await replica.server.kill();
    await meanwhile();
    await master.server.kill();
    await replica.server.startAgain();
    await cluster.failedOver(redisKey, master, 30_000);
  };

  it('of the view: its task makes the lost ticks again, and each event counts once', async () => {
    await append(50);
    await system.caughtUp('by-shop');
    await forgetting(TASK, async () => {
      await append(30);
      await system.caughtUp('by-shop');
      expect(await shown()).toBe(80);
    });
    await append(20);
    await eventually(async () => (await shown().catch(() => 0)) === 100, 30_000, 50);
    await system.caughtUp('by-shop');
    expect(await shown()).toBe(100);
    expect(await parked()).toBeUndefined();
  }, 90_000);

  it('of the view all that it ever committed, of a stream that was trimmed since: it parks, and shows what is left when it is rebuilt from that', async () => {
    await forgetting(TASK, async () => {
      await append(50);
      await system.caughtUp('by-shop');
      expect(await shown()).toBe(50);
      expect(await cluster.client().xtrim(sales, 'MAXLEN', 10)).toBe(40);
    });
    await append(5);
    await eventually(async () => (await parked().catch(() => undefined)) === 'log-trimmed', 30_000, 50);
    expect(await shown()).toBe(0);
    const { rebuilder } = system;
    await rebuilder.begin('rebuild', ['by-shop'], 'building', true);
    await eventually(
      async () => (await rebuilder.advance('rebuild').catch(() => null))?.state === 'promoted',
      30_000,
      50,
    );
    expect(await shown()).toBe(15);
  }, 90_000);

  it('of the stream: the view that had read it is parked as ahead of its log, served as it is, and right when it is rebuilt', async () => {
    await append(50);
    await system.caughtUp('by-shop');
    await forgetting(sales, async () => {
      await append(30);
      await system.caughtUp('by-shop');
    });
    await eventually(async () => (await parked().catch(() => undefined)) === 'ahead-of-its-log', 30_000, 50);
    expect(await shown()).toBe(80);
    await append(20);
    const { rebuilder } = system;
    await rebuilder.begin('rebuild', ['by-shop'], 'building', false);
    await eventually(
      async () => (await rebuilder.advance('rebuild').catch(() => null))?.state === 'promoted',
      30_000,
      50,
    );
    // The log holds what was replicated, and what came after it.
    expect(await shown()).toBe(70);
    await append(5);
    await system.caughtUp('by-shop');
    expect(await shown()).toBe(75);
  }, 90_000);
});
