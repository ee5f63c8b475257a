import {
  approxCountDistinct,
  approxPercentile,
  collect,
  computed,
  count,
  hopping,
  instant,
  max,
  median,
  rank,
  session,
  sliding,
  stream,
  sum,
  table,
  tumbling,
  view,
} from 'stillwater';
import { z } from 'zod';

/** A window of the soak: everything it keeps is over a few of these later. */
export const WINDOW_MS = 60_000;

/** Streams keep five windows of their log; what a view needs longer is in its state. */
const retain = { entries: 200 };

export const orders = stream('orders', {
  schema: z.object({
    id: z.int(),
    at: instant(),
    shop: z.string(),
    product: z.string(),
    amount: z.int(),
  }),
  eventTime: 'at',
  lateness: '20s',
  retain,
});

export const payments = stream('payments', {
  schema: z.object({ order: z.int(), at: instant(), amount: z.int() }),
  eventTime: 'at',
  lateness: '20s',
  retain,
});

export const prices = table('prices', {
  schema: z.object({ product: z.string(), since: instant(), price: z.int() }),
  key: 'product',
  eventTime: 'since',
  lateness: '20s',
  retain: { entries: 8 },
});

/** Visits lie in two partitions, and move to those of what is visited. */
export const visits = stream('visits', {
  schema: z.object({ at: instant(), visitor: z.string(), product: z.string() }),
  partitions: 2,
  partitionBy: 'visitor',
  eventTime: 'at',
  lateness: '20s',
  retain,
});

/** Each order is in six of these: what is mergeable is kept by panes. */
const overlapping = orders.window(hopping('3m', { every: '30s' })).groupBy('shop');
const nearPayment = { on: { id: 'order' }, within: { before: '0s', after: '1m' } } as const;

const perShop = orders.window(tumbling('1m')).groupBy('shop');

/** One view for each kind of state that time frees. */
export const soakViews = [
  view('final-minutes', {
    from: perShop.aggregate({ orders: count(), amount: sum('amount'), middle: median('amount') }).final(),
    retain: '3m',
  }),
  view('hops', {
    from: orders
      .window(hopping('2m', { every: '30s' }))
      .groupBy('product')
      .aggregate({ orders: count(), shops: approxCountDistinct('shop'), amounts: collect('amount') }),
    retain: '3m',
  }),
  view('merged', {
    from: overlapping
      .aggregate({
        orders: count(),
        most: max('amount'),
        products: approxCountDistinct('product'),
        middle: approxPercentile('amount', 0.5),
      })
      .final(),
    retain: '3m',
  }),
  view('sketched', {
    from: overlapping.aggregate({ orders: count(), ids: approxCountDistinct('id') }),
    retain: '3m',
  }),
  view('bursts', {
    from: orders
      .window(sliding('3s'))
      .groupBy('shop')
      .aggregate({ orders: count(), most: max('amount') }),
    retain: '3m',
  }),
  view('last-amounts', {
    from: perShop
      .evolve(z.object({ orders: z.int(), last: z.int() }), { orders: 0, last: 0 })
      .with(({ orders }, { amount }) => ({ orders: orders + 1, last: amount })),
    retain: '3m',
  }),
  view('rushes', {
    from: orders.window(session('3s')).groupBy('shop').aggregate({ orders: count() }),
    retain: '3m',
  }),
  view('rushed', {
    from: orders.window(session('3s')).groupBy('shop').aggregate({ orders: count() }).final(),
    retain: '3m',
  }),
  view('paid', {
    from: orders
      .leftJoin({ payment: payments }, nearPayment)
      .select({ id: 'id', at: 'at', amount: 'amount', paidAt: 'payment.at' }),
    key: 'id',
    retain: { age: '5m', by: 'at' },
  }),
  // Rows of payments alone have no time of an order.
  view('paid-or-not', {
    from: orders
      .fullJoin({ payment: payments }, nearPayment)
      .select({ id: 'id', order: 'payment.order', paid: 'payment.at', at: 'at' })
      .select({
        id: 'id',
        order: 'order',
        at: computed(instant(), ({ at, paid }) => (at ?? paid)!),
      }),
    key: ['id', 'order'],
    retain: { age: '5m', by: 'at' },
  }),
  view('paid-in-time', {
    from: orders.semiJoin(payments, nearPayment),
    key: 'id',
    retain: { age: '5m', by: 'at' },
  }),
  view('unpaid-in-time', {
    from: orders.antiJoin(payments, nearPayment),
    key: 'id',
    retain: { age: '5m', by: 'at' },
  }),
  view('priced', {
    from: orders
      .leftJoinAsOf({ then: prices }, { on: { product: 'product' } })
      .select({ id: 'id', at: 'at', price: 'then.price' }),
    key: 'id',
    retain: { age: '3m', by: 'at' },
  }),
  view('first-of-product', {
    from: orders.dedupe({ by: 'product', within: '10s' }),
    key: 'id',
    retain: { age: '3m', by: 'at' },
  }),
  view('best-shops', {
    from: perShop
      .aggregate({ amount: sum('amount') })
      .top(2, { per: ['windowStart', 'windowEnd'], order: ['amount.desc', 'shop'], rank: 'place' }),
    retain: '3m',
  }),
  view('ranked', {
    from: perShop
      .aggregate({ amount: sum('amount') })
      .over({ per: ['windowStart', 'windowEnd'], order: 'amount.desc' }, { place: rank() }),
    retain: '3m',
  }),
  view('visited', {
    from: visits
      .window(tumbling('1m'))
      .groupBy('product')
      .aggregate({ visits: count(), visitors: approxCountDistinct('visitor') })
      .final(),
    retain: '3m',
  }),
  // And once more, to where the products of as many visits are.
  view('as-busy', {
    from: visits
      .window(tumbling('1m'))
      .groupBy('product')
      .aggregate({ visits: count() })
      .groupBy('windowStart', 'windowEnd', 'visits')
      .aggregate({ products: count() }),
    retain: '3m',
  }),
  view('paid-minutes', {
    from: perShop
      .aggregate({ orders: count() })
      .leftJoin(
        { paid: payments.window(tumbling('1m')).groupBy().aggregate({ payments: count() }) },
        { on: { windowStart: 'windowStart', windowEnd: 'windowEnd' }, where: (row) => row.orders > 0 },
      )
      .select({ shop: 'shop', windowEnd: 'windowEnd', orders: 'orders', payments: 'paid.payments' }),
    key: ['shop', 'windowEnd'],
    retain: '3m',
  }),
  view('unpaid-minutes', {
    from: orders
      .window(tumbling('1m'))
      .rows()
      .antiJoin(payments.window(tumbling('1m')).rows(), {
        on: { id: 'order', windowEnd: 'windowEnd' },
      })
      .final(),
    key: 'id',
    retain: '3m',
  }),
  view('lately', { from: orders.last('2m').groupBy('shop').aggregate({ orders: count() }) }),
] as const;
