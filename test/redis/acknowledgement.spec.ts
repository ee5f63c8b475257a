import type { Redis } from 'ioredis';
import { z } from 'zod';
import { count, declarationOf, stream, view } from '../../src/index.js';
import { RedisConnections } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { commitOf, TASK } from '../ports/commit-request.js';
import { Proxy } from '../support/proxy.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';

const orders = stream('orders', { schema: z.object({ shop: z.string() }) });
const byShop = view('by-shop', { from: orders.groupBy('shop').aggregate({ orders: count() }) });
/** Of a replica that is stopped nothing comes, however short the wait; one that follows may need its time on a busy machine. */
const STOPPED_FOR_MS = 300;
const FOLLOWS_WITHIN_MS = 20_000;
const append = { redisKey: 'orders', entries: [['data', '{"shop":"a"}']], memoryMs: 60_000 };

describeWithRedis('acknowledgement by a replica', () => {
  let master: RedisServer;
  let replica: RedisServer;
  let raw: Redis;
  const opened: RedisConnections[] = [];
  beforeAll(async () => {
    master = await RedisServer.start({ args: ['--repl-diskless-sync-delay', '0'] });
    replica = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
    raw = master.client();
    await linked();
  });
  afterEach(async () => {
    replica.continue();
    await Promise.all(opened.splice(0).map((connections) => connections.close()));
    await linked();
  });
  afterAll(async () => {
    await replica.stop();
    await master.stop();
  });

  const linked = () => eventually(async () => (await raw.wait(1, 100)) === 1);
  const ports = (withinMs: number, url = master.url) => {
    const connections = new RedisConnections({ url });
    opened.push(connections);
    return redisPorts(connections, { replicas: { count: 1, withinMs } });
  };

  it('is there at once while the replica follows', async () => {
    const { tasks, log } = ports(FOLLOWS_WITHIN_MS);
    const { token } = (await tasks.claim(TASK, 'me', 0))!;
    expect(await tasks.commit(commitOf(token, 1))).toEqual({ status: 'committed' });
    const { ids } = await log.append({ ...append, idempotencyKey: null });
    expect((await replica.client().xrange('orders', '-', '+')).map(([id]) => id)).toEqual(ids);
  });

  it('is missed where the replica is stopped: the tick waits, and its repeat is done when the replica is back', async () => {
    const { tasks } = ports(STOPPED_FOR_MS);
    const { epoch } = (await tasks.status([TASK]))[0]!;
    const { token, record } = (await tasks.claim(TASK, 'me', epoch))!;
    const commit = commitOf(token, (record?.tick ?? 0) + 1);
    replica.pause();
    for (let repeat = 0; repeat < 2; repeat++)
      expect(await tasks.commit(commit)).toEqual({
        status: 'refused',
        reason: expect.stringMatching(/^0 of 1 replicas/) as string,
      });
    replica.continue();
    expect(await ports(FOLLOWS_WITHIN_MS).tasks.commit(commit)).toEqual({ status: 'alreadyCommitted' });
  });

  it('is not taken from a connection that wrote nothing: a repeat on a new one asks for what is there', async () => {
    const { tasks } = ports(STOPPED_FOR_MS);
    const { epoch } = (await tasks.status([TASK]))[0]!;
    const { token, record } = (await tasks.claim(TASK, 'me', epoch))!;
    const commit = commitOf(token, (record?.tick ?? 0) + 1);
    replica.pause();
    expect((await tasks.commit(commit)).status).toBe('refused');
    expect((await ports(STOPPED_FOR_MS).tasks.commit(commit)).status).toBe('refused');
  });

  it('is unknown of an append while the replica is stopped, and a repeat with its key appends nothing twice', async () => {
    const { log } = ports(STOPPED_FOR_MS);
    const request = { ...append, idempotencyKey: `key-${Date.now()}` };
    const before = await raw.xlen('orders');
    replica.pause();
    await expect(log.append(request)).rejects.toMatchObject({
      code: 'append-outcome-unknown',
      message: expect.stringMatching(/in the stream now/) as string,
    });
    await expect(log.append(request)).rejects.toMatchObject({ code: 'append-outcome-unknown' });
    replica.continue();
    expect(await ports(FOLLOWS_WITHIN_MS).log.append(request)).toMatchObject({ repeated: true });
    expect(await raw.xlen('orders')).toBe(before + 1);
  });

  it('is not waited for by leases, readers and whatever else is asked meanwhile', async () => {
    const { log, workers } = ports(FOLLOWS_WITHIN_MS);
    replica.pause();
    let isAppended = false;
    const appending = log.append({ ...append, idempotencyKey: null }).then(() => (isAppended = true));
    const info = { id: 'w', fingerprints: [], role: 'worker' as const, startedAt: 0 };
    await workers.renew(info, 1_000);
    await log.ends(['orders']);
    expect(isAppended).toBe(false);
    replica.continue();
    await appending;
  });

  it('counts for nothing where the connection was replaced in between: another server may answer now', async () => {
    const proxy = await Proxy.start(master.port);
    const { tasks } = ports(FOLLOWS_WITHIN_MS, proxy.url);
    const { epoch } = (await tasks.status([TASK]))[0]!;
    const { token, record } = (await tasks.claim(TASK, 'me', epoch))!;
    proxy.mode('cutBefore', 'wait');
    const commit = commitOf(token, (record?.tick ?? 0) + 1);
    expect((await tasks.commit(commit)).status).toBe('refused');
    expect(await tasks.commit(commit)).toEqual({ status: 'alreadyCommitted' });
    await proxy.stop();
  });

  it('lets a view wait without losing or doubling anything, and says why it waits', async () => {
    await raw.flushall();
    const system = await System.start({
      url: master.url,
      declarations: [declarationOf(byShop) as ViewDeclaration],
      replicas: { count: 1, withinMs: STOPPED_FOR_MS },
      limits: { retryMsMax: 100 },
    });
    const add = async (): Promise<void> => void (await raw.xadd('orders', '*', 'data', '{"shop":"a"}'));
    await add();
    await system.caughtUp('by-shop');
    replica.pause();
    for (let more = 0; more < 5; more++) await add();
    await eventually(() => system.metrics.commits.get({ view: 'by-shop', outcome: 'refused' }) > 1);
    replica.continue();
    await add();
    await eventually(async () => [...(await system.rows('by-shop')).values()][0]?.orders === 7);
    await system.stop();
    expect(await replica.client().xlen('orders')).toBe(7);
  });
});
