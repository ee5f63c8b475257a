import { z } from 'zod';
import { count, sum } from '../../view/aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import { max } from '../../view/ordered-aggregates.js';
import type { TableDeclaration, ViewDeclaration } from '../../view/declarations.js';
import { table } from '../../view/table.js';
import { view } from '../../view/view.js';
import { bothTotals } from './sale-subjects.js';
import { BUYERS, citiesIn, citySource, saleSource, salesIn, saleStream } from './sales.js';
import type { Shape, Shown, Subject } from './subject.js';

/** Rows that move two and three times, and sums of the same sales that come together by ways of different lengths. */
export function chained({ partitions, buckets, retain }: Shape): Subject {
  const sales = saleStream(3, retain);
  const homes = table('homes', {
    schema: z.object({ buyer: z.string(), city: z.string() }),
    key: 'buyer',
    partitions: partitions === 1 ? 1 : 2,
    ...(retain && { retain }),
  });
  const perCity = view('per-city', {
    from: sales
      .leftJoin({ home: homes }, { on: { buyer: 'buyer' } })
      .select({ city: 'home.city', amount: 'amount' })
      .groupBy('city')
      .aggregate({ sales: count(), amount: sum('amount'), largest: max('amount') }),
    partitions: partitions === 1 ? 2 : 3,
    buckets,
  });
  const ofShops = sales
    .groupBy('shop')
    .aggregate({ sales: count() })
    .groupBy()
    .aggregate({ short: sum('sales') });
  const ofBuyers = sales
    .groupBy('buyer')
    .aggregate({ sales: count() })
    .groupBy()
    .aggregate({ long: sum('sales') });
  const both = bothTotals(ofShops, ofBuyers, buckets);
  const places = declarationOf(homes) as TableDeclaration;
  return {
    name: `chained to ${perCity.declaration.partitions}`,
    views: [perCity, both].map((each) => declarationOf(each) as ViewDeclaration),
    always: ({ short, long }) => short === long,
    sources: [saleSource(sales), citySource(places, BUYERS, 0.2)],
    expected(log) {
      const cities = citiesIn(log, places);
      const all = salesIn(log);
      const shown: Shown = new Map();
      for (const { buyer, amount } of all) {
        const city = cities.get(buyer) ?? null;
        const known = shown.get(city ?? '') ?? { city, sales: 0, amount: 0, largest: amount };
        shown.set(city ?? '', {
          city,
          sales: Number(known['sales']) + 1,
          amount: Number(known['amount']) + amount,
          largest: Math.max(Number(known['largest']), amount),
        });
      }
      const sold = all.length;
      const total: Shown = new Map(sold === 0 ? [] : [['all', { all: 'all', short: sold, long: sold }]]);
      return new Map([
        ['per-city', shown],
        ['both', total],
      ]);
    },
  };
}
