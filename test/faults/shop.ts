import { z } from 'zod';
import { avg, computed, count, declarationOf, max, stream, sum, table, view } from '../../src/index.js';

/**
 * What the fault tests maintain: groups with exact sums, a join with a table, and a view over a view. Orders lie in two partitions:
 * those of a customer stay where they are, and move to their customer's region and to those of equal size.
 */
export const orders = stream('orders', {
  schema: z.object({ order: z.int(), customer: z.string(), amount: z.number() }),
  partitions: 2,
  partitionBy: 'customer',
});

export const customers = table('customers', {
  schema: z.object({ customer: z.string(), region: z.string() }),
  key: 'customer',
});

export const byCustomer = view('by-customer', {
  from: orders
    .groupBy('customer')
    .aggregate({ orders: count(), amount: sum('amount'), largest: max('amount'), last: max('order') }),
  indexes: ['orders.desc'],
});

export const withRegion = view('with-region', {
  from: orders
    .leftJoin({ who: customers }, { on: { customer: 'customer' } })
    .groupBy({ region: 'who.region' })
    .aggregate({ orders: count(), amount: sum('amount'), mean: avg('amount') })
    .select({
      region: 'region',
      orders: 'orders',
      amount: 'amount',
      mean: 'mean',
      busy: computed(z.boolean(), (row) => row.orders > 100),
    }),
});

export const bySize = view('by-size', {
  from: byCustomer.groupBy('orders').aggregate({ customers: count(), amount: sum('amount') }),
});

export const shop = [byCustomer, withRegion, bySize].map((declared) => declarationOf(declared));

export interface OrderEvent {
  order: number;
  customer: string;
  amount: number;
}

/** What the views must show, from nothing but the events and the table's rows. Amounts are quarters, so sums are exact. */
export function expectedRows(
  events: readonly OrderEvent[],
  regions: ReadonlyMap<string, string>,
): Record<string, Map<string, unknown>> {
  const customersOf = new Map<
    string,
    { customer: string; orders: number; amount: number; largest: number; last: number }
  >();
  const regionsOf = new Map<string, { region: string | null; orders: number; amount: number }>();
  for (const { order, customer, amount } of events) {
    const one = customersOf.get(customer) ?? {
      customer,
      orders: 0,
      amount: 0,
      largest: -Infinity,
      last: -Infinity,
    };
    customersOf.set(customer, {
      customer,
      orders: one.orders + 1,
      amount: one.amount + amount,
      largest: Math.max(one.largest, amount),
      last: Math.max(one.last, order),
    });
    const region = regions.get(customer) ?? null;
    const key = JSON.stringify(region);
    const of = regionsOf.get(key) ?? { region, orders: 0, amount: 0 };
    regionsOf.set(key, { region, orders: of.orders + 1, amount: of.amount + amount });
  }
  const sizes = new Map<string, { orders: number; customers: number; amount: number }>();
  for (const { orders: size, amount } of customersOf.values()) {
    const of = sizes.get(String(size)) ?? { orders: size, customers: 0, amount: 0 };
    sizes.set(String(size), { orders: size, customers: of.customers + 1, amount: of.amount + amount });
  }
  return {
    'by-customer': new Map(customersOf),
    'with-region': new Map(
      [...regionsOf].map(([key, row]) => [
        key,
        { ...row, mean: row.amount / row.orders, busy: row.orders > 100 },
      ]),
    ),
    'by-size': new Map(sizes),
  };
}
