import { z } from 'zod';
import { count, sum } from '../../view/aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import { max } from '../../view/ordered-aggregates.js';
import type { TableDeclaration, ViewDeclaration } from '../../view/declarations.js';
import { table } from '../../view/table.js';
import { view } from '../../view/view.js';
import { tumbling } from '../../view/window.js';
import { visitsOf } from './moved-in-time-subject.js';
import { bothTotals, byShopOf, shownByShop } from './sale-subjects.js';
import { citiesIn, citySource, saleSource, salesIn, saleStream, SHOPS } from './sales.js';
import type { Shape, Shown, Subject } from './subject.js';

/** Rows of a view that others move, once and more often, also together with what a log says. */
export function movedOverViews({ partitions, buckets, retain }: Shape): Subject {
  const sales = saleStream(3, retain);
  const byShop = byShopOf(sales, buckets);
  const shops = table('shops', {
    schema: z.object({ shop: z.string(), city: z.string() }),
    key: 'shop',
    partitions: 3,
    ...(retain && { retain }),
  });
  const byBuyers = view('by-buyers', {
    from: byShop
      .groupBy('buyers')
      .aggregate({ shops: count(), sales: sum('sales'), largest: max('largest') }),
    partitions: partitions === 1 ? 2 : 4,
    buckets,
  });
  const perCity = view('per-city', {
    from: byShop
      .leftJoin({ place: shops }, { on: { shop: 'shop' } })
      .select({ city: 'place.city', sales: 'sales', amount: 'amount' })
      .groupBy('city')
      .aggregate({ shops: count(), sales: sum('sales'), amount: sum('amount') }),
    buckets,
  });
  const ofShops = byShop.groupBy().aggregate({ short: sum('sales') });
  const ofBuyers = byShop
    .groupBy('buyers')
    .aggregate({ sales: sum('sales') })
    .groupBy()
    .aggregate({ long: sum('sales') });
  const both = bothTotals(ofShops, ofBuyers, buckets);
  const places = declarationOf(shops) as TableDeclaration;
  return {
    name: `moved over views to ${byBuyers.declaration.partitions}`,
    views: [byShop, byBuyers, perCity, both].map((each) => declarationOf(each) as ViewDeclaration),
    always: ({ short, long }) => short === long,
    sources: [saleSource(sales), citySource(places, SHOPS, 0.2)],
    expected(log) {
      const cities = citiesIn(log, places);
      const shown = shownByShop(salesIn(log));
      const buyers: Shown = new Map();
      const perCity: Shown = new Map();
      let sold = 0;
      for (const [shop, { buyers: n, sales: of, amount, largest }] of shown) {
        const city = cities.get(shop) ?? null;
        const [same, there] = [buyers.get(String(n)), perCity.get(city ?? '')];
        const added = (row: Record<string, unknown> | undefined, column: string, value: unknown): number =>
          Number(row?.[column] ?? 0) + Number(value);
        buyers.set(String(n), {
          buyers: n,
          shops: added(same, 'shops', 1),
          sales: added(same, 'sales', of),
          largest: Math.max(Number(same?.['largest'] ?? largest), Number(largest)),
        });
        perCity.set(city ?? '', {
          city,
          shops: added(there, 'shops', 1),
          sales: added(there, 'sales', of),
          amount: added(there, 'amount', amount),
        });
        sold += Number(of);
      }
      return new Map([
        ['by-shop', shown],
        ['by-buyers', buyers],
        ['per-city', perCity],
        ['both', new Map(sold === 0 ? [] : [['all', { all: 'all', short: sold, long: sold }]])],
      ]);
    },
  };
}

/** The same with time: what is over before rows of a view move must have been over when it moved first. */
export function movedOverViewsInTime(shape: Shape): Subject {
  const { source, visits, visitsIn } = visitsOf(shape);
  const perShop = view('per-shop', {
    from: visits.window(tumbling('2s')).groupBy('shop').aggregate({ visits: count() }),
    buckets: shape.buckets,
  });
  const perTime = view('per-time', {
    from: perShop
      .select({ shop: 'shop', start: 'windowStart', visits: 'visits' })
      .window(tumbling('4s'), { on: 'start' })
      .groupBy('shop')
      .aggregate({ visits: sum('visits') })
      .final()
      .groupBy('windowStart', 'windowEnd')
      .aggregate({ shops: count(), visits: sum('visits') }),
    partitions: shape.partitions === 1 ? 2 : 3,
    buckets: shape.buckets,
  });
  return {
    name: `moved over views in time to ${perTime.declaration.partitions}`,
    views: [perShop, perTime].map((each) => declarationOf(each) as ViewDeclaration),
    final: ['per-time'],
    sources: [source],
    expected(log) {
      const windowsOf = (sizeMs: number): Shown => {
        const shown: Shown = new Map();
        for (const { at, shop } of visitsIn(log)) {
          const start = Math.floor(Date.parse(at) / sizeMs) * sizeMs;
          const [windowStart, windowEnd] = [start, start + sizeMs].map((ms) => new Date(ms).toISOString());
          const key = `${shop} ${windowStart}`;
          const visits = Number(shown.get(key)?.['visits'] ?? 0) + 1;
          shown.set(key, { shop, windowStart, windowEnd, visits });
        }
        return shown;
      };
      const perTime: Shown = new Map();
      for (const { windowStart, windowEnd, visits } of windowsOf(4_000).values()) {
        const key = `${String(windowStart)} ${String(windowEnd)}`;
        const known = perTime.get(key);
        perTime.set(key, {
          ...{ windowStart, windowEnd },
          shops: Number(known?.['shops'] ?? 0) + 1,
          visits: Number(known?.['visits'] ?? 0) + Number(visits),
        });
      }
      return new Map([
        ['per-shop', windowsOf(2_000)],
        ['per-time', perTime],
      ]);
    },
  };
}
