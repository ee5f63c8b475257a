import { z } from 'zod';
import {
  collect,
  count,
  countDistinct,
  instant,
  max,
  rowNumber,
  session,
  stream,
  sum,
  table,
  tumbling,
  view,
} from '../../src/index.js';
import { Random } from '../../src/testing/random.js';
import { stageOf } from '../../src/view/exchange.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import { cuttingLimits, rowsBehind, type SimulatedRun } from '../support/simulated-run.js';

/** The same sources in as many partitions, placed by what the plans below do not want. */
function sources(partitions: number) {
  const sales = stream('sales', {
    schema: z.object({ id: z.int(), at: instant(), shop: z.string(), buyer: z.string(), amount: z.int() }),
    partitions,
    partitionBy: 'shop',
    eventTime: 'at',
  });
  const returns = stream('returns', {
    schema: z.object({ shop: z.string(), buyer: z.string().nullable() }),
    partitions: partitions === 1 ? 1 : 2,
    partitionBy: 'shop',
  });
  const buyers = table('buyers', {
    schema: z.object({ name: z.string(), city: z.string(), age: z.int() }),
    key: 'name',
    partitions: partitions === 1 ? 1 : 2,
  });
  return { sales, returns, buyers };
}
type Sources = ReturnType<typeof sources>;

const plans: Record<string, (of: Sources) => object> = {
  'grouped by another column': ({ sales }) => ({
    from: sales
      .groupBy('buyer')
      .aggregate({ n: count(), spent: sum('amount'), most: max('amount'), shops: countDistinct('shop') }),
  }),
  'grouped by nothing': ({ sales }) => ({
    from: sales.groupBy().aggregate({ n: count(), all: collect('amount', { by: 'amount' }) }),
  }),
  'in windows': ({ sales }) => ({
    from: sales.window(tumbling('1m')).groupBy('buyer').aggregate({ n: count() }),
  }),
  'in sessions': ({ sales }) => ({
    from: sales.window(session('20s')).groupBy('buyer').aggregate({ n: count() }),
  }),
  'each once': ({ sales }) => ({
    from: sales.select({ buyer: 'buyer', amount: 'amount' }).distinct(),
    key: ['buyer', 'amount'],
  }),
  'the first of each': ({ sales }) => ({
    from: sales.top(3, { per: 'buyer', order: ['amount.desc', 'id'], rank: 'place' }),
    key: ['buyer', 'place'],
  }),
  'the first of all': ({ sales }) => ({ from: sales.top(5, { order: ['amount.desc', 'id'] }), key: 'id' }),
  'with their place': ({ sales }) => ({
    from: sales.over({ per: 'buyer', order: ['amount', 'id'] }, { place: rowNumber() }),
    key: ['id', 'buyer'],
  }),
  'with what they name': ({ sales, buyers }) => ({
    from: sales.join({ who: buyers }, { on: { buyer: 'name' } }),
    key: ['id', 'buyer'],
  }),
  'with what they name or nothing': ({ sales, buyers }) => ({
    from: sales
      .groupBy('buyer')
      .aggregate({ n: count() })
      .leftJoin({ who: buyers }, { on: { buyer: 'name' } }),
  }),
  'with all that there is': ({ sales, buyers }) => ({
    from: buyers
      .rightJoin({ sold: sales.groupBy('buyer').aggregate({ n: count() }) }, { on: { name: 'buyer' } })
      .select({
        buyer: 'sold.buyer',
        n: 'sold.n',
        city: 'city',
      }),
    key: 'buyer',
  }),
  'that match': ({ sales, buyers }) => ({
    from: sales.semiJoin(buyers, { on: { buyer: 'name' } }),
    key: ['id', 'buyer'],
  }),
  'that match nothing': ({ sales, buyers }) => ({
    from: sales.antiJoin(buyers, { on: { buyer: 'name' } }),
    key: ['id', 'buyer'],
  }),
  'without others': ({ sales, buyers }) => ({
    from: sales.select({ name: 'buyer' }).except(buyers.select({ name: 'name' })),
    key: 'name',
  }),
  'that others are as well': ({ sales, buyers }) => ({
    from: sales.select({ name: 'buyer' }).intersect(buyers.select({ name: 'name' })),
    key: 'name',
  }),
  'united and grouped': ({ sales, returns }) => ({
    from: sales
      .select({ shop: 'shop', buyer: 'buyer' })
      .union(returns.where(({ buyer }) => buyer !== null).select({ shop: 'shop', buyer: 'buyer' }) as never)
      .groupBy('buyer')
      .aggregate({ n: count() }),
  }),
  'grouped by what may be null': ({ returns }) => ({
    from: returns.groupBy('buyer').aggregate({ n: count() }),
  }),
  'kept by another column': ({ buyers }) => ({
    from: buyers.groupBy('city').aggregate({ n: count(), oldest: max('age') }),
  }),
  'in more partitions': ({ buyers }) => ({ from: buyers, partitions: 3 }),
};

const SHOPS = ['a', 'b', 'c', 'd', 'e'];
const NAMES = ['w', 'x', 'y', 'z', '', 'ü'];

/** What is appended, the same whatever the partitions: by source, in the order of each key. */
async function play(run: SimulatedRun, { sales, returns, buyers }: Sources, seed: number): Promise<void> {
  const random = new Random(seed);
  for (let step = 0, id = 0; step < 40; step++) {
    const at = new Date(Date.UTC(2029, 0, 1) + random.below(600) * 1_000).toISOString();
    const [shop, name] = [random.of(SHOPS), random.of(NAMES)];
    const roll = random.below(10);
    if (roll < 6)
      for (let more = random.below(4); more >= 0; more--)
        run.append(sales, { id: id++, at, shop, buyer: random.of(NAMES), amount: random.below(12) });
    else if (roll < 8) run.append(returns, { shop, buyer: random.chance(0.3) ? null : name });
    else run.append(buyers, { name, city: random.of(['here', 'there']), age: random.below(50) });
    if (random.chance(0.3)) await run.pass(random.below(300));
  }
}

async function rowsOf(plan: (of: Sources) => object, partitions: number, seed: number): Promise<string[]> {
  const of = sources(partitions);
  const shown = view('v', plan(of) as never);
  expect(declarationErrors([shown.declaration])).toEqual([]);
  expect(stageOf(shown.declaration.plan)).toBe(
    partitions === 1 && shown.declaration.partitions === 1 ? 0 : 1,
  );
  return rowsBehind(shown, cuttingLimits(new Random(seed)), (run) => play(run, of, seed));
}

describe('rows that move between partitions are those of one partition', () => {
  it.each(Object.entries(plans))('%s', async (_, plan) => {
    for (const seed of [1, 2, 3]) {
      const alone = await rowsOf(plan, 1, seed);
      expect(alone.length).toBeGreaterThan(0);
      expect(await rowsOf(plan, 3, seed)).toEqual(alone);
    }
  });
});
