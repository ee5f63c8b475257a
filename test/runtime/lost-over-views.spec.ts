import { z } from 'zod';
import { count, stream, sum, table, tumbling, instant, view } from '../../src/index.js';
import { checkpoint, type Checkpoint, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { SimulatedRun } from '../support/simulated-run.js';

const SHOPS = ['a', 'b', 'c', 'd', 'e', 'f'];
const sales = stream('sales', {
  schema: z.object({ shop: z.string(), amount: z.number() }),
  partitions: 3,
  partitionBy: 'shop',
});
const shops = table('shops', {
  schema: z.object({ shop: z.string(), city: z.string() }),
  key: 'shop',
  partitions: 3,
});
const byShop = view('by-shop', {
  from: sales.groupBy('shop').aggregate({ sales: count(), amount: sum('amount') }),
});
/** Its rows move once, and it reads a log beside. */
const perCity = view('per-city', {
  from: byShop
    .leftJoin({ place: shops }, { on: { shop: 'shop' } })
    .select({ city: 'place.city', sales: 'sales', amount: 'amount' })
    .groupBy('city')
    .aggregate({ shops: count(), sales: sum('sales'), amount: sum('amount') }),
  partitions: 2,
});
/** Twice. */
const bySales = view('by-sales', {
  from: byShop
    .groupBy('sales')
    .aggregate({ shops: count() })
    .groupBy('shops')
    .aggregate({ times: count(), shopsOfAll: sum('shops') }),
  partitions: 2,
});

const some = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({
    shop: SHOPS[(from + index) % 6]!,
    amount: (from + index) % 11,
  }));
const sorted = (rows: readonly object[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

let run: SimulatedRun;
const begun = async (limits: ConstructorParameters<typeof SimulatedRun>[1] = {}): Promise<void> => {
  run = new SimulatedRun([byShop, perCity, bySales], {
    ...{ leaseMs: 1_000, readEntriesMax: 2, changelogEntriesMin: 1, exchangeKeptMs: 4_000 },
    ...limits,
  });
  run.start();
  run.append(shops, ...SHOPS.slice(2).map((shop, index) => ({ shop, city: `city ${index % 2}` })));
  run.append(sales, ...some(20));
  await settled();
};
const settled = async (): Promise<void> => {
  for (const name of ['by-shop', 'per-city', 'by-sales']) await run.settled(name);
};
const goBack = (to: Checkpoint, view: string, ...places: string[]): void => {
  for (const place of places) rollBackTask(run.redis, to, run.nameOf(view, place));
};
const parked = (): string[] =>
  ['by-shop', 'per-city', 'by-sales'].flatMap((name) => run.parked(name).map(({ code }) => code));
/** Of what, and of which kind: one for each. */
const recoveries = (): string[] =>
  run.workers
    .flatMap(({ parts }) => [...parts.metrics.recoveries.values()])
    .flatMap(({ labels, value }) =>
      Array.from({ length: value }, () => `${labels['view']} ${labels['kind']}`),
    )
    .sort();
/** What views show that nothing went wrong with. */
const rowsOf = async (...appended: [object, readonly object[]][]): Promise<[string[], string[]]> => {
  const right = new SimulatedRun([byShop, perCity, bySales]);
  right.start();
  for (const [source, rows] of appended) right.append(source, ...rows);
  await right.settled('per-city');
  await right.settled('by-sales');
  right.end();
  return [sorted(right.rows('per-city')), sorted(right.rows('by-sales'))];
};
const places = SHOPS.slice(2).map((shop, index) => ({ shop, city: `city ${index % 2}` }));
const shown = (): [string[], string[]] => [sorted(run.rows('per-city')), sorted(run.rows('by-sales'))];
afterEach(() => run.end());

describe('what a task alone has', () => {
  it('is made again where its slot went back, and that is counted and said', async () => {
    run = new SimulatedRun([byShop], { leaseMs: 1_000 });
    run.start();
    run.append(sales, ...some(20));
    await run.settled('by-shop');
    const before = checkpoint(run.redis);
    run.append(sales, ...some(20, 20));
    await run.settled('by-shop');
    expect([recoveries(), run.warned]).toEqual([[], []]);
    goBack(before, 'by-shop', '0.1');
    await run.pass(5_000);
    await run.settled('by-shop');
    expect(recoveries()).toEqual(['by-shop ticks']);
    expect(run.warned).toEqual([
      expect.stringMatching(/by-shop#1\/0.1 lost its last commits: it stands at tick \d+, and stood/),
    ]);
    expect(run.rows('by-shop').reduce((all, { sales }) => all + Number(sales), 0)).toBe(40);
  });
});

describe('what a task makes of the rows of a view and sends', () => {
  it.each([[['0.0']], [['0.1', '0.2']], [['0.0', '0.1', '0.2']]])(
    'is made again where the slots of %j alone went back, cut where its receivers are',
    async (went) => {
      await begun();
      const before = checkpoint(run.redis);
      for (let round = 0; round < 4; round++) {
        run.append(sales, ...some(7, 20 + 7 * round));
        run.append(shops, { shop: SHOPS[round % 2]!, city: `city ${round}` });
        await run.pass(200);
      }
      // A partition in which no shop lies has lost nothing.
      const lost = ['by-sales', 'per-city'].flatMap((name) =>
        went
          .filter((place) => {
            const tick = (): number => run.task(name, place).record?.tick ?? 0;
            const stood = tick();
            goBack(before, name, place);
            return tick() < stood;
          })
          .map((place) => [name, place] as const),
      );
      expect(lost.length).toBeGreaterThan(1);
      run.append(sales, ...some(10, 48));
      await run.pass(10_000);
      await settled();
      expect(parked()).toEqual([]);
      const kinds = { 'by-sales': 'sentRounds', 'per-city': 'sentTicks' } as Record<string, string>;
      expect(recoveries()).toEqual(lost.map(([name]) => `${name} ${kinds[name]}`));
      for (const [name, place] of lost)
        for (const said of ['lost its last commits: it stands at tick', 'made again what its hash slot lost'])
          expect(
            run.warned.filter((one) => one.includes(`${run.nameOf(name, place)} `) && one.includes(said)),
          ).toHaveLength(1);
      const moved = [0, 1, 2, 3].map((round) => ({ shop: SHOPS[round % 2]!, city: `city ${round}` }));
      expect(shown()).toEqual(await rowsOf([shops, [...places, ...moved]], [sales, some(58)]));
    },
  );

  it('is made again of all rows of the view where nothing is left of what it had, and these are what they were', async () => {
    await begun();
    const nothing: Checkpoint = { ...checkpoint(run.redis), tasks: new Map() };
    for (const name of ['per-city', 'by-sales']) goBack(nothing, name, '0.1');
    await run.pass(10_000);
    run.append(sales, ...some(10, 20));
    await settled();
    expect(parked()).toEqual([]);
    expect(shown()).toEqual(await rowsOf([shops, places], [sales, some(30)]));
  });

  it('is not where they are others', async () => {
    await begun();
    const nothing: Checkpoint = { ...checkpoint(run.redis), tasks: new Map() };
    run.workers[0]!.process.kill();
    // Somebody maintains the view that is read, and nobody what reads it.
    run.start([byShop]);
    run.append(sales, ...some(20, 20));
    await run.settled('by-shop');
    goBack(nothing, 'per-city', '0.1');
    run.start();
    await run.pass(20_000);
    expect(run.parked('per-city').map(({ code }) => code)).toContain('exchange-lost');
    expect(run.parked('per-city')[0]!.message).toContain('per-city#1/0.1 lost ticks');
    expect(run.parked('by-sales')).toEqual([]);
  });

  it('is of another past where the view went back as well', async () => {
    await begun();
    const before = checkpoint(run.redis);
    run.append(sales, ...some(20, 20));
    await settled();
    goBack(before, 'by-shop', '0.0', '0.1', '0.2');
    for (const name of ['per-city', 'by-sales']) goBack(before, name, '0.0', '0.1', '0.2');
    run.append(sales, ...some(10, 40));
    await run.pass(20_000);
    for (const name of ['per-city', 'by-sales'])
      expect(run.parked(name).map(({ code }) => code)).toContain('upstream-went-back');
  });
});

describe('a changelog', () => {
  it('is kept for a while behind what was read of it, and no longer', async () => {
    await begun({ readerReportMs: 200 });
    const first = (): number => parseInt(run.task('by-shop', '0.0').changes.entries[0]![0]);
    const ticks: number[] = [];
    for (let round = 0; round < 40; round++) {
      run.append(sales, ...some(6, 20 + round));
      await run.pass(250);
      ticks.push(run.task('by-shop', '0.0').record!.tick);
      // Four seconds are 16 rounds.
      if (round > 16) expect(first()).toBeLessThanOrEqual(ticks[round - 16]! + 1);
      if (round > 20) expect(first()).toBeGreaterThan(ticks[round - 20]! - 1);
    }
    expect(ticks.at(-1)).toBeGreaterThan(40);
  });

  it('is not trimmed of what a reader has lost and not said yet that it wants it again', async () => {
    await begun({ readerReportMs: 200 });
    run.workers[0]!.process.kill();
    const { record } = run.task('per-city', '0.0');
    run.start([byShop]);
    const before = checkpoint(run.redis);
    for (const reader of run.task('by-shop', '0.0').readers.keys())
      run.task('by-shop', '0.0').readers.set(reader, 1_000);
    goBack(before, 'per-city', '0.0');
    for (let round = 0; round < 40; round++) {
      run.append(sales, ...some(6, 20 + round));
      await run.pass(250);
    }
    const kept = parseInt(run.task('by-shop', '0.0').changes.entries[0]![0]);
    expect(kept).toBeLessThanOrEqual(parseInt(record!.positions['view:by-shop']!.position) + 1);
  });
});

describe('what is final before rows of a view move', () => {
  it('is made again up to the time that receivers have acted on', async () => {
    const visits = stream('visits', {
      schema: z.object({ at: instant(), shop: z.string() }),
      partitions: 3,
      partitionBy: 'shop',
      eventTime: 'at',
      lateness: '1s',
    });
    const perShop = view('per-shop', {
      from: visits.window(tumbling('10s')).groupBy('shop').aggregate({ visits: count() }),
    });
    const perTime = view('per-time', {
      from: perShop
        .window(tumbling('20s'), { on: 'windowStart' })
        .groupBy('shop')
        .aggregate({ visits: sum('visits') })
        .final()
        .groupBy('windowStart', 'windowEnd')
        .aggregate({ shops: count(), visits: sum('visits') }),
      partitions: 2,
    });
    run = new SimulatedRun([perShop, perTime], { leaseMs: 1_000, readEntriesMax: 2 });
    run.start();
    const round = async (): Promise<void> => {
      run.append(visits, ...SHOPS.map((shop) => ({ at: new Date(run.time.now()).toISOString(), shop })));
      await run.pass(20_000);
    };
    await round();
    const before = checkpoint(run.redis);
    await round();
    await round();
    goBack(before, 'per-time', '0.0', '0.2');
    await round();
    await round();
    await round();
    expect(run.parked('per-time')).toEqual([]);
    const rows = run.rows('per-time').map(({ shops, visits }) => [shops, visits]);
    expect(rows.length).toBeGreaterThanOrEqual(4);
    for (const row of rows) expect(row).toEqual([SHOPS.length, SHOPS.length]);
  });
});
