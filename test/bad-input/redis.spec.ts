import { connect, createServer, type Server, type Socket } from 'node:net';
import { count, stream, view } from 'stillwater';
import { z } from 'zod';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/system.js';
import { problem, Product } from './product.js';

const sales = stream('sales', { schema: z.object({ shop: z.string() }) });
const perShop = view('per-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
const all = view('all-sales', { from: sales.groupBy().aggregate({ sales: count() }) });
const views = [perShop, all];

/** Passes a Redis on as if it were of version 6: nothing but what INFO says of the version is changed. */
async function asVersion6(redis: RedisServer): Promise<{ url: string; stop: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(redis.port, '127.0.0.1');
    near.on('data', (data) => far.write(data));
    far.on('data', (data) =>
      near.write(
        Buffer.from(data.toString('latin1').replace(/redis_version:\d/, 'redis_version:6'), 'latin1'),
      ),
    );
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => (near.destroy(), far.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `redis://127.0.0.1:${(server.address() as { port: number }).port}`,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

describeWithRedis('a Redis that will not do', () => {
  let redis: RedisServer;
  let product: Product | null;
  beforeEach(async () => {
    product = null;
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    await product?.stop();
    await redis.stop();
  });

  /** The code and message with which the product refuses to start. */
  const refusal = async (url = redis.url): Promise<{ code: string; message: string }> => {
    try {
      product = await Product.start(url, views);
    } catch (thrown) {
      return thrown as { code: string; message: string };
    }
    return { code: 'started', message: '' };
  };
  const append = (shop: string) => product!.ask('POST', '/streams/sales/events', { shop });
  const rows = async () => (await product!.get('/views/per-shop/rows')).body;

  test('because it is absent ends the start, and says so', async () => {
    await redis.kill();
    expect(await refusal()).toMatchObject({
      code: 'redis-unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('because it is of version 6 ends the start (only its INFO is made to say so)', async () => {
    const old = await asVersion6(redis);
    try {
      expect(await refusal(old.url)).toMatchObject({
        code: 'redis-version',
        message: expect.stringMatching(/6\.\d+[^]*7\.0/),
      });
      expect(await redis.client().keys('sw*')).toEqual([]);
    } finally {
      await old.stop();
    }
  });

  test('because it may evict our keys ends the start, and nothing is written', async () => {
    await redis.client().config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await refusal()).toMatchObject({
      code: 'redis-evicts',
      message: expect.stringContaining('noeviction'),
    });
    expect(await redis.client().keys('sw*')).toEqual([]);
  });

  test('because it is a replica ends the start', async () => {
    await redis.client().replicaof('127.0.0.1', 1);
    expect(await refusal()).toMatchObject({ code: 'redis-replica' });
  });

  test('because it has become full refuses writes, serves what is there, and goes on when there is room', async () => {
    product = await Product.start(redis, views);
    await append('a');
    await product.caughtUp('per-shop');
    await redis.client().config('SET', 'maxmemory', '1');
    expect(await append('b')).toMatchObject(problem(503, 'redis-refused', /OOM/));
    expect(await rows()).toEqual([{ shop: 'a', sales: 1 }]);
    await redis.client().config('SET', 'maxmemory', '0');
    expect((await append('c')).status).toBe(202);
    await product.caughtUp('per-shop');
    expect(await rows()).toEqual([
      { shop: 'a', sales: 1 },
      { shop: 'c', sales: 1 },
    ]);
  });

  test('because it has become read-only refuses writes, serves what is there, and goes on when it may write', async () => {
    product = await Product.start(redis, views);
    await append('a');
    await product.caughtUp('per-shop');
    const admin = redis.client();
    await admin.replicaof('127.0.0.1', 1);
    expect(await append('b')).toMatchObject(problem(503, 'redis-refused', /READONLY/));
    expect(await rows()).toEqual([{ shop: 'a', sales: 1 }]);
    await admin.replicaof('NO', 'ONE');
    expect((await append('c')).status).toBe(202);
    await product.caughtUp('per-shop');
    expect((await rows()).map(({ shop }: any) => shop)).toEqual(['a', 'c']);
  });

  test('because it went away answers 503 until it is back, and then nothing is missing', async () => {
    await redis.stop();
    redis = await RedisServer.start({ appendOnly: true });
    product = await Product.start(redis, views);
    await append('a');
    await product.caughtUp('per-shop');
    await redis.kill();
    expect((await append('b')).status).toBe(503);
    expect((await product.get('/health/ready')).status).toBe(503);
    await redis.startAgain();
    await eventually(async () => (await product!.get('/health/ready')).status === 200, 20_000);
    await append('c');
    await product.caughtUp('per-shop');
    expect((await rows()).map(({ shop }: any) => shop)).toEqual(['a', 'c']);
  });

  test('because a key of ours holds another type parks that view, which names the key; others go on', async () => {
    product = await Product.start(redis, views);
    await append('a');
    await product.caughtUp('per-shop');
    const [task] = await redis.client().keys('*per-shop#1/0.0:task');
    const base = task!.slice(0, -':task'.length);
    const before = await redis.client().keys(`${base}:k:*`);
    // Whatever bucket comes next is taken already.
    for (let bucket = 0; bucket < 256; bucket++)
      await redis.client().set(`${base}:k:rows:${bucket}`, 'x', 'NX');
    await append('b');
    await append('c');
    await append('d');
    await eventually(async () => (await product!.get('/views/per-shop')).body.state === 'parked');
    const { body } = await product.get('/views/per-shop');
    expect(body.parked[0]).toMatchObject({ message: expect.stringMatching(/:k:rows:\d+|holds/) });
    await product.caughtUp('all-sales');
    expect((await product.get('/views/all-sales/rows')).body).toEqual([{ sales: 4 }]);
    expect(before.length).toBeGreaterThan(0);
    // Nothing was written: when the keys are ours again the view goes on by itself.
    for (let bucket = 0; bucket < 256; bucket++)
      if ((await redis.client().type(`${base}:k:rows:${bucket}`)) === 'string')
        await redis.client().del(`${base}:k:rows:${bucket}`);
    await product.caughtUp('per-shop');
    expect(await rows()).toHaveLength(4);
  });

  test('because a key that rows move by holds another type parks both ends, which name it; then they go on', async () => {
    const placed = stream('placed', {
      schema: z.object({ shop: z.string(), buyer: z.string() }),
      partitions: 2,
      partitionBy: 'shop',
    });
    const perBuyer = view('per-buyer', { from: placed.groupBy('buyer').aggregate({ sales: count() }) });
    product = await Product.start(redis, [perBuyer, all]);
    const sell = (shop: string) => product!.ask('POST', '/streams/placed/events', { shop, buyer: shop });
    const senders = (): Promise<string[]> => redis.client().keys('*per-buyer#1/0.*:task');
    await eventually(async () => (await senders()).length === 2);
    const ways = (await senders()).flatMap((task) =>
      [0, 1].map((receiver) => task.replace(/:task$/, `:out:${receiver}`)),
    );
    for (const way of ways) await redis.client().set(way, 'x');
    for (const shop of ['a', 'b', 'c', 'd']) expect((await sell(shop)).status).toBe(202);
    await eventually(async () => (await product!.get('/views/per-buyer')).body.state === 'parked');
    const { body } = await product.get('/views/per-buyer');
    expect(body.parked[0]).toMatchObject({ message: expect.stringMatching(/:out:\d/) });
    await append('a');
    await product.caughtUp('all-sales');
    for (const way of ways) if ((await redis.client().type(way)) === 'string') await redis.client().del(way);
    await product.caughtUp('per-buyer');
    expect((await product.get('/views/per-buyer/rows')).body).toHaveLength(4);
  });

  test('because the stream’s key holds another type is named in the answer', async () => {
    await redis.client().set('sales', 'x');
    product = await Product.start(redis, views);
    expect(await append('a')).toMatchObject(problem(409, 'wrong-type', /sales/));
  });

  test('because the registry’s key holds another type ends the start', async () => {
    await redis.client().set('sw:registry', 'x');
    expect(await refusal()).toMatchObject({ code: 'wrong-type', message: expect.stringContaining('prefix') });
  });
});
