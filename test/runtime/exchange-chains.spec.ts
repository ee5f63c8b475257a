import { z } from 'zod';
import { computed, count, instant, max, stream, sum, table, tumbling, view } from '../../src/index.js';
import type { CommitRequest } from '../../src/runtime/ports/task-store.js';
import { isBetween } from '../../src/runtime/followed.js';
import { lastStage } from '../../src/runtime/generation-tasks.js';
import { Random } from '../../src/testing/random.js';
import { checkpoint, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import { stagesOf } from '../../src/view/stages.js';
import { cuttingLimits, rowsBehind, SimulatedRun } from '../support/simulated-run.js';

/** The same sources in as many partitions. */
function sources(partitions: number) {
  const orders = stream('orders', {
    schema: z.object({ id: z.int(), at: instant(), buyer: z.string(), item: z.string(), amount: z.int() }),
    partitions,
    partitionBy: 'id',
    eventTime: 'at',
    lateness: '1h',
  });
  const buyers = table('buyers', {
    schema: z.object({ buyer: z.string(), city: z.string() }),
    key: 'buyer',
    partitions,
  });
  const items = table('items', {
    schema: z.object({ item: z.string(), kind: z.string() }),
    key: 'item',
    partitions: partitions === 1 ? 1 : 2,
  });
  return { orders, buyers, items };
}
type Sources = ReturnType<typeof sources>;

const withBuyers = ({ orders, buyers }: Sources) =>
  orders
    .leftJoin({ who: buyers }, { on: { buyer: 'buyer' } })
    .select({ id: 'id', at: 'at', buyer: 'buyer', item: 'item', amount: 'amount', city: 'who.city' });

const byCity = (of: Sources) =>
  withBuyers(of)
    .groupBy('city')
    .aggregate({ n: count(), amount: sum('amount') });

const plans: Record<string, { stages: number; of: (of: Sources) => object }> = {
  'two joins by different keys': {
    stages: 3,
    of: (of) => ({
      from: withBuyers(of).leftJoin({ what: of.items }, { on: { item: 'item' } }),
      key: ['id', 'item'],
    }),
  },
  'a total of totals of what was joined': {
    stages: 4,
    of: (of) => ({
      from: byCity(of)
        .groupBy()
        .aggregate({ cities: count(), n: sum('n'), amount: sum('amount') }),
    }),
  },
  'two joins, grouped, joined with their total, in another number of partitions': {
    stages: 6,
    of: (of) => {
      const perKind = withBuyers(of)
        .join({ what: of.items }, { on: { item: 'item' } })
        .select({ kind: 'what.kind', city: 'city', amount: 'amount' })
        .groupBy('kind')
        .aggregate({ amount: sum('amount'), most: max('amount') })
        .select({
          kind: 'kind',
          amount: 'amount',
          most: 'most',
          all: computed(z.literal('all'), () => 'all' as const),
        });
      const total = perKind.groupBy('all').aggregate({ total: sum('amount') });
      return { from: perKind.join({ of: total }, { on: { all: 'all' } }), key: 'kind', partitions: 3 };
    },
  },
  'windows of windows': {
    stages: 3,
    of: ({ orders }) => ({
      from: orders
        .window(tumbling('10s'))
        .groupBy('buyer')
        .aggregate({ n: count() })
        .groupBy('windowStart')
        .aggregate({ buyers: count(), n: sum('n') }),
    }),
  },
};

const BUYERS = ['u', 'v', 'w', 'x', 'y', 'z'];
const ITEMS = ['1', '2', '3', '4', '5'];

async function play(
  run: SimulatedRun,
  { orders, buyers, items }: Sources,
  seed: number,
  steps = 40,
): Promise<void> {
  const random = new Random(seed);
  for (let step = 0, id = 0; step < steps; step++) {
    const at = (): string => new Date(Date.UTC(2029, 0, 1) + random.below(60) * 1_000).toISOString();
    const roll = random.below(10);
    if (roll < 6)
      for (let more = random.below(4); more >= 0; more--)
        run.append(orders, {
          id: id++,
          at: at(),
          buyer: random.of(BUYERS),
          item: random.of(ITEMS),
          amount: random.below(12),
        });
    else if (roll < 9)
      run.append(buyers, { buyer: random.of(BUYERS), city: random.of(['here', 'there', 'where']) });
    else run.append(items, { item: random.of(ITEMS), kind: random.of(['a', 'b']) });
    if (random.chance(0.3)) await run.pass(random.below(300));
  }
}

describe('rows that move more than once', () => {
  async function rowsOf(plan: (typeof plans)[string], partitions: number, seed: number): Promise<string[]> {
    const of = sources(partitions);
    const shown = view('v', plan.of(of) as never);
    expect(declarationErrors([shown.declaration])).toEqual([]);
    if (partitions > 1) expect(stagesOf(shown.declaration)).toBe(plan.stages);
    const random = new Random(seed);
    const limits = {
      ...cuttingLimits(random),
      exchangeEntriesMax: random.of([3, 1_000]),
      readerReportMs: random.of([50, 1_000]),
      exchangeKeptMs: random.of([100, 10_000]),
    };
    return rowsBehind(shown, limits, (run) => play(run, of, seed));
  }

  it.each(Object.entries(plans))('are those of one partition: %s', async (_, plan) => {
    for (const seed of [1, 2, 3]) {
      const alone = await rowsOf(plan, 1, seed);
      expect(alone.length).toBeGreaterThan(0);
      expect(await rowsOf(plan, 4, seed)).toEqual(alone);
    }
  });
});

describe('a row that comes of several tasks', () => {
  it('never shows half of an event', async () => {
    const of = sources(4);
    // An order is of one city or of another: in all cities together there are as many as there are orders.
    const shown = view('v', {
      from: byCity(of)
        .groupBy()
        .aggregate({ cities: count(), n: sum('n'), most: max('n') }),
    });
    const run = new SimulatedRun([shown]);
    const totals: number[] = [];
    run.onCommit = ({ task, record, keyed }: CommitRequest) => {
      if (task.stage !== lastStage(run.generation('v')) || isBetween(record)) return;
      for (const { state, writes } of keyed)
        if (state === 'rows')
          for (const [, text] of writes) if (text) totals.push(JSON.parse(text.split('\n')[0]!).n);
    };
    run.start();
    run.start();
    for (let id = 0; id < 40; id++)
      run.append(of.orders, {
        id,
        at: '2029-01-01T00:00:00.000Z',
        buyer: BUYERS[id % 6]!,
        item: '1',
        amount: 1,
      });
    await run.settled('v');
    totals.length = 0;
    const random = new Random(1);
    for (let round = 0; round < 100; round++) {
      run.append(of.buyers, { buyer: random.of(BUYERS), city: `city ${random.below(9)}` });
      // Now and then some of the tasks stand still.
      const { process } = run.workers[round % 2]!;
      if (random.chance(0.2)) process.pause();
      if (random.chance(0.5)) await run.pass(random.below(40));
      process.resume();
    }
    await run.settled('v');
    expect(run.rows('v')).toMatchObject([{ n: 40 }]);
    expect(totals.length).toBeGreaterThan(5);
    expect(new Set(totals)).toEqual(new Set([40]));
    run.end();
  });
});

describe('tasks that stop at common rounds', () => {
  const total = (of: Sources) =>
    view('v', {
      from: byCity(of)
        .groupBy()
        .aggregate({ cities: count(), n: sum('n'), amount: sum('amount') }),
    });
  const orderOf = (id: number) => ({
    id,
    at: '2029-01-01T00:00:00.000Z',
    buyer: BUYERS[id % 6]!,
    item: '1',
    amount: 1,
  });
  const ordersFrom = (first: number, count: number) =>
    Array.from({ length: count }, (_, index) => orderOf(first + index));

  it('finish what is over in all partitions, window by window and window of windows', async () => {
    const visits = stream('visits', {
      schema: z.object({ id: z.int(), at: instant(), buyer: z.string() }),
      partitions: 4,
      partitionBy: 'id',
      eventTime: 'at',
      lateness: '15s',
    });
    const perBuyer = visits.window(tumbling('10s')).groupBy('buyer').aggregate({ n: count() }).final();
    const perWindow = perBuyer
      .groupBy('windowStart', 'windowEnd')
      .aggregate({ buyers: count(), n: sum('n') });
    const run = new SimulatedRun([view('v', { from: perWindow })]);
    run.start();
    const at = (second: number): string => new Date(run.time.now() + second * 1_000).toISOString();
    const visit = (id: number, second: number) => ({ id, at: at(second), buyer: BUYERS[id % 6]! });
    run.append(visits, ...Array.from({ length: 60 }, (_, id) => visit(id, id % 2 ? 2 : 12)));
    await run.pass(1_000);
    expect(run.rows('v')).toEqual([]);
    // Time passes in one partition, and then in those in which nothing comes.
    run.append(visits, visit(1_000, 60));
    await run.pass(150_000);
    const rows = run.rows('v').sort((left, right) => (left['windowStart']! < right['windowStart']! ? -1 : 1));
    expect(rows.map(({ buyers, n }) => [buyers, n])).toEqual([
      [3, 30],
      [3, 30],
      [1, 1],
    ]);
    run.end();
  });

  it('are taken over, whatever their stage, and nothing is lost or counts twice', async () => {
    const of = sources(4);
    const run = new SimulatedRun([total(of)], { leaseMs: 1_000, registryRefreshMs: 100 });
    run.start();
    for (let round = 0; round < 10; round++) {
      run.append(of.orders, ...ordersFrom(20 * round, 20));
      run.append(of.buyers, { buyer: BUYERS[round % 6]!, city: `city ${round % 4}` });
      if (round === 2 || round === 6) run.start();
      if (round === 4) run.workers[0]!.process.kill();
      if (round === 8) void run.workers[1]!.stop();
      await run.pass(600);
    }
    await run.settled('v');
    expect(run.rows('v')).toMatchObject([{ n: 200, amount: 200 }]);
    run.end();
  });

  /** A run in which the slot of a task went back by forty orders of eighty. */
  const wentBack = async (...places: string[]): Promise<{ run: SimulatedRun; of: Sources }> => {
    const of = sources(4);
    const run = new SimulatedRun([total(of)], { leaseMs: 1_000 });
    run.start();
    run.append(of.orders, ...ordersFrom(0, 40));
    await run.settled('v');
    const before = checkpoint(run.redis);
    run.append(of.orders, ...ordersFrom(40, 40));
    await run.settled('v');
    for (const place of places) rollBackTask(run.redis, before, run.nameOf('v', place));
    return { run, of };
  };

  it('read again what they lost where the slot of a task that only receives went back', async () => {
    const { run } = await wentBack('3.0');
    await run.pass(5_000);
    await run.settled('v');
    expect(run.parked('v')).toEqual([]);
    expect(run.rows('v')).toMatchObject([{ n: 80 }]);
    run.end();
  });

  it.each([
    ...['1.1', '1.3', '2.0', '1.1 1.2 2.0 2.1 2.2 2.3', '1.2 2.0 2.1 3.0'],
    ...['0.1', '0.0 0.1 0.2 0.3', '0.2 1.1', '0.0 0.3 1.1 1.2 2.0 3.0'],
    ...['1.0', '1.0 1.1 2.0', '1.0 1.2 2.0 2.1 3.0'],
  ])(
    'make again what they lost where the slots of %s went back, and receivers find their place by the round',
    async (places) => {
      const { run, of } = await wentBack(...places.split(' '));
      await run.pass(5_000);
      await run.settled('v');
      expect(run.rows('v')).toMatchObject([{ n: 80, amount: 80 }]);
      run.append(of.orders, ...ordersFrom(80, 10));
      run.append(of.buyers, { buyer: 'u', city: 'elsewhere' });
      await run.settled('v');
      expect(run.parked('v')).toEqual([]);
      expect(run.rows('v')).toMatchObject([{ n: 90, amount: 90 }]);
      run.end();
    },
  );

  it('do so whether rows come from logs or from a view', async () => {
    const of = sources(4);
    const bought = view('bought', {
      from: of.orders.groupBy('buyer').aggregate({ n: count() }),
      partitions: 4,
      key: 'buyer',
    });
    const byNumber = bought.groupBy('n').aggregate({ buyers: count() });
    const all = view('v', {
      from: byNumber.groupBy().aggregate({ numbers: count(), buyers: sum('buyers') }),
      mayTear: true,
    });
    const run = new SimulatedRun([bought, all], { leaseMs: 1_000 });
    run.start();
    run.append(of.orders, ...ordersFrom(0, 3));
    await run.settled('v');
    const before = checkpoint(run.redis);
    run.append(of.orders, ...ordersFrom(3, 40));
    await run.settled('v');
    expect(run.generation('v').stages).toHaveLength(2);
    for (const place of ['1.1', '1.2', '1.3']) rollBackTask(run.redis, before, run.nameOf('v', place));
    await run.pass(5_000);
    run.append(of.orders, ...ordersFrom(43, 5));
    await run.settled('v');
    expect(run.parked('v')).toEqual([]);
    expect(run.rows('v')).toMatchObject([{ numbers: 1, buyers: 6 }]);
    run.end();
  });

  it('notice that the slots of 1.0 and of one of the first stage went back', async () => {
    const { run, of } = await wentBack('0.1', '1.0');
    run.append(of.orders, ...ordersFrom(80, 10));
    await run.pass(10_000);
    expect(run.parked('v').map(({ code }) => code)).toContain('exchange-lost');
    run.end();
  });
});
