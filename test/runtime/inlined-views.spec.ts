import { z } from 'zod';
import { computed, count, max, stream, sum, table, view } from '../../src/index.js';
import { isBetween } from '../../src/runtime/followed.js';
import { lastStage } from '../../src/runtime/generation-tasks.js';
import type { CommitRequest } from '../../src/runtime/ports/task-store.js';
import { Random } from '../../src/testing/random.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import { rowsBehind, SimulatedRun } from '../support/simulated-run.js';
import { accounts } from '../../src/testing/simulation/transfers-subject.js';

const BUYERS = ['ann', 'bob', 'cid', 'dea', 'eve', 'fay'];

function views(partitions: number) {
  const orders = stream('orders', {
    schema: z.object({ id: z.int(), buyer: z.string() }),
    partitions,
    partitionBy: 'id',
  });
  const buyers = table('buyers', {
    schema: z.object({ buyer: z.string(), city: z.string() }),
    key: 'buyer',
    partitions,
  });
  const perBuyer = view('per-buyer', { from: orders.groupBy('buyer').aggregate({ n: count() }) });
  const all = computed(z.string(), () => 'all');
  const total = view('total', { from: orders.select({ all }).groupBy('all').aggregate({ of: count() }) });
  const shares = view('shares', {
    from: perBuyer
      .select({ all, n: 'n' })
      .groupBy('all')
      .aggregate({ n: sum('n'), buyers: count() })
      .join({ total }, { on: { all: 'all' } })
      .select({ all: 'all', n: 'n', of: 'total.of' }),
  });
  const known = view('known', { from: orders.semiJoin(buyers, { on: { buyer: 'buyer' } }), key: 'id' });
  const perCity = view('per-city', {
    from: known
      .join({ who: buyers }, { on: { buyer: 'buyer' } })
      .groupBy('who.city')
      .aggregate({ n: count() }),
  });
  return { orders, buyers, perBuyer, total, shares, known, perCity };
}

/** Views that meet orders in several partitions behind views whose rows are moved, and kept in one. */
function keptInOne(partitions: number) {
  const orders = stream('orders', {
    schema: z.object({ id: z.int(), buyer: z.string() }),
    partitions,
    partitionBy: 'id',
  });
  const kept = { partitions: 1 };
  const perBuyer = view('per-buyer', { from: orders.groupBy('buyer').aggregate({ n: count() }), ...kept });
  const perTail = view('per-tail', {
    from: orders
      .select({ buyer: 'buyer', tail: computed(z.int(), ({ id }) => id % 7) })
      .groupBy('tail')
      .aggregate({ buyer: max('buyer') }),
    ...kept,
  });
  const total = view('total', {
    from: orders
      .select({ all: computed(z.string(), () => 'all') })
      .groupBy('all')
      .aggregate({ of: count() }),
  });
  const counted = view('counted', {
    from: perBuyer
      .flatMap(z.object({ all: z.string(), n: z.int() }), ({ n }) => [{ all: 'all', n }])
      .groupBy('all')
      .aggregate({ n: sum('n') })
      .join({ total }, { on: { all: 'all' } })
      .select({ all: 'all', n: 'n', of: 'total.of' }),
    partitions,
  });
  const paired = view('paired', {
    from: perTail.join({ perBuyer }, { on: { buyer: 'buyer' } }),
    partitions,
  });
  return { orders, counted, paired };
}

/** The rows that a view stores, whenever they are of one moment. */
function rowsSeen<Row>(run: SimulatedRun, view: string): Row[] {
  const seen: Row[] = [];
  run.onCommit = ({ task, record, keyed }: CommitRequest) => {
    if (task.view !== view || task.stage !== lastStage(run.generation(view)) || isBetween(record)) return;
    for (const { state, writes } of keyed)
      if (state === 'rows')
        for (const [, text] of writes) if (text) seen.push(JSON.parse(text.split('\n')[0]!) as Row);
  };
  return seen;
}

/** Two processes, one of which now and then stands still, while something is appended 150 times. */
async function limping(run: SimulatedRun, append: (id: number) => void): Promise<void> {
  run.start();
  run.start();
  const random = new Random(1);
  for (let id = 0; id < 150; id++) {
    append(id);
    const { process } = run.workers[id % 2]!;
    if (random.chance(0.2)) process.pause();
    if (random.chance(0.5)) await run.pass(random.below(40));
    process.resume();
  }
}

describe('a view that reaches one stream by two paths through other views', () => {
  it('never shows what belongs to no prefix of it', async () => {
    const { orders, shares, perBuyer, total } = views(4);
    expect(declarationErrors([shares.declaration])).toEqual([]);
    const run = new SimulatedRun([perBuyer, total, shares]);
    const seen = rowsSeen<{ n: number; of: number }>(run, 'shares');
    const random = new Random(1);
    await limping(run, (id) => run.append(orders, { id, buyer: random.of(BUYERS) }));
    await run.settled('shares');
    expect(run.rows('shares')).toEqual([{ all: 'all', n: 150, of: 150 }]);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.filter(({ n, of }) => n !== of)).toEqual([]);
    run.end();
  });

  it.each(['shares', 'perCity'] as const)('has the rows of one partition in several: %s', async (name) => {
    const rowsIn = async (partitions: number, seed: number): Promise<string[]> => {
      const of = views(partitions);
      return rowsBehind(of[name], { commitWritesMax: 4, readEntriesMax: 3 }, async (run) => {
        run.start();
        const random = new Random(seed);
        for (let id = 0; id < 60; id++) {
          run.append(of.orders, { id, buyer: random.of(BUYERS) });
          if (random.chance(0.2))
            run.append(of.buyers, { buyer: random.of(BUYERS), city: random.of(['here', 'there']) });
          if (random.chance(0.3)) await run.pass(random.below(300));
        }
      });
    };
    for (const seed of [1, 2, 3]) {
      const alone = await rowsIn(1, seed);
      expect(alone.length).toBeGreaterThan(0);
      expect(await rowsIn(4, seed)).toEqual(alone);
    }
  });

  it.each(['counted', 'paired'] as const)(
    'finds the rows of a view of one partition together, to how many it moves its own: %s',
    async (name) => {
      const rowsIn = (partitions: number): Promise<string[]> => {
        const of = keptInOne(partitions);
        return rowsBehind(of[name], {}, async (run) => {
          run.start();
          for (let id = 0; id < 40; id++) run.append(of.orders, { id, buyer: BUYERS[id % 6]! });
        });
      };
      const alone = await rowsIn(1);
      expect(alone.length).toBeGreaterThan(0);
      expect(await rowsIn(3)).toEqual(alone);
    },
  );
});

/** What accounts have, where what one gives another gets; and what all of them have together. */
function readers(partitions: number, options: { readonly mayTear?: true } = {}) {
  const { transfers, balances } = accounts({ partitions });
  const total = view('total', {
    from: balances.groupBy().aggregate({ accounts: count(), total: sum('amount') }),
    ...options,
  });
  const owners = table('owners', {
    schema: z.object({ owner: z.string(), account: z.string() }),
    key: 'owner',
    partitions,
  });
  /** Balances lie by account already, and owners are moved to them. */
  const owned = view('owned', {
    from: owners
      .join({ has: balances }, { on: { account: 'account' } })
      .select({ owner: 'owner', account: 'account', amount: 'has.amount' }),
    key: ['owner', 'account'],
  });
  return { transfers, owners, balances, total, owned };
}

describe('a view over a view of several partitions', () => {
  const totalsSeen = async (options: { readonly mayTear?: true }): Promise<number[]> => {
    const { transfers, balances, total } = readers(3, options);
    const run = new SimulatedRun([balances, total]);
    const seen = rowsSeen<{ total: number }>(run, 'total');
    const random = new Random(2);
    await limping(run, () => {
      const [from, to] = [random.of(BUYERS), random.of(BUYERS)];
      run.append(transfers, { from, to, amount: random.below(100) });
    });
    await run.settled('total');
    expect(run.rows('total')).toEqual([{ accounts: 6, total: 0 }]);
    expect(seen.length).toBeGreaterThan(10);
    run.end();
    return seen.map((row) => row.total);
  };

  it('never shows what one event changed in one of them without what it changed in another', async () => {
    expect((await totalsSeen({})).filter((total) => total !== 0)).toEqual([]);
  });

  it('shows that for a moment, and no longer, if it says that it may', async () => {
    expect((await totalsSeen({ mayTear: true })).filter((total) => total !== 0)).not.toEqual([]);
  });

  it.each(['total', 'owned'] as const)('has the rows of one partition: %s', async (name) => {
    const rowsIn = async (partitions: number, seed: number): Promise<string[]> => {
      const of = readers(partitions);
      return rowsBehind(of[name], { commitWritesMax: 4, readEntriesMax: 3 }, async (run) => {
        // What is made in a view is not read.
        run.start([of.balances, of[name]]);
        const random = new Random(seed);
        for (let id = 0; id < 60; id++) {
          const [from, to] = [random.of(BUYERS), random.of(BUYERS)];
          run.append(of.transfers, { from, to, amount: random.below(100) });
          if (random.chance(0.2))
            run.append(of.owners, { owner: random.of(['me', 'you']), account: random.of(BUYERS) });
          if (random.chance(0.3)) await run.pass(random.below(300));
        }
      });
    };
    for (const seed of [1, 2]) {
      const alone = await rowsIn(1, seed);
      expect(alone.length).toBeGreaterThan(0);
      expect(await rowsIn(3, seed)).toEqual(alone);
    }
  });
});
