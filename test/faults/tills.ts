import { z } from 'zod';
import { count, declarationOf, stream, sum, table, view } from '../../src/index.js';
import type { RecordSource } from '../../src/runtime/placement.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';

/**
 * What is maintained while everything breaks: rows that cross partitions, once and twice, rows that do not, a table, and a view over a
 * view. Logs are trimmed into an archive meanwhile.
 */
const sales = stream('sales', {
  schema: z.object({ sale: z.int(), till: z.string(), customer: z.string(), amount: z.number() }),
  partitions: 3,
  partitionBy: 'till',
  retain: { entries: 2_000 },
});
const customers = table('customers', {
  schema: z.object({ customer: z.string(), region: z.string() }),
  key: 'customer',
  partitions: 3,
  retain: { entries: 200 },
});
/** How often each sale counts: once, whatever happens. */
const counted = view('counted', {
  from: sales.groupBy('sale').aggregate({ times: count() }),
  partitions: 2,
});
const byCustomer = view('by-customer', {
  from: sales.groupBy('customer').aggregate({ sales: count(), amount: sum('amount') }),
  partitions: 2,
});
const byTill = view('by-till', {
  from: sales.groupBy('till').aggregate({ sales: count(), amount: sum('amount') }),
});
/** Sales move to their customers, and with these to their regions. */
const byRegion = view('by-region', {
  from: sales
    .leftJoin({ who: customers }, { on: { customer: 'customer' } })
    .groupBy({ region: 'who.region' })
    .aggregate({ sales: count(), amount: sum('amount') }),
  partitions: 2,
});
const total = view('total', { from: byTill.groupBy().aggregate({ sales: sum('sales') }) });

export const tills = [counted, byCustomer, byTill, byRegion, total].map(
  (declared) => declarationOf(declared) as SourceDeclaration,
);
export const salesSource = declarationOf(sales) as RecordSource;
export const customersSource = declarationOf(customers) as RecordSource;

export interface Sale {
  sale: number;
  till: string;
  customer: string;
  amount: number;
}

export interface Customer {
  customer: string;
  region: string;
}

/** The record of a customer by its number: where it has moved to. */
export const customerOf = (record: number): Customer => ({
  customer: `customer-${(record * 37) % 97}`,
  region: `region-${(record * 5) % 11}`,
});

/** A sale by its number: everybody who asks for it is told the same. Amounts are quarters, so that sums are exact. */
export const saleOf = (sale: number): Sale => ({
  sale,
  till: `till-${(sale * 7) % 23}`,
  customer: `customer-${(sale * 31) % 97}`,
  amount: ((sale * 13) % 400) / 4,
});

/** What the views must show of these sales, by the texts of their keys. */
export function expectedTills(
  found: Iterable<Sale>,
  /** As the last record of each says. */
  regions: ReadonlyMap<string, string>,
): Record<string, Map<string, unknown>> {
  const expected = {
    'by-region': new Map<string, { region: string | null; sales: number; amount: number }>(),
    counted: new Map<string, { sale: number; times: number }>(),
    'by-customer': new Map<string, { customer: string; sales: number; amount: number }>(),
    'by-till': new Map<string, { till: string; sales: number; amount: number }>(),
    total: new Map<string, unknown>(),
  };
  let sold = 0;
  for (const { sale, till, customer, amount } of found) {
    sold += 1;
    const one = expected.counted.get(String(sale));
    expected.counted.set(String(sale), { sale, times: (one?.times ?? 0) + 1 });
    const ofCustomer = expected['by-customer'].get(customer) ?? { customer, sales: 0, amount: 0 };
    expected['by-customer'].set(customer, {
      customer,
      sales: ofCustomer.sales + 1,
      amount: ofCustomer.amount + amount,
    });
    const region = regions.get(customer) ?? null;
    const ofRegion = expected['by-region'].get(String(region)) ?? { region, sales: 0, amount: 0 };
    expected['by-region'].set(String(region), {
      region,
      sales: ofRegion.sales + 1,
      amount: ofRegion.amount + amount,
    });
    const ofTill = expected['by-till'].get(till) ?? { till, sales: 0, amount: 0 };
    expected['by-till'].set(till, { till, sales: ofTill.sales + 1, amount: ofTill.amount + amount });
  }
  if (sold > 0) expected.total.set('', { sales: sold });
  return expected;
}
