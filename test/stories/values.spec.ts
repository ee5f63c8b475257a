import { avg, count, Decimal, decimal, instant, max, stream, sum, table, view } from 'stillwater';
import { z } from 'zod';
import { problem, Product } from '../bad-input/product.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';

// Decimals, instants and enums from a producer to a reader, as docs/values.md tells it.

const Region = z.enum(['north', 'south', 'west']);
const sales = stream('sales', {
  schema: z.object({ at: instant(), region: Region, sku: z.string(), price: decimal(2) }),
  eventTime: 'at',
});
const prices = table('prices', {
  schema: z.object({ price: decimal(2), label: z.string().nullable() }),
  key: 'price',
});
const perSku = view('per-sku', {
  from: sales.groupBy('sku', 'region').aggregate({
    sales: count(),
    total: sum('price'),
    mean: avg('price'),
    highest: max('price'),
    lastAt: max('at'),
  }),
  indexes: ['total.desc', 'region,highest'],
});
const perPrice = view('per-price', {
  from: sales
    .groupBy('price')
    .aggregate({ sales: count() })
    .leftJoin({ of: prices }, { on: { price: 'price' } }),
});

describeWithRedis('values, from a producer to a reader', () => {
  let redis: RedisServer;
  let product: Product;
  beforeAll(async () => {
    redis = await RedisServer.start();
    product = await Product.start(redis, [perSku, perPrice]);
    for (const [price, label] of [
      ['9.5', 'cheap'],
      [100, null],
    ] as const)
      await product.ask('PUT', `/tables/prices/rows/${price}`, { price, label });
    const at = '2026-01-05T09:00:00+01:00';
    const events = [
      { at, region: 'north', sku: 'tea', price: '9.50' },
      { at: Date.parse(at) + 1, region: 'north', sku: 'tea', price: 100 },
      { at, region: 'south', sku: 'tea', price: '0.1' },
      { at, region: 'south', sku: 'cup', price: '1e1' },
      { at, region: 'west', sku: 'cup', price: '-12345678901234567890.01' },
      { at, region: 'west', sku: 'pot', price: '9.5' },
    ];
    expect((await product.ask('POST', '/streams/sales/events', events)).status).toBe(202);
    await product.xadd('sales', 'at', at, 'region', 'west', 'sku', 'pot', 'price', '0.05');
    await product.caughtUp('per-sku');
    await product.caughtUp('per-price');
  });
  afterAll(async () => {
    await product.stop();
    await redis.stop();
  });
  const rows = async (query: string) => (await product.get(`/views/per-sku/rows${query}`)).body;

  test('decimals are exact, of one scale, and text', async () => {
    expect((await product.get('/views/per-sku/rows/tea/north')).body).toEqual({
      sku: 'tea',
      region: 'north',
      sales: 2,
      total: '109.50',
      mean: '54.75000000',
      highest: '100.00',
      lastAt: '2026-01-05T08:00:00.001Z',
    });
    expect((await product.get('/views/per-sku/rows/cup/west')).body).toMatchObject({
      total: '-12345678901234567890.01',
    });
  });

  test('are ordered and found as numbers, through an index and without one', async () => {
    expect(
      (await rows('?order=total.desc&select=total')).map(({ total }: { total: string }) => total),
    ).toEqual(['109.50', '10.00', '9.55', '0.10', '-12345678901234567890.01']);
    expect(await rows('?total=gte.9.551&order=total&select=sku,total&limit=1')).toEqual([
      { sku: 'cup', total: '10.00' },
    ]);
    expect(await rows('?total=gt.0.1&total=lte.10&order=total.desc&select=total')).toEqual([
      { total: '10.00' },
      { total: '9.55' },
    ]);
    expect(await rows('?total=eq.10&select=sku')).toEqual([{ sku: 'cup' }]);
    expect(await rows('?total=eq.9.551')).toEqual([]);
    expect(await rows('?mean=lt.1&order=mean&select=mean')).toEqual([
      { mean: '-12345678901234567890.01000000' },
      { mean: '0.10000000' },
    ]);
    expect(await rows('?or=(total.in.(0.1,10),highest.eq.9.5)&order=total&select=total')).toEqual([
      { total: '0.10' },
      { total: '9.55' },
      { total: '10.00' },
    ]);
    expect(await product.get('/views/per-sku/rows?total=eq.ten')).toMatchObject(
      problem(400, 'malformed-value', /ten/),
    );
  });

  test('pages go on where they ended, in the order of the numbers', async () => {
    const found: string[] = [];
    let url: string | null = '/views/per-sku/rows?order=total&limit=2&select=total';
    while (url !== null) {
      const { body, headers } = await product.get(url);
      found.push(...body.map(({ total }: { total: string }) => total));
      url = /<([^>]+)>; rel="next"/.exec(String(headers.link ?? ''))?.[1] ?? null;
    }
    expect(found).toEqual(['-12345678901234567890.01', '0.10', '9.55', '10.00', '109.50']);
  });

  test('are keys, of rows and of joins, however they are written', async () => {
    for (const key of ['9.50', '9.5', '950e-2'])
      expect((await product.get(`/views/per-price/rows/${key}`)).body).toEqual({
        price: '9.50',
        sales: 2,
        of: { price: '9.50', label: 'cheap' },
      });
    expect((await product.get('/views/per-price/rows?price=eq.100.000')).body).toEqual([
      { price: '100.00', sales: 1, of: { price: '100.00', label: null } },
    ]);
    expect((await product.get('/views/per-price/rows/0.05')).body).toEqual({
      price: '0.05',
      sales: 1,
      of: null,
    });
  });

  test('that have no place are refused with the digits that are too many, and are errors where they were appended otherwise', async () => {
    const event = { at: 0, region: 'west', sku: 'pot', price: '0.055' };
    expect(await product.ask('POST', '/streams/sales/events', event)).toMatchObject(
      problem(400, 'invalid-events', /0\.055 has 3 digits behind the point, and there is place for 2/),
    );
    await product.xadd('sales', 'data', JSON.stringify(event));
    await product.caughtUp('per-sku');
    expect((await product.get('/views/per-sku/errors')).body[0].reason).toMatch(
      /^price: Invalid decimal: 0\.055/,
    );
  });

  test('enums group, are filtered and refuse what is none of them', async () => {
    expect(await rows('?region=eq.west&order=highest&select=sku,highest')).toEqual([
      { sku: 'cup', highest: '-12345678901234567890.01' },
      { sku: 'pot', highest: '9.50' },
    ]);
    expect((await rows('?region=in.(north,south)')).length).toBe(3);
    expect(await product.get('/views/per-sku/rows?region=eq.east')).toMatchObject(
      problem(400, 'malformed-value', /east/),
    );
  });

  test('say in OpenAPI what they are', async () => {
    const { body } = await product.get('/openapi.json');
    const { properties } =
      body.components.schemas['per_sku_row'] ??
      Object.values(body.components.schemas as object).find((schema: any) => schema.properties?.mean);
    expect(properties.total).toEqual({ type: 'string', format: 'decimal', pattern: '^-?\\d+\\.\\d{2}$' });
    expect(properties.mean).toMatchObject({ pattern: '^-?\\d+\\.\\d{8}$' });
    expect(properties.lastAt).toEqual({ type: 'string', format: 'date-time' });
    expect(properties.region).toEqual({ type: 'string', enum: ['north', 'south', 'west'] });
    expect(Decimal.compare('109.50', 109.5)).toBe(0);
  });
});
