import { count, last, stream, view } from 'stillwater';
import { z } from 'zod';
import { problem, Product } from '../bad-input/product.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/system.js';

// A shop that keeps its orders as events, as docs/operators/event-sourcing.md tells it.

const orders = stream('orders', {
  schema: z.discriminatedUnion('type', [
    z.object({
      type: z.literal('OrderPlaced'),
      orderId: z.string(),
      customer: z.string(),
      lines: z.array(z.object({ sku: z.string(), price: z.number(), n: z.int() })),
    }),
    z.object({ type: z.literal('OrderPaid'), orderId: z.string(), amount: z.number() }),
    z.object({ type: z.literal('OrderShipped'), orderId: z.string(), parcel: z.string() }),
    z.object({ type: z.literal('OrderDeleted'), orderId: z.string() }),
  ]),
  unknownTypes: 'skip',
  partitions: 2,
  partitionBy: 'orderId',
});

const Order = z.object({
  status: z.enum(['new', 'placed', 'paid', 'shipped']),
  customer: z.string(),
  lines: z.int(),
  due: z.number(),
});
const nothing = { status: 'new', customer: '', lines: 0, due: 0 } as const;
type Placed = { lines: readonly { price: number; n: number }[] };
const total = ({ lines }: Placed): number => lines.reduce((sum, { price, n }) => sum + price * n, 0);

/** `payments`: what becomes of an order that is paid more than it costs. */
const summaryOf = (payments: 'strict' | 'lenient') =>
  view('order-summary', {
    from: orders
      .groupBy('orderId')
      .evolve(Order, nothing)
      .on({
        OrderPlaced: (order, event) => ({
          status: 'placed',
          customer: event.customer,
          lines: event.lines.length,
          due: order.due + total(event),
        }),
        OrderPaid: (order, event) => {
          if (payments === 'strict' && event.amount > order.due) throw new RangeError('paid too much');
          return { ...order, status: 'paid', due: order.due - event.amount };
        },
        OrderShipped: (order) => ({ ...order, status: 'shipped' }),
        OrderDeleted: () => null,
      }),
    indexes: ['status'],
    version: payments,
  });
const strict = summaryOf('strict');
const lenient = summaryOf('lenient');
const placements = view('placements', {
  from: orders
    .of('OrderPlaced')
    .groupBy('orderId')
    .aggregate({ times: count(), customer: last('customer') }),
});

/** Events that other services write, as CloudEvents, and in an envelope, of which an older one had other fields. */
const Stock = z.discriminatedUnion('type', [
  z.object({ type: z.literal('stock.in'), sku: z.string(), n: z.int(), id: z.string().optional() }),
  z.object({ type: z.literal('stock.out'), sku: z.string(), n: z.int(), id: z.string().optional() }),
]);
const cloud = stream('cloud', { schema: Stock, decoder: 'cloudevents' });
const wrapped = stream('wrapped', {
  schema: Stock,
  decoder: 'envelope',
  upcast: (event) => (event.pieces === undefined ? event : { ...event, n: event.pieces }),
});
const stockOf = (from: typeof cloud) =>
  from
    .groupBy('sku')
    .evolve(z.object({ n: z.int(), lastId: z.string().nullable() }), { n: 0, lastId: null })
    .on({
      'stock.in': (stock, { n, id }) => ({ n: stock.n + n, lastId: id }),
      'stock.out': (stock, { n, id }) => ({ n: stock.n - n, lastId: id }),
    });
const cloudStock = view('cloud-stock', { from: stockOf(cloud) });
const wrappedStock = view('wrapped-stock', { from: stockOf(wrapped) });

const placed = (orderId: string, customer: string, price = 10) => ({
  type: 'OrderPlaced',
  orderId,
  customer,
  lines: [{ sku: 'tea', price, n: 2 }],
});
const paid = (orderId: string, amount: number) => ({ type: 'OrderPaid', orderId, amount });

describeWithRedis('orders kept as events', () => {
  let redis: RedisServer;
  let product: Product;
  beforeAll(async () => {
    redis = await RedisServer.start();
    product = await Product.start(redis, [strict, placements, cloudStock, wrappedStock]);
  });
  afterAll(async () => {
    await product.stop();
    await redis.stop();
  });

  const append = async (...events: object[]): Promise<string> => {
    const { status, body } = await product.ask('POST', '/streams/orders/events', events);
    expect(status).toBe(202);
    return encodeURIComponent(body.position);
  };
  const summary = async (orderId: string, atLeast?: string) =>
    product.get(`/views/order-summary/rows/${orderId}${atLeast ? `?atLeast=${atLeast}` : ''}`, {
      prefer: 'wait=10',
    });
  const rows = async (query: string) => (await product.get(`/views/order-summary/rows${query}`)).body;

  test('show where each order stands, as soon as an event is answered', async () => {
    const position = await append(placed('o1', 'ann'), placed('o2', 'bob', 2.5), paid('o1', 20));
    expect((await summary('o1', position)).body).toEqual({
      orderId: 'o1',
      status: 'paid',
      customer: 'ann',
      lines: 1,
      due: 0,
    });
    const later = await append({ type: 'OrderShipped', orderId: 'o1', parcel: 'p1' }, placed('o3', 'ann'));
    expect((await summary('o1', later)).body).toMatchObject({ status: 'shipped', due: 0 });
    expect(await rows('?status=eq.placed&select=orderId,due&order=orderId')).toEqual([
      { orderId: 'o2', due: 5 },
      { orderId: 'o3', due: 20 },
    ]);
    expect((await product.get('/views/placements/rows?order=orderId')).body).toEqual([
      { orderId: 'o1', times: 1, customer: 'ann' },
      { orderId: 'o2', times: 1, customer: 'bob' },
      { orderId: 'o3', times: 1, customer: 'ann' },
    ]);
  });

  test('go when an event deletes them, and may come again', async () => {
    expect((await summary('o2', await append({ type: 'OrderDeleted', orderId: 'o2' }))).status).toBe(404);
    expect((await summary('o2', await append(placed('o2', 'bob', 1)))).body).toMatchObject({ due: 2 });
  });

  test('refuse an event of a type that there is not, and one that lacks what its type must have', async () => {
    expect(
      await product.ask('POST', '/streams/orders/events', { type: 'OrderLost', orderId: 'o1' }),
    ).toMatchObject(
      problem(
        400,
        'invalid-events',
        /there is no event type "OrderLost"; the types are "OrderPlaced", "OrderPaid"/,
      ),
    );
    expect(
      await product.ask('POST', '/streams/orders/events', { type: 'OrderPaid', orderId: 'o1' }),
    ).toMatchObject(problem(400, 'invalid-events', /amount/));
  });

  test('count events of types that others append and nobody here knows, and are not in error for them', async () => {
    for (const key of ['orders:0', 'orders:1', 'orders:1'])
      await product.xadd(key, 'data', JSON.stringify({ type: 'OrderAudited', orderId: 'o9', by: 'ann' }));
    await product.xadd('orders:0', 'type', 'OrderLost', 'orderId', 'o9');
    await product.caughtUp('order-summary');
    await product.caughtUp('placements');
    expect((await product.get('/streams/orders')).body).toMatchObject({
      unknownTypes: 'skip',
      skippedEvents: { OrderAudited: 3, OrderLost: 1 },
    });
    expect((await product.get('/views/order-summary')).body.errors).toBe(0);
    const { payload } = await product.app.inject({ method: 'GET', url: '/metrics' });
    expect(payload).toMatch(/stillwater_unknown_events_total\{stream="orders:1",type="OrderAudited"\} \d/);
  });

  test('park an order at the event that cannot be: its row stays, its later events wait, others go on', async () => {
    await append(paid('o3', 21));
    const position = await append(paid('o3', 5), paid('o2', 1));
    expect((await summary('o2', position)).body).toMatchObject({ status: 'paid', due: 1 });
    expect((await summary('o3')).body).toMatchObject({ status: 'placed', due: 20 });
    await eventually(async () => (await product.get('/views/order-summary')).body.waitingEvents === 1);
    expect((await product.get('/views/order-summary')).body).toMatchObject({
      state: 'live',
      errors: 1,
      parkedKeys: 1,
      waitingEvents: 1,
    });
    const [error] = (await product.get('/views/order-summary/errors')).body;
    expect(error.reason).toMatch(/^RangeError: paid too much The key is parked/);
    expect(JSON.parse(error.row)).toEqual({
      key: { orderId: 'o3' },
      entry: expect.stringMatching(/^\d+-\d+$/),
      event: expect.objectContaining({ type: 'OrderPaid', amount: 21 }),
    });
    const { payload } = await product.app.inject({ method: 'GET', url: '/metrics' });
    expect(payload).toContain('stillwater_view_parked_keys{view="order-summary"} 1');
    expect(payload).toContain('stillwater_view_waiting_events{view="order-summary"} 1');
  });

  test('may come as CloudEvents, over REST and from anywhere', async () => {
    const event = {
      specversion: '1.0',
      id: 'e1',
      source: '/depot',
      type: 'stock.in',
      data: { sku: 'tea', n: 7 },
    };
    expect((await product.ask('POST', '/streams/cloud/events', event)).status).toBe(202);
    const { body } = await product.ask('POST', '/streams/cloud/events', {
      type: 'stock.out',
      sku: 'tea',
      n: 2,
      id: 'e2',
    });
    await product.xadd(
      'cloud',
      'ce-specversion',
      '1.0',
      'ce-id',
      'e3',
      'ce-source',
      '/till',
      'ce-type',
      'stock.out',
      'data',
      '{"sku":"tea","n":1}',
    );
    await product.xadd('cloud', 'data', '{"sku":"tea","n":1}');
    await product.caughtUp('cloud-stock');
    expect(
      (await product.get(`/views/cloud-stock/rows/tea?atLeast=${encodeURIComponent(body.position)}`)).body,
    ).toEqual({
      sku: 'tea',
      n: 4,
      lastId: 'e3',
    });
    expect((await product.get('/views/cloud-stock/errors')).body[0].reason).toBe(
      "The CloudEvent's `specversion` is undefined, not a text.",
    );
    const [[, fields]] = (await product.client!.xrange('cloud', body.ids[0], body.ids[0])) as [
      [string, string[]],
    ];
    expect(JSON.parse(fields[1]!)).toMatchObject({
      id: 'e2',
      source: '/streams/cloud',
      type: 'stock.out',
      data: { sku: 'tea', n: 2 },
    });
    expect((await product.get('/streams/cloud')).body.decoder).toBe('cloudevents');
  });

  test('may come in an envelope, and old ones are turned into new ones', async () => {
    expect(
      (await product.ask('POST', '/streams/wrapped/events', { type: 'stock.in', sku: 'cup', n: 5 })).status,
    ).toBe(202);
    await product.xadd('wrapped', 'type', 'stock.out', 'data', '{"sku":"cup","pieces":2}', 'id', 'm2');
    await product.caughtUp('wrapped-stock');
    expect((await product.get('/views/wrapped-stock/rows/cup')).body).toEqual({
      sku: 'cup',
      n: 3,
      lastId: 'm2',
    });
    expect(await product.client!.xrange('wrapped', '-', '+', 'COUNT', 1)).toEqual([
      [expect.any(String), ['type', 'stock.in', 'data', '{"sku":"cup","n":5}']],
    ]);
  });

  test('go on where a corrected definition replays them', async () => {
    await product.stop();
    product = await Product.start(redis, [lenient, placements]);
    await eventually(async () => (await summary('o3')).body?.due === -6, 15_000);
    expect((await product.get('/views/order-summary')).body).toMatchObject({
      errors: 0,
      parkedKeys: 0,
      waitingEvents: 0,
    });
    expect(await rows('?select=orderId,status,due&order=orderId')).toEqual([
      { orderId: 'o1', status: 'shipped', due: 0 },
      { orderId: 'o2', status: 'paid', due: 1 },
      { orderId: 'o3', status: 'paid', due: -6 },
    ]);
  });
});
