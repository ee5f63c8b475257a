import { z } from 'zod';
import { count, declarationOf, stream, view } from '../../src/index.js';
import { RedisConnections } from '../../src/redis/connections.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import type { Ports } from '../../src/runtime/ports/ports.js';
import { Reading } from '../../src/runtime/reading/reading.js';
import type { TaskId } from '../../src/runtime/task-id.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { commitOf, TASK } from '../ports/commit-request.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { describeWithRedis, type RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';

const orders = stream('orders', {
  schema: z.object({ shop: z.string() }),
  partitions: 6,
  partitionBy: 'shop',
});
const byShop = view('by-shop', { from: orders.groupBy('shop').aggregate({ orders: count() }) });
const SHOPS = Array.from({ length: 24 }, (_, index) => `shop ${index}`);
/** Of a replica that is stopped nothing comes, however short the wait; one that follows may need its time on a busy machine. */
const STOPPED_FOR_MS = 300;
const FOLLOWS_WITHIN_MS = 20_000;

describeWithRedis('acknowledgement by replicas, on a cluster', () => {
  const keyspace = new Keyspace();
  let cluster: RedisCluster;
  const opened: RedisConnections[] = [];
  const paused: RedisServer[] = [];
  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });
  beforeEach(() => cluster.flushAll());
  afterEach(async () => {
    resume();
    await Promise.all(opened.splice(0).map((connections) => connections.close()));
    await cluster.settled();
  });
  afterAll(() => cluster.stop());

  const ports = (withinMs: number): Ports => {
    const connections = new RedisConnections({ url: cluster.url });
    opened.push(connections);
    return redisPorts(connections, { replicas: { count: 1, withinMs } });
  };
  /** Stops whatever follows the node on which a key lies. */
  const pauseReplicas = async (redisKey: string): Promise<void> => {
    for (const { server } of await cluster.replicasOf(redisKey)) {
      paused.push(server);
      server.pause();
    }
  };
  const resume = (): void => paused.splice(0).forEach((server) => server.continue());
  /** A task on each master. */
  const spread = async (): Promise<TaskId[]> => {
    const found = new Map<string, TaskId>();
    for (let partition = 0; found.size < 3; partition++) {
      const task = { ...TASK, partition };
      found.set((await cluster.masterOf(keyspace.task(task))).id, task);
    }
    return [...found.values()];
  };

  it('is asked of the node where the task lies: a stopped replica holds up the tasks of its own master', async () => {
    const [stopped, ...others] = await spread();
    const { server } = await cluster.masterOf(keyspace.task(stopped!));
    const patient = ports(FOLLOWS_WITHIN_MS);
    await pauseReplicas(keyspace.task(stopped!));
    for (const task of others) {
      const { token } = (await patient.tasks.claim(task, 'me', 0))!;
      expect(await patient.tasks.commit(commitOf(token, 1, { task }))).toEqual({ status: 'committed' });
      const [replica] = await cluster.replicasOf(keyspace.task(task));
      const copy = replica!.server.raw;
      await copy.readonly();
      expect(await copy.hget(keyspace.task(task), 'tick')).toBe('1');
    }
    const { tasks } = ports(STOPPED_FOR_MS);
    const { token } = (await tasks.claim(stopped!, 'me', 0))!;
    const commit = commitOf(token, 1, { task: stopped! });
    for (let repeat = 0; repeat < 2; repeat++)
      expect(await tasks.commit(commit)).toEqual({
        status: 'refused',
        reason: `0 of 1 replicas of 127.0.0.1:${server.port} have it after ${STOPPED_FOR_MS} ms (STILLWATER_REPLICAS)`,
      });
    resume();
    expect(await patient.tasks.commit(commit)).toEqual({ status: 'alreadyCommitted' });
  });

  it('is not given by replicas of the node that a slot is leaving for what was written where it goes', async () => {
    const { log } = ports(STOPPED_FOR_MS);
    const append = { redisKey: 'orders', entries: [['n', '1']], memoryMs: 60_000, idempotencyKey: null };
    // What was written last moves first. The stream is to be gone while the marker of the slot is still there.
    await cluster.client().set(keyspace.acknowledged('orders'), '');
    await log.append(append);
    const from = await cluster.masterOf('orders');
    const to = await cluster.migrate('orders', async (moved) => {
      if (moved > 1) return;
      expect(await from.server.raw.exists(keyspace.acknowledged('orders'))).toBe(1);
      await expect(log.append(append)).rejects.toMatchObject({
        code: 'append-outcome-unknown',
        message: expect.stringMatching(/ASK/) as string,
      });
    });
    expect(await to.server.raw.xlen('orders')).toBe(2);
    // Where it lies now it is acknowledged by those that follow there.
    await ports(FOLLOWS_WITHIN_MS).log.append(append);
    await pauseReplicas('orders');
    await expect(log.append(append)).rejects.toMatchObject({ code: 'append-outcome-unknown' });
  });

  it('lets a view wait with the node to blame, and it goes on by itself without losing or doubling anything', async () => {
    const declared = declarationOf(byShop) as ViewDeclaration;
    const system = await System.start({
      url: cluster.url,
      declarations: [declared],
      replicas: { count: 1, withinMs: STOPPED_FOR_MS },
      limits: { retryMsMax: 100 },
    });
    const { catalog, registry: watch, views: store } = system;
    const reading = new Reading({ ...system, catalog: () => catalog, watch, store });
    const source = declarationOf(orders) as RecordSource;
    const raw = cluster.client();
    const add = async (): Promise<void> => {
      for (const shop of SHOPS) {
        const redisKey = partitionKeys(source)[partitionOf(source)!({ shop })]!;
        await raw.xadd(redisKey, '*', 'data', JSON.stringify({ shop }));
      }
    };
    try {
      const { statuses } = reading;
      await add();
      await system.caughtUp('by-shop');
      const before = (await statuses.one('by-shop')).partitions.map(({ tick }) => tick);
      const tasks = Array.from({ length: 6 }, (_, partition) => ({ ...TASK, view: 'by-shop', partition }));
      const masters = new Set(
        await Promise.all(tasks.map(async (task) => (await cluster.masterOf(keyspace.task(task))).server)),
      );
      expect(masters.size).toBeGreaterThan(1);
      for (const task of await spread()) await pauseReplicas(keyspace.task(task));
      await add();
      await eventually(async () => {
        const { state, partitions } = await statuses.one('by-shop');
        return state === 'waiting' && partitions.every(({ waiting }) => waiting !== null);
      });
      const { partitions } = await statuses.one('by-shop');
      for (const [partition, task] of tasks.entries()) {
        const { server } = await cluster.masterOf(keyspace.task(task));
        expect(partitions[partition]!.waiting).toContain(`0 of 1 replicas of 127.0.0.1:${server.port}`);
        // It repeats one tick, and goes no further: none is made on what does not count.
        expect(partitions[partition]!.tick).toBe(before[partition]! + 1);
      }
      resume();
      await add();
      await system.caughtUp('by-shop');
      const rows = [...(await system.rows('by-shop')).values()] as { shop: string; orders: number }[];
      expect(rows.map(({ shop, orders: counted }) => [shop, counted]).sort()).toEqual(
        SHOPS.map((shop) => [shop, 3]).sort(),
      );
      await eventually(async () => (await statuses.one('by-shop')).state === 'live');
    } finally {
      await system.stop();
    }
  });
});
