import { count, instant, max, stream, sum, view } from 'stillwater';
import { z } from 'zod';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { problem, Product } from './product.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), region: z.string(), amount: z.number(), at: instant() }),
});
const perShop = view('per-shop', {
  from: sales.groupBy('region', 'shop').aggregate({ sales: count(), amount: sum('amount'), last: max('at') }),
  indexes: ['amount.desc'],
});

/** The last one no path can name: by the rules of URLs a segment of dots is taken away, however it is encoded. */
const shops = ['a/b', 'ü 😀', '%2F', 'a"b\\c', '\u0000', 'null', ' ', '..'];

describeWithRedis('a request that is wrong', () => {
  let redis: RedisServer;
  let product: Product;
  beforeAll(async () => {
    redis = await RedisServer.start();
    product = await Product.start(redis, [perShop]);
    const events = shops.map((shop, index) => ({
      shop,
      region: 'Süd/West',
      amount: index,
      at: '2026-01-05T10:00:00Z',
    }));
    expect((await product.ask('POST', '/streams/sales/events', events)).status).toBe(202);
    await product.caughtUp('per-shop');
  });
  afterAll(async () => {
    await product.stop();
    await redis.stop();
  });

  test.each<['GET' | 'POST' | 'PUT' | 'DELETE', string, number, string, RegExp]>([
    ['GET', '/views/nobody', 404, 'unknown-view', /per-shop/],
    ['GET', '/views/nobody/rows', 404, 'unknown-view', /per-shop/],
    ['GET', '/views/nobody/errors', 404, 'unknown-view', /per-shop/],
    ['GET', '/views/nobody/changes', 404, 'unknown-view', /per-shop/],
    ['POST', '/views/nobody/rebuilds', 404, 'unknown-view', /per-shop/],
    ['GET', '/streams/nobody', 404, 'unknown-stream', /sales/],
    ['POST', '/streams/nobody/events', 404, 'unknown-stream', /sales/],
    ['PUT', '/tables/sales/rows/a', 404, 'unknown-table', /./],
    ['DELETE', '/tables/nobody/rows/a', 404, 'unknown-table', /./],
    ['GET', '/nothing/here', 404, 'unknown-route', /nothing/],
    ['GET', '/views/per-shop/rows?colour=eq.red', 400, 'unknown-parameter', /shop/],
    ['GET', '/views/per-shop/rows?sales=about.3', 400, 'malformed-filter', /gte/],
    ['GET', '/views/per-shop/rows?sales=eq.many', 400, 'malformed-value', /sales/],
    ['GET', '/views/per-shop/rows?amount=eq.NaN', 400, 'malformed-value', /amount/],
    ['GET', '/views/per-shop/rows?last=eq.2026-02-30', 400, 'malformed-value', /date-time/],
    ['GET', '/views/per-shop/rows?last=lt.2026-02-30T10:00:00Z', 400, 'malformed-value', /2026-02-30/],
    ['GET', '/views/per-shop/rows?last=lt.9999-12-31T23:59:59-23:00', 400, 'malformed-value', /9999/],
    ['GET', '/views/per-shop/rows?amount=in.(1', 400, 'malformed-filter', /expected/],
    ['GET', '/views/per-shop/rows?or=(sales.eq.1', 400, 'malformed-filter', /expected/],
    ['GET', '/views/per-shop/rows?order=colour', 400, 'unknown-column', /shop/],
    ['GET', '/views/per-shop/rows?limit=-1', 400, 'malformed-parameter', /limit/],
    ['GET', '/views/per-shop/rows?cursor=AAAA', 400, 'malformed-cursor', /./],
    ['GET', '/views/per-shop/rows?cursor=%F0%9F', 400, 'malformed-url', /UTF-8/],
    ['GET', '/views/per-shop/rows?atLeast=yesterday', 400, 'malformed-token', /yesterday/],
    ['GET', '/views/per-shop/rows?atLeast=sales@x-1', 400, 'malformed-token', /sales/],
    ['GET', '/views/per-shop/rows/one-segment', 400, 'malformed-key', /region\/shop/],
    ['GET', '/views/per-shop/rows/a/nobody', 404, 'unknown-row', /nobody/],
  ])('%s %s is answered by what is known', async (method, url, status, code, evidence) => {
    const body = method === 'POST' || method === 'PUT' ? '{}' : undefined;
    const reply = await product.ask(method, url, body);
    expect(reply).toMatchObject(problem(status, code, evidence));
    expect(reply.headers['content-type']).toContain('application/problem+json');
  });

  test.each(shops.slice(0, -1))(
    'finds the row whose key is %j, which only has to be percent-encoded',
    async (shop) => {
      const url = `/views/per-shop/rows/${encodeURIComponent('Süd/West')}/${encodeURIComponent(shop)}`;
      expect((await product.get(url)).body).toMatchObject({ region: 'Süd/West', shop, sales: 1 });
    },
  );

  test.each(shops)('filters by %j', async (shop) => {
    const { body } = await product.get(`/views/per-shop/rows?shop=eq.${encodeURIComponent(shop)}`);
    expect(body.map((row: any) => row.shop)).toEqual([shop]);
  });

  test('pages through all keys by a cursor, whatever characters they have', async () => {
    const seen: string[] = [];
    for (let url: string | null = '/views/per-shop/rows?order=amount.desc&limit=3'; url !== null;) {
      const { body, headers } = await product.get(url);
      seen.push(...body.map((row: any) => row.shop));
      url = /^<(.*)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1] ?? null;
    }
    expect(seen).toEqual([...shops].reverse());
  });

  test('of a token of the future waits no longer than was asked, and says where it stands', async () => {
    const reply = await product.get('/views/per-shop/rows?atLeast=sales@99999999999999-0', {
      prefer: 'wait=0.1',
    });
    expect(reply).toMatchObject(problem(503, 'position-not-reached'));
    expect(reply.body).toMatchObject({
      wanted: expect.stringContaining('99999999999999-0'),
      reached: expect.stringContaining('sales@'),
    });
    expect(reply.headers['retry-after']).toBeDefined();
  });
});
