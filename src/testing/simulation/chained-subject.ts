import { z } from 'zod';
import { partitionOf, type RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { count, sum } from '../../view/aggregates.js';
import { computed } from '../../view/computed.js';
import { declarationOf } from '../../view/declaration-of.js';
import { max } from '../../view/ordered-aggregates.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { stream } from '../../view/stream.js';
import { table } from '../../view/table.js';
import { view } from '../../view/view.js';
import type { Random } from '../random.js';
import type { Shown, Subject } from './subjects.js';

const SHOPS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const BUYERS = ['x', 'y', 'z', 'é'];

interface Sale {
  shop: string;
  buyer: string;
  amount: number;
}

/** Rows that move two and three times, and sums of the same sales that come together by ways of different lengths. */
export function chained(partitions: number, buckets: number): Subject {
  const sales = stream('sales', {
    schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.number() }),
    partitions: 3,
    partitionBy: 'shop',
  });
  const homes = table('homes', {
    schema: z.object({ buyer: z.string(), city: z.string() }),
    key: 'buyer',
    partitions: partitions === 1 ? 1 : 2,
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
  const all = computed(z.literal('all'), () => 'all' as const);
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
  const both = view('both', {
    from: ofShops
      .select({ all, short: 'short' })
      .join({ other: ofBuyers.select({ all, long: 'long' }) }, { on: { all: 'all' } })
      .select({ all: 'all', short: 'short', long: 'other.long' }),
    key: 'all',
    buckets,
  });
  const [source, homeSource] = [sales, homes].map((each) => declarationOf(each) as RecordSource) as [
    RecordSource,
    RecordSource,
  ];
  return {
    name: `chained to ${perCity.declaration.partitions}`,
    views: [perCity, both].map((each) => declarationOf(each) as ViewDeclaration),
    always: ({ short, long }) => short === long,
    sources: [
      {
        source,
        entry(random) {
          const sale: Sale = {
            shop: random.of(SHOPS),
            buyer: random.of(BUYERS),
            amount: random.below(20) / 4,
          };
          return { partition: partitionFor(source, sale), fields: ['data', JSON.stringify(sale)] };
        },
      },
      {
        source: homeSource,
        entry(random: Random) {
          const home = { buyer: random.of(BUYERS), city: `city ${random.below(5)}` };
          const op = random.chance(0.2) ? ['op', 'delete'] : [];
          return { partition: partitionFor(homeSource, home), fields: [...op, 'data', JSON.stringify(home)] };
        },
      },
    ],
    expected(log) {
      const cities = citiesOf(log);
      const shown: Shown = new Map();
      let sold = 0;
      for (const [key, entries] of log)
        if (key.startsWith('sales'))
          for (const [, [, data]] of entries) {
            const { buyer, amount } = JSON.parse(data!) as Sale;
            const city = cities.get(buyer) ?? null;
            const known = shown.get(city ?? '') ?? { city, sales: 0, amount: 0, largest: amount };
            shown.set(city ?? '', {
              city,
              sales: Number(known['sales']) + 1,
              amount: Number(known['amount']) + amount,
              largest: Math.max(Number(known['largest']), amount),
            });
            sold++;
          }
      const total: Shown = new Map(sold === 0 ? [] : [['all', { all: 'all', short: sold, long: sold }]]);
      return new Map([
        ['per-city', shown],
        ['both', total],
      ]);
    },
  };
}

function citiesOf(log: ReadonlyMap<string, readonly RawEntry[]>): Map<string, string> {
  const cities = new Map<string, string>();
  for (const [key, entries] of log)
    if (key.startsWith('homes'))
      for (const [, fields] of entries) {
        const { buyer, city } = JSON.parse(fields[fields.indexOf('data') + 1]!) as Record<string, string>;
        if (fields.includes('delete')) cities.delete(buyer!);
        else cities.set(buyer!, city!);
      }
  return cities;
}

const partitionFor = (source: RecordSource, row: object): number => partitionOf(source)?.(row as never) ?? 0;
