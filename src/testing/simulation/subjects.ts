import { z } from 'zod';
import { partitionKeys, partitionOf, type RecordSource } from '../../runtime/placement.js';
import { count, countDistinct, sum } from '../../view/aggregates.js';
import { instant } from '../../view/instant.js';
import { max, min } from '../../view/ordered-aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { sourcesOf } from '../../view/plan-nodes.js';
import { stream } from '../../view/stream.js';
import { table } from '../../view/table.js';
import { view } from '../../view/view.js';
import { tumbling } from '../../view/window.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import type { Position } from '../../runtime/position.js';
import type { Random } from '../random.js';
import { chained } from './chained-subject.js';
import { near, timed } from './timed-subject.js';

/** Rows by what identifies them. */
export type Shown = Map<string, Record<string, unknown>>;

/** A stream or table and what its producers append to it. */
export interface SimulatedSource {
  readonly source: RecordSource;
  /** `now`: when it is appended. */
  entry(random: Random, now: number): { partition: number; fields: string[] };
}

/** To what the clocks of partitions were raised, by Redis key and by the entry behind which. */
export type Heartbeats = ReadonlyMap<string, ReadonlyMap<Position, number>>;

/** Views, their sources, and what they must show in the end, computed from the log in the plainest way. */
export interface Subject {
  readonly name: string;
  readonly views: readonly ViewDeclaration[];
  readonly sources: readonly SimulatedSource[];
  /** By view; the log and its heartbeats by Redis key. */
  expected(log: ReadonlyMap<string, readonly RawEntry[]>, heartbeats: Heartbeats): Map<string, Shown>;
  /** Views that show a row of these only when it is final: some may be missing. */
  readonly final?: readonly string[];
  /** What is true of each row as it is stored, whenever it is of one frontier. */
  readonly always?: (row: Record<string, unknown>) => boolean;
}

const SHOPS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const BUYERS = ['x', 'y', 'z', 'é'];

interface Sale {
  shop: string;
  buyer: string;
  amount: number;
}

export function subjects(random: Random): Subject {
  const partitions = random.of([1, 1, 3]);
  const buckets = random.of([1, 4]);
  return random.of([sums, joined, stacked, timed, near, moved, movedInTime, chained])(partitions, buckets);
}

/** One in which they move more than once. */
export const chainedSubject = (random: Random): Subject => chained(random.of([1, 3]), random.of([1, 4]));

/** One in which they move once, and nobody reads what becomes of them. */
export const movedOnly = (random: Random): Subject =>
  withoutReaders(random.of([moved, movedInTime, timedAndMoved])(random.of([1, 3]), random.of([1, 4])));

/** The same with windows that are final some time. */
export const movedInTimeOnly = (random: Random): Subject =>
  withoutReaders(timedAndMoved(3, random.of([1, 4])));

function withoutReaders({ views, ...subject }: Subject): Subject {
  const alone = views.filter(({ plan }) => sourcesOf(plan).every(({ kind }) => kind === 'stream'));
  const names = alone.map(({ name }) => name);
  return {
    ...subject,
    views: alone,
    expected: (...log) => new Map([...subject.expected(...log)].filter(([name]) => names.includes(name))),
  };
}

const timedAndMoved = (_: number, buckets: number): Subject => timed(3, buckets, 'delay');

/** A subject in which rows move between partitions. */
export const movedSubject = (random: Random): Subject =>
  random.of([moved, movedInTime, timedAndMoved, chained])(random.of([1, 3]), random.of([1, 4]));

function sums(partitions: number, buckets: number): Subject {
  const sales = saleStream(partitions);
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

function joined(partitions: number, buckets: number): Subject {
  const sales = saleStream(partitions);
  const shops = table('shops', {
    schema: z.object({ shop: z.string(), city: z.string() }),
    key: 'shop',
    partitions,
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

function stacked(_: number, buckets: number): Subject {
  const sales = saleStream(1);
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
function moved(partitions: number, buckets: number): Subject {
  const sales = saleStream(3);
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

/** The same with time: what is over anywhere must have come from everywhere. */
function movedInTime(partitions: number, buckets: number): Subject {
  const visits = stream('visits', {
    schema: z.object({ at: instant(), shop: z.string(), buyer: z.string() }),
    partitions: 3,
    partitionBy: 'shop',
    eventTime: 'at',
    lateness: '1s',
  });
  const perBuyer = visits
    .window(tumbling('2s'))
    .groupBy('buyer')
    .aggregate({ visits: count(), shops: countDistinct('shop') });
  const perWindow = view('per-window', { from: perBuyer, partitions: partitions === 1 ? 2 : 3, buckets });
  const final = view('final', { from: perBuyer.final(), buckets });
  const source = declarationOf(visits) as RecordSource;
  return {
    name: `moved in time to ${perWindow.declaration.partitions}`,
    views: [perWindow, final].map((each) => declarationOf(each) as ViewDeclaration),
    final: ['final'],
    sources: [
      {
        source,
        entry(random, now) {
          const visit = { at: new Date(now).toISOString(), shop: random.of(SHOPS), buyer: random.of(BUYERS) };
          return { partition: partitionFor(source, visit), fields: ['data', JSON.stringify(visit)] };
        },
      },
    ],
    expected(log) {
      const shops = new Map<string, string[]>();
      for (const entries of log.values())
        for (const [, [, data]] of entries) {
          const { at, shop, buyer } = JSON.parse(data!) as Record<'at' | 'shop' | 'buyer', string>;
          const start = new Date(Math.floor(Date.parse(at) / 2_000) * 2_000).toISOString();
          const key = `${buyer} ${start}`;
          shops.set(key, [...(shops.get(key) ?? []), shop]);
        }
      const shown: Shown = new Map(
        [...shops].map(([key, of]) => {
          const [buyer, windowStart] = key.split(' ') as [string, string];
          const windowEnd = new Date(Date.parse(windowStart) + 2_000).toISOString();
          return [key, { buyer, windowStart, windowEnd, visits: of.length, shops: new Set(of).size }];
        }),
      );
      return new Map([
        ['per-window', shown],
        ['final', new Map(shown)],
      ]);
    },
  };
}

const saleStream = (partitions: number) =>
  stream('sales', {
    schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.number() }),
    partitions,
    partitionBy: 'shop',
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

const partitionFor = (source: RecordSource, row: object): number => partitionOf(source)?.(row as never) ?? 0;

export const redisKeyOf = (source: RecordSource, partition: number): string =>
  partitionKeys(source)[partition]!;

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
