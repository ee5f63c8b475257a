import { z } from 'zod';
import { count, stream, sum, view } from '../../src/index.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), amount: z.number() }),
  partitions: 3,
  partitionBy: 'shop',
});
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
/** Its rows move twice. */
const bySales = view('by-sales', {
  from: byShop
    .groupBy('sales')
    .aggregate({ shops: count() })
    .groupBy('shops')
    .aggregate({ times: count(), shopsOfAll: sum('shops') }),
});

describe('a rebuild of a view over a view', () => {
  it('ends also where there is nothing in a partition of what it reads', async () => {
    const run = new SimulatedRun([byShop, bySales]);
    const worker = run.start();
    // All of them lie in one partition.
    run.append(sales, ...new Array(5).fill({ shop: 'a', amount: 1 }));
    await run.settled('by-sales');
    const { rebuilder } = worker.parts;
    let state = '';
    void (async () => {
      await rebuilder.begin('again', rebuilder.affected(['by-sales']), 'building', false);
      while ((state = (await rebuilder.advance('again')).state) !== 'promoted')
        await worker.process.clock.sleep(200);
    })();
    await run.pass(10_000);
    expect(state).toBe('promoted');
    expect(run.rows('by-sales')).toEqual([{ shops: 1, times: 1, shopsOfAll: 1 }]);
    run.end();
  });
});
