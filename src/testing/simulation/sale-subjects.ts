import { z } from 'zod';
import { count, countDistinct, sum } from '../../view/aggregates.js';
import type { Collection } from '../../view/collection.js';
import { computed } from '../../view/computed.js';
import { declarationOf } from '../../view/declaration-of.js';
import { max, min } from '../../view/ordered-aggregates.js';
import type { TableDeclaration, ViewDeclaration } from '../../view/declarations.js';
import { table } from '../../view/table.js';
import { view } from '../../view/view.js';
import { BUYERS, citiesIn, citySource, type Sale, saleSource, salesIn, saleStream, SHOPS } from './sales.js';
import type { Shape, Shown, Subject } from './subject.js';

export function sums({ partitions, buckets, retain }: Shape): Subject {
  const sales = saleStream(partitions, retain);
  const byShop = byShopOf(sales, buckets);
  const pairs = view('pairs', {
    from: sales
      .where((sale) => sale.amount > 2)
      .select({ shop: 'shop', buyer: 'buyer' })
      .distinct(),
    key: ['shop', 'buyer'],
    indexes: ['buyer'],
    buckets,
  });
  return {
    name: `sums over ${partitions}`,
    views: [byShop, pairs].map((each) => declarationOf(each) as ViewDeclaration),
    sources: [saleSource(sales)],
    expected: (log) =>
      new Map([
        ['by-shop', shownByShop(salesIn(log))],
        [
          'pairs',
          new Map(
            salesIn(log)
              .filter(({ amount }) => amount > 2)
              .map(({ shop, buyer }) => [`${shop} ${buyer}`, { shop, buyer }]),
          ),
        ],
      ]),
  };
}

export function joined({ partitions, buckets, retain }: Shape): Subject {
  const sales = saleStream(partitions, retain);
  const shops = table('shops', {
    schema: z.object({ shop: z.string(), city: z.string() }),
    key: 'shop',
    partitions,
    ...(retain && { retain }),
  });
  const perShop = view('per-shop', {
    from: sales
      .groupBy('shop')
      .aggregate({ sales: count(), least: min('amount') })
      .leftJoin({ place: shops }, { on: { shop: 'shop' } })
      .select({ shop: 'shop', sales: 'sales', least: 'least', city: 'place.city' }),
    indexes: ['city'],
    buckets,
  });
  const places = declarationOf(shops) as TableDeclaration;
  return {
    name: `joined over ${partitions}`,
    views: [declarationOf(perShop) as ViewDeclaration],
    sources: [saleSource(sales), citySource(places, SHOPS, 0.25)],
    expected(log) {
      const cities = citiesIn(log, places);
      const shown: Shown = new Map();
      for (const [shop, { sales: sold }] of shownByShop(salesIn(log)))
        shown.set(shop, {
          shop,
          sales: sold,
          least: Math.min(...salesIn(log).flatMap((sale) => (sale.shop === shop ? [sale.amount] : []))),
          city: cities.get(shop) ?? null,
        });
      return new Map([['per-shop', shown]]);
    },
  };
}

export function stacked({ buckets, retain }: Shape): Subject {
  const sales = saleStream(1, retain);
  const byShop = byShopOf(sales, buckets);
  const byBuyers = view('by-buyers', {
    from: byShop.groupBy('buyers').aggregate({ shops: count(), sales: sum('sales') }),
    buckets,
  });
  return {
    name: 'a view over a view',
    views: [byShop, byBuyers].map((each) => declarationOf(each) as ViewDeclaration),
    sources: [saleSource(sales)],
    expected(log) {
      const shops = shownByShop(salesIn(log));
      const shown: Shown = new Map();
      for (const { buyers, sales: sold } of shops.values()) {
        const row = shown.get(String(buyers)) ?? { buyers, shops: 0, sales: 0 };
        shown.set(String(buyers), {
          buyers,
          shops: Number(row['shops']) + 1,
          sales: Number(row['sales']) + Number(sold),
        });
      }
      return new Map([
        ['by-shop', shops],
        ['by-buyers', shown],
      ]);
    },
  };
}

/** Rows that lie by shop and are wanted by buyer, in another number of partitions, and what is made of the result. */
export function moved({ partitions, buckets, retain }: Shape): Subject {
  const sales = saleStream(3, retain);
  const byBuyer = view('by-buyer', {
    from: sales.groupBy('buyer').aggregate({
      sales: count(),
      amount: sum('amount'),
      largest: max('amount'),
      shops: countDistinct('shop'),
    }),
    partitions: partitions === 1 ? 2 : 4,
    indexes: ['amount.desc'],
    buckets,
  });
  const total = view('total', {
    from: sales.groupBy().aggregate({ sales: count(), amount: sum('amount') }),
    buckets,
  });
  const byShops = view('by-shops', {
    from: byBuyer.groupBy('shops').aggregate({ buyers: count(), sales: sum('sales') }),
    // It reads the view: what is made in one is moved more than once.
    mayTear: true,
    buckets,
  });
  return {
    name: `moved to ${byBuyer.declaration.partitions}`,
    views: [byBuyer, total, byShops].map((each) => declarationOf(each) as ViewDeclaration),
    sources: [saleSource(sales)],
    expected(log) {
      const all = salesIn(log);
      const amountOf = (some: readonly Sale[]): number => some.reduce((sum, { amount }) => sum + amount, 0);
      const buyers: Shown = new Map();
      const shops: Shown = new Map();
      for (const buyer of BUYERS) {
        const of = all.filter((sale) => sale.buyer === buyer);
        if (of.length === 0) continue;
        const count = new Set(of.map(({ shop }) => shop)).size;
        buyers.set(buyer, {
          buyer,
          sales: of.length,
          amount: amountOf(of),
          largest: Math.max(...of.map(({ amount }) => amount)),
          shops: count,
        });
        const known = shops.get(String(count)) ?? { shops: count, buyers: 0, sales: 0 };
        shops.set(String(count), {
          shops: count,
          buyers: Number(known['buyers']) + 1,
          sales: Number(known['sales']) + of.length,
        });
      }
      const totals: Shown = new Map();
      if (all.length > 0) totals.set('', { sales: all.length, amount: amountOf(all) });
      return new Map([
        ['by-buyer', buyers],
        ['total', totals],
        ['by-shops', shops],
      ]);
    },
  };
}

/** What is counted by ways of different lengths, beside each other in one row: the same number at any moment. */
export function bothTotals(
  ofShops: Collection<{ short: number }>,
  ofBuyers: Collection<{ long: number }>,
  buckets: number,
) {
  const all = computed(z.literal('all'), () => 'all' as const);
  return view('both', {
    from: ofShops
      .select({ all, short: 'short' })
      .join({ other: ofBuyers.select({ all, long: 'long' }) }, { on: { all: 'all' } })
      .select({ all: 'all', short: 'short', long: 'other.long' }),
    key: 'all',
    buckets,
  });
}

export const byShopOf = (sales: ReturnType<typeof saleStream>, buckets: number) =>
  view('by-shop', {
    from: sales.groupBy('shop').aggregate({
      sales: count(),
      amount: sum('amount'),
      largest: max('amount'),
      buyers: countDistinct('buyer'),
    }),
    indexes: ['sales.desc', 'buyers'],
    buckets,
  });

export function shownByShop(sales: readonly Sale[]): Shown {
  const shown: Shown = new Map();
  for (const shop of SHOPS) {
    const of = sales.filter((sale) => sale.shop === shop);
    if (of.length === 0) continue;
    shown.set(shop, {
      shop,
      sales: of.length,
      amount: of.reduce((total, { amount }) => total + amount, 0),
      largest: Math.max(...of.map(({ amount }) => amount)),
      buyers: new Set(of.map(({ buyer }) => buyer)).size,
    });
  }
  return shown;
}
