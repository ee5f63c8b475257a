import { z } from 'zod';
import { count, stream, view } from '../../src/index.js';
import { NOTHING, rollBackRegistry } from '../../src/testing/simulation/rollback.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', { schema: z.object({ shop: z.string() }) });
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
const bySales = view('by-sales', { from: byShop.groupBy('sales').aggregate({ shops: count() }) });

describe('a rebuild where the registry has lost what the view reads', () => {
  it('is not begun, for it would read nothing; and is once that is there again', async () => {
    const run = new SimulatedRun([byShop, bySales]);
    const { parts } = run.start();
    run.append(sales, { shop: 'a' }, { shop: 'b' });
    await run.settled('by-sales');
    rollBackRegistry(run.redis, NOTHING);
    let refused = '';
    const begin = (): void =>
      void parts.rebuilder
        .begin('again', ['by-sales'], 'building', false)
        .catch((thrown: { code: string }) => (refused = thrown.code));
    begin();
    await run.pass(10);
    expect(refused).toBe('not-serving');
    expect(run.redis.registry.generations.size).toBe(0);
    run.start();
    await run.pass(2_000);
    begin();
    await run.pass(1_000);
    expect(parts.rebuilder.generationsOf('again').map(({ upstreams }) => upstreams)).toEqual([
      { 'by-shop': 1 },
    ]);
    run.end();
  });
});
