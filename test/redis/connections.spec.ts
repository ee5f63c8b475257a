import type { Redis } from 'ioredis';
import { RedisConnections, type RedisConnectionOptions } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import { commitOf, rowsWrites, TASK } from '../ports/commit-request.js';
import { Proxy } from '../support/proxy.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';

describeWithRedis('what a broken connection does to', () => {
  let server: RedisServer;
  let raw: Redis;
  let proxy: Proxy;
  let connections: RedisConnections;
  const logged: string[] = [];
  beforeAll(async () => {
    server = await RedisServer.start();
    raw = server.client();
  });
  beforeEach(async () => {
    await raw.flushall();
    proxy = await Proxy.start(server.port);
    logged.length = 0;
    connect();
  });
  afterEach(async () => {
    await connections.close();
    await proxy.stop();
  });
  afterAll(() => server.stop());
  const connect = (options: RedisConnectionOptions = {}): void => {
    connections = new RedisConnections({
      url: proxy.url,
      log: (message) => logged.push(message),
      ...options,
    });
  };
  const ports = (): ReturnType<typeof redisPorts> => redisPorts(connections);

  it('a commit whose reply is lost: the outcome is unknown, and the repeat finds it done', async () => {
    const { tasks, views } = ports();
    const { token } = (await tasks.claim(TASK, 'me', 0))!;
    await tasks.commit(commitOf(token, 1));
    const request = commitOf(token, 2, { keyed: rowsWrites({ ORD: 1 }), changelog: 'changes' });
    proxy.mode('cutAfter', 'evalsha');
    await expect(tasks.commit(request)).rejects.toMatchObject({ code: 'redis-unavailable' });
    expect(await tasks.commit(request)).toEqual({ status: 'alreadyCommitted' });
    expect((await views.changes(TASK, 1, 10))!.entries).toHaveLength(1);
    expect(proxy.cuts).toBe(1);
  });

  it('a database that there is not: nothing is done in another', async () => {
    await connections.close();
    connect({ url: `${proxy.url}/99` });
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(ports().tasks.claim(TASK, 'me', 0)).rejects.toThrow();
    expect(await raw.dbsize()).toBe(0);
    expect(logged.join('\n')).toContain('DB index is out of range');
  });

  it('a commit that never arrives: the outcome is unknown, and the repeat commits it', async () => {
    const { tasks } = ports();
    const { token } = (await tasks.claim(TASK, 'me', 0))!;
    proxy.mode('cutBefore', 'evalsha');
    await expect(tasks.commit(commitOf(token, 1))).rejects.toMatchObject({ code: 'redis-unavailable' });
    expect((await tasks.status([TASK]))[0]!.record).toBeNull();
    expect(await tasks.commit(commitOf(token, 1))).toEqual({ status: 'committed' });
  });

  it('an append whose reply is lost: it is not sent again, and the repeat gives the same ids', async () => {
    const { log } = ports();
    await log.append({ redisKey: 'orders', entries: [['data', '0']], idempotencyKey: 'a', memoryMs: 60_000 });
    const request = { redisKey: 'orders', entries: [['data', '1']], idempotencyKey: 'b', memoryMs: 60_000 };
    proxy.mode('cutAfter', 'evalsha');
    await expect(log.append(request)).rejects.toMatchObject({ code: 'append-outcome-unknown' });
    expect(await raw.xlen('orders')).toBe(2);
    const repeat = await log.append(request);
    expect(repeat.repeated).toBe(true);
    expect((await raw.xrange('orders', '-', '+')).map(([id]) => id)[1]).toBe(repeat.ids[0]);
    expect(await raw.xlen('orders')).toBe(2);
  });

  it.each(['group', 'range'] as const)(
    'a read through the %s whose reply is lost: the next one makes no hole',
    async (through) => {
      const { log } = ports();
      for (let n = 1; n <= 6; n++) await raw.xadd('orders', `${n}-0`, 'n', String(n));
      const request = { redisKey: 'orders', position: '0-0', entriesRead: 0, countMax: 2, through };
      await log.read(request);
      proxy.mode('cutAfter');
      await expect(log.read({ ...request, position: '2-0', entriesRead: 2 })).rejects.toMatchObject({
        code: 'redis-unavailable',
      });
      expect(await log.read({ ...request, position: '2-0', entriesRead: 2 })).toEqual({
        status: 'read',
        entries: [
          ['3-0', ['n', '3']],
          ['4-0', ['n', '4']],
        ],
      });
    },
  );

  it('a read that never settles: the connection is replaced, told of, and reading goes on', async () => {
    const unanswered: string[] = [];
    connect({ commandTimeoutMs: 200, onUnanswered: (use) => unanswered.push(use) });
    const { log } = ports();
    await raw.xadd('orders', '1-0', 'n', '1');
    const request = {
      redisKey: 'orders',
      position: '0-0',
      entriesRead: 0,
      countMax: 10,
      through: 'range' as const,
    };
    await log.read(request);
    proxy.mode('stall');
    const started = performance.now();
    await expect(log.read(request)).rejects.toMatchObject({ code: 'redis-unavailable' });
    expect(performance.now() - started).toBeLessThan(10_000);
    proxy.mode('pass');
    expect(await log.read(request)).toMatchObject({ status: 'read' });
    expect(unanswered).toEqual(['sources']);
  });

  it('a commit to a server that has stopped running: an error within the time limit, and afterwards the truth', async () => {
    connect({ commandTimeoutMs: 200, connectTimeoutMs: 200 });
    const { tasks } = ports();
    const { token } = (await tasks.claim(TASK, 'me', 0))!;
    server.pause();
    try {
      await expect(tasks.commit(commitOf(token, 1))).rejects.toMatchObject({ code: 'redis-unavailable' });
    } finally {
      server.continue();
    }
    let outcome: unknown;
    for (let tries = 0; outcome === undefined && tries < 50; tries++)
      outcome = await tasks.commit(commitOf(token, 1)).catch(() => undefined);
    expect(outcome).toEqual({ status: expect.stringMatching(/^(committed|alreadyCommitted)$/) });
    expect((await tasks.status([TASK]))[0]!.record!.tick).toBe(1);
  });

  it('a wait for news on a connection that is stalled or cut: it ends in its time', async () => {
    const { log } = ports();
    const wait = (timeoutMs: number): Promise<readonly string[]> =>
      log.waitForNews(new Map([['orders', '0-0']]), timeoutMs, new AbortController().signal);
    await wait(30);
    proxy.mode('stall');
    const started = performance.now();
    expect(await wait(100)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(10_000);
    proxy.mode('pass');
    const waiting = wait(20_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    proxy.cutAll();
    await raw.xadd('orders', '1-0', 'n', '1');
    expect(await waiting).toEqual(['orders']);
  });

  it('the log: one line when it is lost, one when it is back', async () => {
    const { log } = ports();
    await log.ends(['orders']);
    await proxy.stop();
    await expect(log.ends(['orders'])).rejects.toMatchObject({ code: 'redis-unavailable' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/control is lost/);
  });

  it('a command while there is nothing to connect to: an error at once, not after many attempts', async () => {
    const port = proxy.port;
    await proxy.stop();
    const absent = new RedisConnections({ url: `redis://127.0.0.1:${port}` });
    await expect(redisPorts(absent).registry.read()).rejects.toMatchObject({ code: 'redis-unavailable' });
    await absent.close();
    await expect(redisPorts(absent).registry.read()).rejects.toMatchObject({ code: 'redis-unavailable' });
    proxy = await Proxy.start(server.port);
  });
});
