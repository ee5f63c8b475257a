import { z } from 'zod';
import type { RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { count, countDistinct, sum } from '../../view/aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import { max, min } from '../../view/ordered-aggregates.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { stream } from '../../view/stream.js';
import { table } from '../../view/table.js';
import { view } from '../../view/view.js';
import { partitionFor, type Shape, type Shown, type SimulatedSource, type Subject } from './subject.js';

const SHOPS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const BUYERS = ['x', 'y', 'z', 'é'];

interface Sale {
  shop: string;
  buyer: string;
  amount: number;
}

export function sums({ partitions, buckets, retain }: Shape): Subject {
  const sales = saleStream(partitions, retain);
  const byShop = view('by-shop', {
    from: sales.groupBy('shop').aggregate({
      sales: count(),
      amount: sum('amount'),
      largest: max('amount'),
      buyers: countDistinct('buyer'),
    }),
    buckets,
  });
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
    sources: [saleSource(declarationOf(sales) as RecordSource)],
    expected: (log) =>
      new Map([
        ['by-shop', byShopOf(salesOf(log))],
        [
          'pairs',
          new Map(
            salesOf(log)
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
    buckets,
  });
  return {
    name: `joined over ${partitions}`,
    views: [declarationOf(perShop) as ViewDeclaration],
    sources: [
      saleSource(declarationOf(sales) as RecordSource),
      shopSource(declarationOf(shops) as RecordSource),
    ],
    expected(log) {
      const cities = new Map<string, string>();
      for (const [key, entries] of log)
        if (key.startsWith('shops'))
          for (const [, fields] of entries) {
            const { shop, city } = JSON.parse(fields[fields.indexOf('data') + 1]!) as Record<string, string>;
            if (fields.includes('delete')) cities.delete(shop!);
            else cities.set(shop!, city!);
          }
      const shown: Shown = new Map();
      for (const [shop, { sales: sold }] of byShopOf(salesOf(log)))
        shown.set(shop, {
          shop,
          sales: sold,
          least: Math.min(...salesOf(log).flatMap((sale) => (sale.shop === shop ? [sale.amount] : []))),
          city: cities.get(shop) ?? null,
        });
      return new Map([['per-shop', shown]]);
    },
  };
}

export function stacked({ buckets, retain }: Shape): Subject {
  const sales = saleStream(1, retain);
  const byShop = view('by-shop', {
    from: sales.groupBy('shop').aggregate({
      sales: count(),
      amount: sum('amount'),
      largest: max('amount'),
      buyers: countDistinct('buyer'),
    }),
    buckets,
  });
  const byBuyers = view('by-buyers', {
    from: byShop.groupBy('buyers').aggregate({ shops: count(), sales: sum('sales') }),
    buckets,
  });
  return {
    name: 'a view over a view',
    views: [byShop, byBuyers].map((each) => declarationOf(each) as ViewDeclaration),
    sources: [saleSource(declarationOf(sales) as RecordSource)],
    expected(log) {
      const shops = byShopOf(salesOf(log));
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
    buckets,
  });
  const total = view('total', {
    from: sales.groupBy().aggregate({ sales: count(), amount: sum('amount') }),
    buckets,
  });
  const byShops = view('by-shops', {
    from: byBuyer.groupBy('shops').aggregate({ buyers: count(), sales: sum('sales') }),
    buckets,
  });
  return {
    name: `moved to ${byBuyer.declaration.partitions}`,
    views: [byBuyer, total, byShops].map((each) => declarationOf(each) as ViewDeclaration),
    sources: [saleSource(declarationOf(sales) as RecordSource)],
    expected(log) {
      const all = salesOf(log);
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

const saleStream = (partitions: number, retain: Shape['retain']) =>
  stream('sales', {
    schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.number() }),
    partitions,
    partitionBy: 'shop',
    ...(retain && { retain }),
  });

const saleSource = (source: RecordSource): SimulatedSource => ({
  source,
  entry(random) {
    const sale: Sale = { shop: random.of(SHOPS), buyer: random.of(BUYERS), amount: random.below(20) / 4 };
    return { partition: partitionFor(source, sale), fields: ['data', JSON.stringify(sale)] };
  },
});

const shopSource = (source: RecordSource): SimulatedSource => ({
  source,
  entry(random) {
    const shop = { shop: random.of(SHOPS), city: `city ${random.below(5)}` };
    const partition = partitionFor(source, shop);
    const deletes = random.chance(0.25);
    return { partition, fields: [...(deletes ? ['op', 'delete'] : []), 'data', JSON.stringify(shop)] };
  },
});

function salesOf(log: ReadonlyMap<string, readonly RawEntry[]>): Sale[] {
  return [...log].flatMap(([key, entries]) =>
    key.startsWith('sales') ? entries.map(([, [, data]]) => JSON.parse(data!) as Sale) : [],
  );
}

function byShopOf(sales: readonly Sale[]): Shown {
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
