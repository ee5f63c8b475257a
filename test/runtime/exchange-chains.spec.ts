import { z } from 'zod';
import { computed, count, instant, max, stream, sum, table, tumbling, view } from '../../src/index.js';
import type { CommitRequest } from '../../src/runtime/ports/task-store.js';
import { isBetween } from '../../src/runtime/followed.js';
import { lastStage } from '../../src/runtime/generation-tasks.js';
import { Random } from '../../src/testing/random.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import { stagesOf } from '../../src/view/stages.js';
import { SimulatedRun } from '../support/simulated-run.js';

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

const sorted = (rows: readonly object[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

describe('rows that move more than once', () => {
  async function rowsOf(plan: (typeof plans)[string], partitions: number, seed: number): Promise<string[]> {
    const of = sources(partitions);
    const shown = view('v', plan.of(of) as never);
    expect(declarationErrors([shown.declaration])).toEqual([]);
    if (partitions > 1) expect(stagesOf(shown.declaration)).toBe(plan.stages);
    const random = new Random(seed);
    const run = new SimulatedRun([shown], {
      readEntriesMax: random.of([2, 8_000]),
      commitWritesMax: random.of([4, 4_000]),
      cacheEntriesMax: random.of([1, 10_000]),
      exchangeEntriesMax: random.of([3, 1_000]),
      readerReportMs: random.of([50, 1_000]),
      exchangeKeptMs: random.of([100, 10_000]),
    });
    run.start();
    await play(run, of, seed);
    await run.settled('v');
    expect(run.parked('v')).toEqual([]);
    run.end();
    return sorted(run.rows('v'));
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
