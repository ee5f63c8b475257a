import { z } from 'zod';
import { count, instant, max, min, stream, sum, table, tumbling, view } from '../../src/index.js';
import { contained } from '../../src/runtime/contained.js';
import { shownBy } from '../../src/runtime/generation-tasks.js';
import type { TaskRecord } from '../../src/runtime/ports/task-store.js';
import { regainingIn } from '../../src/runtime/regaining.js';
import { checkpoint, rollBackStream, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.number() }),
  partitions: 3,
  partitionBy: 'shop',
});
const visits = stream('visits', {
  schema: z.object({ at: instant(), shop: z.string(), buyer: z.string() }),
  partitions: 3,
  partitionBy: 'shop',
  eventTime: 'at',
  lateness: '1s',
});
const perWindow = visits.window(tumbling('10s')).groupBy('buyer').aggregate({ visits: count() });
const SHOPS = ['a', 'b', 'c', 'd', 'e', 'f'];
const BUYERS = ['w', 'x', 'y', 'z'];
const sale = (index: number) => ({
  shop: SHOPS[index % 6]!,
  buyer: BUYERS[(index * 7 + (index >> 2)) % 4]!,
  amount: index % 11,
});
const some = (count: number, from = 0) => Array.from({ length: count }, (_, index) => sale(from + index));

const byBuyer = (partitions?: number) =>
  view('by-buyer', {
    from: sales.groupBy('buyer').aggregate({ sales: count(), amount: sum('amount'), largest: max('amount') }),
    ...(partitions !== undefined && { partitions }),
  });
const expected = (of: readonly ReturnType<typeof sale>[]) =>
  BUYERS.map((buyer) => {
    const own = of.filter((one) => one.buyer === buyer);
    return {
      buyer,
      sales: own.length,
      amount: own.reduce((total, { amount }) => total + amount, 0),
      largest: Math.max(...own.map(({ amount }) => amount)),
    };
  });
const sorted = (rows: readonly object[]): any[] =>
  [...rows].sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));

let run: SimulatedRun;
const running = (views: readonly object[], ...limits: ConstructorParameters<typeof SimulatedRun>[1][]) => {
  run = new SimulatedRun(views, ...limits);
  run.start();
  return run;
};
afterEach(() => run.end());

describe('rows that lie by one column and are wanted by another', () => {
  it.each([undefined, 1, 2, 5])('are brought together, in %s partitions', async (partitions) => {
    running([byBuyer(partitions)]);
    run.append(sales, ...some(100));
    await run.settled('by-buyer');
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(100))));
    run.append(sales, ...some(50, 100));
    await run.settled('by-buyer');
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(150))));
    expect(run.generation('by-buyer')).toMatchObject({
      partitions: partitions ?? 3,
      stages: [{ partitions: 3 }],
    });
    expect([...run.shown('by-buyer').keys()].every((place) => place.startsWith('1.'))).toBe(true);
  });

  it('are all in one place where all are one group', async () => {
    running([view('total', { from: sales.groupBy().aggregate({ sales: count(), least: min('amount') }) })]);
    run.append(sales, ...some(30));
    await run.settled('total');
    expect(run.rows('total')).toEqual([{ sales: 30, least: 0 }]);
  });

  it('are joined with what lies otherwise, and what lies well is passed on', async () => {
    const buyers = table('buyers', {
      schema: z.object({ buyer: z.string(), name: z.string() }),
      key: 'buyer',
    });
    const shops = table('shops', {
      schema: z.object({ shop: z.string(), city: z.string() }),
      key: 'shop',
      partitions: 2,
    });
    const named = view('named', {
      from: sales
        .groupBy('shop', 'buyer')
        .aggregate({ sales: count() })
        .leftJoin({ who: buyers }, { on: { buyer: 'buyer' } })
        .select({ shop: 'shop', buyer: 'buyer', sales: 'sales', name: 'who.name' }),
      key: ['shop', 'buyer'],
    });
    const placed = view('placed', {
      from: sales
        .groupBy('shop')
        .aggregate({ sales: count() })
        .join({ where: shops }, { on: { shop: 'shop' } }),
      key: 'shop',
    });
    running([named, placed]);
    run.append(sales, ...some(48));
    run.append(buyers, { buyer: 'x', name: 'Xenia' }, { buyer: 'x', name: 'Xaver' });
    run.append(shops, ...SHOPS.slice(1).map((shop) => ({ shop, city: `city of ${shop}` })));
    await run.settled('named');
    await run.settled('placed');
    const names = run.rows('named').map(({ buyer, name }) => `${String(buyer)} ${String(name)}`);
    expect([...new Set(names)].sort()).toEqual(['w null', 'x Xaver', 'y null', 'z null']);
    expect(run.rows('named').reduce((total, { sales: n }) => total + Number(n), 0)).toBe(48);
    expect(sorted(run.rows('placed'))).toEqual(
      SHOPS.slice(1).map((shop) => ({ shop, sales: 8, where: { shop, city: `city of ${shop}` } })),
    );
  });

  it('are taken up by views over the view', async () => {
    const over = byBuyer(2);
    const perLargest = over.groupBy('largest').aggregate({ buyers: count() });
    running([over, view('by-largest', { from: perLargest, mayTear: true })]);
    run.append(sales, ...some(60));
    await run.settled('by-largest');
    const largest = expected(some(60)).map((row) => row.largest);
    expect(sorted(run.rows('by-largest'))).toEqual(
      sorted(
        [...new Set(largest)].map((one) => ({
          largest: one,
          buyers: largest.filter((other) => other === one).length,
        })),
      ),
    );
  });

  it('are finished when time has passed in all partitions', async () => {
    running([view('final', { from: perWindow.final() }), view('open', { from: perWindow })]);
    const at = (second: number) => new Date(run.time.now() + second * 1_000).toISOString();
    const visit = (second: number, shop: string, buyer: string) => ({ at: at(second), shop, buyer });
    run.append(visits, ...SHOPS.flatMap((shop) => BUYERS.map((buyer) => visit(3, shop, buyer))));
    // Time has passed in one partition only.
    run.append(visits, visit(30, 'a', 'w'));
    await run.pass(1_000);
    expect(run.rows('open').map(({ visits: n }) => n)).toEqual([6, 6, 6, 6, 1]);
    expect(run.rows('final')).toEqual([]);
    // In the end it has in all: those that are silent follow.
    await run.pass(120_000);
    expect(
      sorted(run.rows('final'))
        .map(({ visits: n }) => n)
        .sort(),
    ).toEqual([1, 6, 6, 6, 6]);
    expect(run.rows('open').map(({ visits: n }) => n)).toHaveLength(5);
  });
});

describe('what a view contains whose rows are exchanged', () => {
  it('is what all its tasks contain, and comes to the end of all logs also where nothing was sent', async () => {
    running([byBuyer(5)]);
    run.append(sales, sale(1));
    await run.settled('by-buyer');
    const generation = run.generation('by-buyer');
    const records = shownBy(generation).map(
      ({ stage, partition }) => run.task('by-buyer', `${stage}.${partition}`).record,
    );
    const logs = [...run.redis.streams].filter(
      ([key, { last }]) => key.startsWith('sales') && last !== '0-0',
    );
    expect(contained(generation, records)).toEqual(
      Object.fromEntries(logs.map(([key, { last }]) => [key, last])),
    );
    expect(contained(generation, [...records.slice(1), null])).toEqual({});
  });
});

describe('what a task sent', () => {
  it('is trimmed behind what was read a while ago', async () => {
    running([byBuyer(1)], { exchangeKeptMs: 2_000, readerReportMs: 100, readEntriesMax: 1 });
    for (let round = 0; round < 10; round++) {
      run.append(sales, ...some(6, 6 * round));
      await run.pass(1_000);
    }
    await run.settled('by-buyer');
    const { sent, record } = run.task('by-buyer', '0.1');
    expect(record!.tick).toBeGreaterThan(15);
    expect(sent.get(0)!.entriesAdded).toBeGreaterThan(20);
    expect(sent.get(0)!.entries.length).toBeLessThan(15);
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(60))));
  });

  it('waits for a receiver that does not go on', async () => {
    running([byBuyer(1)], {
      exchangeEntriesMax: 5,
      readerReportMs: 100,
      readEntriesMax: 1,
      commitWritesMax: 1,
    });
    run.append(sales, ...some(6));
    await run.settled('by-buyer');
    run.task('by-buyer', '1.0').parked = { code: 'test', message: 'held', at: run.time.now() };
    run.task('by-buyer', '1.0').nonce = 'another';
    run.append(sales, ...some(300, 6));
    await run.pass(20_000);
    const added = ['0.0', '0.1', '0.2'].map(
      (place) => run.task('by-buyer', place).sent.get(0)?.entriesAdded ?? 0,
    );
    expect(Math.max(...added)).toBeLessThan(30);
    await run.ports.tasks.unpark(shownBy(run.generation('by-buyer'))[0]!);
    await run.settled('by-buyer');
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(306))));
  });

  it('is sent again where all of it was lost while the sender waited for room', async () => {
    running([byBuyer(1)], { leaseMs: 1_000, exchangeEntriesMax: 5, readEntriesMax: 1 });
    run.append(sales, ...some(6));
    await run.settled('by-buyer');
    const before = checkpoint(run.redis);
    run.task('by-buyer', '1.0').parked = { code: 'test', message: 'held', at: run.time.now() };
    run.task('by-buyer', '1.0').nonce = 'another';
    run.append(sales, ...some(300, 6));
    await run.pass(60_000);
    for (const place of ['0.0', '0.1', '0.2']) rollBackTask(run.redis, before, run.nameOf('by-buyer', place));
    await run.ports.tasks.unpark(shownBy(run.generation('by-buyer'))[0]!);
    await run.settled('by-buyer');
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(306))));
  });

  it('is read again by a receiver whose slot alone went back', async () => {
    running([byBuyer(2)], { leaseMs: 1_000 });
    run.append(sales, ...some(40));
    await run.settled('by-buyer');
    const before = checkpoint(run.redis);
    run.append(sales, ...some(40, 40));
    await run.settled('by-buyer');
    rollBackTask(run.redis, before, run.nameOf('by-buyer', '1.0'));
    rollBackTask(run.redis, before, run.nameOf('by-buyer', '1.1'));
    await run.pass(5_000);
    await run.settled('by-buyer');
    expect(run.parked('by-buyer')).toEqual([]);
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(80))));
  });

  it('is made again where the sender’s slot alone went back, and cut where its receivers are', async () => {
    running([byBuyer(2)], { leaseMs: 1_000, readEntriesMax: 2 });
    run.append(sales, ...some(40));
    await run.settled('by-buyer');
    const before = checkpoint(run.redis);
    run.append(sales, ...some(40, 40));
    await run.settled('by-buyer');
    for (const place of ['0.0', '0.1']) rollBackTask(run.redis, before, run.nameOf('by-buyer', place));
    run.append(sales, ...some(10, 80));
    await run.pass(10_000);
    await run.settled('by-buyer');
    expect(run.parked('by-buyer')).toEqual([]);
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(90))));
  });

  it('is made again in a few commits, however many were lost', async () => {
    running([byBuyer(2)], { leaseMs: 1_000 });
    run.append(sales, ...some(10));
    await run.settled('by-buyer');
    const before = checkpoint(run.redis);
    for (let index = 0; index < 60; index++) {
      run.append(sales, ...some(1, 10 + index));
      await run.settled('by-buyer');
    }
    const lost = run.task('by-buyer', '0.0').record!.tick;
    rollBackTask(run.redis, before, run.nameOf('by-buyer', '0.0'));
    const { entriesAdded } = run.task('by-buyer', '0.0').commits;
    expect(lost - entriesAdded).toBeGreaterThan(15);
    await run.pass(10_000);
    await run.settled('by-buyer');
    const { record, commits } = run.task('by-buyer', '0.0');
    expect(record!.tick).toBeGreaterThan(lost);
    expect(commits.entriesAdded - entriesAdded).toBeLessThan(8);
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(70))));
  });

  it('is made again though a receiver goes back meanwhile and reads no more: that finds out, and neither waits for the other', async () => {
    const limits = { leaseMs: 1_000, readEntriesMax: 2, exchangeEntriesMax: 5, regainMs: 3_000 };
    running([byBuyer(1)], { ...limits, readerReportMs: 50 });
    run.append(sales, ...some(10));
    await run.settled('by-buyer');
    const before = checkpoint(run.redis);
    run.append(sales, ...some(100, 10));
    await run.settled('by-buyer');
    rollBackTask(run.redis, before, run.nameOf('by-buyer', '0.0'));
    const sender = run.task('by-buyer', '0.0');
    let { record } = sender;
    let wentBack = false;
    Object.defineProperty(sender, 'record', {
      get: () => record,
      set(stored: TaskRecord) {
        record = stored;
        if (wentBack || !(0 in regainingIn(stored))) return;
        wentBack = true;
        rollBackTask(run.redis, before, run.nameOf('by-buyer', '1.0'));
        run.redis.refusing = 'full';
      },
    });
    await run.pass(5_000);
    run.redis.refusing = null;
    await run.pass(20_000);
    expect(wentBack).toBe(true);
    expect(regainingIn(record!)).toEqual({});
    expect(run.parked('by-buyer').map(({ code }) => code)).toEqual(['exchange-lost']);
  });

  it('is noticed to be another past where the log went back as well', async () => {
    running([byBuyer(2)], { leaseMs: 1_000 });
    run.append(sales, ...some(40));
    await run.settled('by-buyer');
    const before = checkpoint(run.redis);
    run.append(sales, ...some(40, 40));
    await run.settled('by-buyer');
    for (const place of ['0.0', '0.1', '0.2']) rollBackTask(run.redis, before, run.nameOf('by-buyer', place));
    for (const key of before.streams.keys()) rollBackStream(run.redis, before, key);
    await run.pass(10_000);
    expect(run.parked('by-buyer').map(({ code }) => code)).toContain('ahead-of-its-log');
  });

  it.each(['0.0', '0.1', '0.2'])(
    'is made again also where what is finished depends on time, to where %s was when its slot went back',
    async (place) => {
      running([view('open', { from: perWindow }), view('final', { from: perWindow.final() })], {
        leaseMs: 1_000,
        readEntriesMax: 2,
      });
      const visit = (shop: string) => ({ at: new Date(run.time.now()).toISOString(), shop, buyer: 'w' });
      const round = async (): Promise<void> => {
        run.append(visits, ...SHOPS.map(visit));
        await run.pass(20_000);
      };
      await round();
      const before = checkpoint(run.redis);
      await round();
      await round();
      for (const name of ['open', 'final']) rollBackTask(run.redis, before, run.nameOf(name, place));
      await round();
      await round();
      for (const name of ['open', 'final']) {
        expect(run.parked(name)).toEqual([]);
        expect(run.rows(name).map((row) => row['visits'])).toEqual(new Array(5).fill(SHOPS.length));
      }
    },
  );

  it('is noticed to be another past where what came at once was read in part', async () => {
    running([byBuyer(2)], { leaseMs: 1_000 });
    run.append(sales, ...some(40));
    await run.settled('by-buyer');
    const before = checkpoint(run.redis);
    run.append(sales, ...some(40, 40));
    await run.settled('by-buyer');
    const receiver = run.redis.tasks.get(run.nameOf('by-buyer', '1.0'))!;
    const heard = receiver.record!.extra['exchange'] as { more: boolean }[];
    receiver.record = {
      ...receiver.record!,
      extra: { ...receiver.record!.extra, exchange: heard.map((one) => ({ ...one, more: true })) },
    };
    run.workers[0]!.process.kill();
    rollBackTask(run.redis, before, run.nameOf('by-buyer', '0.0'));
    run.start();
    run.append(sales, ...some(10, 80));
    await run.pass(20_000);
    expect(run.parked('by-buyer').map(({ code }) => code)).toContain('exchange-lost');
    expect(run.parked('by-buyer')[0]!.message).toContain('by-buyer#1/0.0');
  });
});

describe('a worker that comes', () => {
  it('takes over tasks of every stage, and nothing is lost or counts twice', async () => {
    running([byBuyer(4)], { leaseMs: 1_000, registryRefreshMs: 100 });
    for (let round = 0; round < 8; round++) {
      run.append(sales, ...some(10, 10 * round));
      if (round === 2) run.start();
      if (round === 5) run.workers[0]!.process.kill();
      await run.pass(700);
    }
    await run.settled('by-buyer');
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(80))));
  });
});

describe('a worker that goes', () => {
  it('hands over at once: nobody waits for its lease to end', async () => {
    running([byBuyer(4)]);
    run.start();
    run.append(sales, ...some(20));
    await run.settled('by-buyer');
    await run.pass(5_000);
    const owned = (): number => [...run.redis.tasks.values()].filter(({ owner }) => owner === 'w0').length;
    expect(owned()).toBeGreaterThan(0);
    void run.workers[0]!.stop();
    run.append(sales, ...some(20, 20));
    await run.pass(150);
    expect(owned()).toBe(0);
    expect(sorted(run.rows('by-buyer'))).toEqual(sorted(expected(some(40))));
  });
});
