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
    product = await Product.start(redis, [strict, placements]);
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
