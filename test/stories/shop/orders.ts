import { count, max, stream, sum, table, view } from 'stillwater';
import { z } from 'zod';

export const orders = stream('orders', {
  schema: z.object({ order: z.int(), customer: z.string(), amount: z.number() }),
});

export const customers = table('customers', {
  schema: z.object({ customer: z.string(), name: z.string(), region: z.string() }),
  key: 'customer',
});

/** One row per customer who has ordered and is known. */
export const byCustomer = view('by-customer', {
  from: orders
    .groupBy('customer')
    .aggregate({ orders: count(), amount: sum('amount'), last: max('order') })
    .join({ who: customers }, { on: { customer: 'customer' } })
    .select({
      customer: 'customer',
      name: 'who.name',
      region: 'who.region',
      orders: 'orders',
      amount: 'amount',
      last: 'last',
    }),
  indexes: ['orders.desc'],
});

/** A view over a view. */
export const byRegion = view('by-region', {
  from: byCustomer
    .groupBy('region')
    .aggregate({ customers: count(), orders: sum('orders'), amount: sum('amount') }),
});
