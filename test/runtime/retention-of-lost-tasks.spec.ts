import { z } from 'zod';
import { count, stream, sum, view } from '../../src/index.js';
import { partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import { checkpoint, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { declarationOf } from '../../src/view/declaration-of.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.int() }),
  partitions: 2,
  partitionBy: 'shop',
  retain: { entries: 5 },
});
const aggregates = { sales: count(), amount: sum('amount') };
/** Rows stay where they are. */
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate(aggregates) });
/** Rows move: those that read the log are not those that show what becomes of it. */
const byBuyer = view('by-buyer', { from: sales.groupBy('buyer').aggregate(aggregates) });

const place = partitionOf(declarationOf(sales) as RecordSource)!;
const shops = [0, 1].map((partition) =>
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].find((shop) => place({ shop }) === partition)!,
);
/** As many sales in each shop, so in each partition of the log. */
const some = (each: number) =>
  Array.from({ length: 2 * each }, (_, at) => ({ shop: shops[at % 2]!, buyer: `b${at % 3}`, amount: at }));

describe.each([byShop, byBuyer])(
  'a task that reads a log and has lost all that it kept, of $declaration.name',
  (shown) => {
    const { name } = shown.declaration;
    const key = name === 'by-shop' ? 'shop' : 'buyer';
    let run: SimulatedRun;
    beforeEach(() => {
      run = new SimulatedRun([shown], { leaseMs: 1_000, regainMs: 5_000 });
    });
    afterEach(() => run.end());

    const held = (): number[] => [0, 1].map((at) => run.redis.stream(`sales:${at}`).entries.length);
    const lose = (): void =>
      rollBackTask(run.redis, checkpoint(new SimulatedRun([]).redis), run.nameOf(name, '0.0'));
    const trim = async (): Promise<void> => {
      let isDone = false;
      void run.workers[0]!.parts.retention.trim().then(() => (isDone = true));
      await run.pass(100);
      expect(isDone).toBe(true);
    };
    const expected = (rows: ReturnType<typeof some>): unknown[] => {
      const groups = new Map<string, { sales: number; amount: number }>();
      for (const row of rows) {
        const group = groups.get(row[key]) ?? { sales: 0, amount: 0 };
        groups.set(row[key], { sales: group.sales + 1, amount: group.amount + row.amount });
      }
      return [...groups].map(([group, totals]) => ({ [key]: group, ...totals }));
    };

    it('holds back the log that it is to read again, and no other; then it is right', async () => {
      run.start();
      run.append(sales, ...some(20));
      await run.settled(name);
      lose();
      await trim();
      expect(held()).toEqual([20, 5]);
      run.append(sales, ...some(20));
      await run.pass(10_000);
      await run.settled(name);
      await trim();
      expect(held()).toEqual([5, 5]);
      expect(run.rows(name)).toHaveLength(key === 'shop' ? 2 : 3);
      expect(run.rows(name)).toEqual(expect.arrayContaining(expected([...some(20), ...some(20)])));
    });
  },
);
