import { z } from 'zod';
import { computed, count, sum, view } from '../../src/index.js';
import { Random } from '../../src/testing/random.js';
import { movingView, type RandomSources } from '../../src/testing/simulation/random-plan.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { cuttingLimits, rowsBehind, SimulatedRun } from '../support/simulated-run.js';

/**
 * Random plans over sources of several partitions, whose rows have to move, show the rows of the same plans over one
 * partition, however their logs are read.
 *
 *   EXCHANGE_PLANS=500 EXCHANGE_SEED=7 npm run jest -- test/runtime/exchange-random
 */
const PLANS = Number(process.env.EXCHANGE_PLANS ?? 30);
const SEED = Number(process.env.EXCHANGE_SEED ?? 41_000);

const SHOPS = ['a', 'b', 'c', 'd', 'e'];
const BUYERS = ['w', 'x', 'y', 'z', '', 'ü'];

async function play(
  run: SimulatedRun,
  { sales, returns, buyers }: RandomSources,
  seed: number,
): Promise<void> {
  const random = new Random(seed);
  for (let step = 0, id = 0; step < 25; step++) {
    const around = Date.UTC(2029, 0, 1) + random.below(600) * 1_000;
    // No two of a time: those of one stream follow one another as they were appended, and others as their texts do.
    const next = (): { id: number; at: string } => ({ id, at: new Date(around + id++).toISOString() });
    const [shop, buyer] = [random.of(SHOPS), random.of(BUYERS)];
    const roll = random.below(10);
    if (roll < 5)
      for (let more = random.below(3); more >= 0; more--)
        run.append(sales, { ...next(), shop, buyer: random.of(BUYERS), amount: random.below(12) });
    else if (roll < 7) run.append(returns, { ...next(), shop, buyer: random.chance(0.2) ? null : buyer });
    else run.append(buyers, { name: buyer, city: random.of(['here', 'there']), age: random.below(50) });
    if (random.chance(0.3)) await run.pass(random.below(300));
  }
}

const rowsOf = (
  shown: { declaration: ViewDeclaration },
  of: RandomSources,
  seed: number,
): Promise<string[]> => rowsBehind(shown, cuttingLimits(new Random(seed)), (run) => play(run, of, seed));

describe('a random plan shows over several partitions what it shows over one', () => {
  let told = 0;
  for (let first = 0; first < PLANS; first += 10)
    it(`for the plans ${first} to ${Math.min(first + 10, PLANS) - 1}`, async () => {
      for (let plan = first; plan < Math.min(first + 10, PLANS); plan++) {
        let next = SEED + 1_000 * plan;
        const { seed, one, many, alone, several } = movingView(() => next++, 1 + (plan % 2));
        try {
          const expected = await rowsOf(one, alone, seed);
          expect(await rowsOf(many, several, seed)).toEqual(expected);
          if (expected.length > 0) told++;
        } catch (failure) {
          throw new Error(`EXCHANGE_SEED=${seed} EXCHANGE_PLANS=1\n${(failure as Error).message}`, {
            cause: failure,
          });
        }
      }
    }, 120_000);

  it('and most of them have rows', () => {
    if (PLANS >= 30) expect(told).toBeGreaterThan(PLANS / 2);
  });
});

const all = computed(z.string(), (() => 'all') as never);

/** Views over the view of a random plan, whose columns are only known at run time: first that, last the one that is looked at. */
const OVER: Record<string, (made: any, of: RandomSources, partitions: readonly number[]) => any[]> = {
  'groups of its rows': (made, _, [few, many]) => {
    const again = (view as any)('again', { from: made, partitions: few });
    return [made, again, (view as any)('over', { from: copies(again, made), partitions: many })];
  },
  'groups of groups': (made, _, [few, many]) => {
    const groups = (view as any)('groups', { from: copies(made, made), partitions: few });
    const from = groups.groupBy('n').aggregate({ groups: count() });
    return [made, groups, (view as any)('over', { from, partitions: many })];
  },
  'what meets it behind the same stream': (made, { sales, returns }, [few, many]) => {
    const groups = (view as any)('groups', { from: copies(made, made), partitions: few });
    const counted = (rows: any): any => rows.select({ all }).groupBy('all').aggregate({ n: count() });
    const from = groups
      .flatMap(z.object({ all: z.string(), n: z.int() }), ({ n }: any) => [{ all: 'all', n }])
      .groupBy('all')
      .aggregate({ n: sum('n') })
      .leftJoin({ sales: counted(sales) }, { on: { all: 'all' } })
      .leftJoin({ returns: counted(returns) }, { on: { all: 'all' } });
    return [made, groups, (view as any)('over', { from, partitions: many })];
  },
};
const copies = (rows: any, { declaration }: any): any =>
  rows.groupBy(declaration.columns[0].name).aggregate({ n: sum('copies'), rows: count() });

describe('views over a random plan show over several partitions what they show over one', () => {
  it.each(Object.keys(OVER))(
    '%s',
    async (form) => {
      let told = 0;
      for (let plan = 0; plan < PLANS / 3; plan++) {
        let next = SEED + 1_000 * plan;
        const { seed, one, many, alone, several } = movingView(() => next++, 1 + (plan % 2));
        const rows = async (made: object, of: RandomSources, ...partitions: number[]): Promise<string[]> => {
          const run = new SimulatedRun(OVER[form]!(made, of, partitions), cuttingLimits(new Random(seed)));
          run.start();
          await play(run, of, seed);
          await run.settled('over');
          expect(run.parked('over')).toEqual([]);
          run.end();
          return run
            .rows('over')
            .map((row) => JSON.stringify(row))
            .sort();
        };
        const expected = await rows(one, alone, 1, 1);
        if (expected.length > 0) told++;
        const found = await rows(many, several, 1 + (plan % 3), 2 + (plan % 3));
        expect({ seed, rows: found }).toEqual({ seed, rows: expected });
      }
      expect(told).toBeGreaterThan(PLANS / 6);
    },
    120_000,
  );
});
