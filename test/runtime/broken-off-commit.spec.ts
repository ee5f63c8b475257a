import { z } from 'zod';
import { count, stream, view } from '../../src/index.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', { schema: z.object({ shop: z.string() }) });
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });

describe('a commit that broke off half way', () => {
  it.each(['hears of it', 'dies before it hears of it'])(
    'is the last of its task, also where who sent it %s; a rebuild is right',
    async (which) => {
      const run = new SimulatedRun([byShop], { leaseMs: 1_000 });
      const first = run.start();
      run.append(sales, { shop: 'a' }, { shop: 'b' });
      await run.settled('by-shop');
      run.redis.breaksOff = () => {
        run.redis.breaksOff = () => null;
        if (which !== 'hears of it') first.process.kill();
        return 1;
      };
      run.append(sales, { shop: 'a' }, { shop: 'b' });
      await run.pass(500);
      const { parts, process } = run.start();
      await run.pass(5_000);
      expect(run.parked('by-shop').map(({ code }) => code)).toEqual(['commit-failed']);
      // One row is of the commit that broke off, the other is not; nobody counts on from them.
      expect(run.rows('by-shop')).toEqual([
        { shop: 'a', sales: 2 },
        { shop: 'b', sales: 1 },
      ]);
      let state = '';
      void (async () => {
        await parts.rebuilder.begin('again', ['by-shop'], 'building', false);
        while ((state = (await parts.rebuilder.advance('again')).state) !== 'promoted')
          await process.clock.sleep(200);
      })();
      await run.pass(5_000);
      expect(state).toBe('promoted');
      expect(run.rows('by-shop').map(({ sales }) => sales)).toEqual([2, 2]);
      run.end();
    },
  );
});
