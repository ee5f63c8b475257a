import { z } from 'zod';
import { count, stream, view } from '../../src/index.js';
import { checkpoint, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', { schema: z.object({ shop: z.string() }) });
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
const shop = (name: string): object => ({ shop: name });

describe('an owner that was away while another had its task', () => {
  it('does not count on what it reads of the other, also where that is lost again before it commits', async () => {
    const run = new SimulatedRun([byShop], { leaseMs: 1_000 });
    const before = run.start();
    run.append(sales, shop('a'));
    await run.settled('by-shop');
    // Who takes over knows of no state but what it reads.
    before.process.kill();
    const first = run.start();
    await run.pass(3_000);
    const early = checkpoint(run.redis);
    const [name] = run.redis.tasks.keys();

    // It is about to read the state of "b" when it stands still; another takes over, and counts.
    let come: () => void = () => {};
    const { tasks } = first;
    const fetch = tasks.fetch.bind(tasks);
    tasks.fetch = async (...asked) => {
      tasks.fetch = fetch;
      first.process.pause();
      await new Promise<void>((resolve) => (come = resolve));
      const found = await fetch(...asked);
      // And all of that is lost.
      rollBackTask(run.redis, early, name!);
      return found;
    };
    run.append(sales, shop('b'));
    await run.pass(2_000);
    const second = run.start();
    await run.settled('by-shop');
    expect(run.rows('by-shop')).toContainEqual({ shop: 'b', sales: 1 });
    second.process.kill();
    first.process.resume();
    come();
    await run.settled('by-shop');
    expect(run.rows('by-shop')).toEqual([
      { shop: 'a', sales: 1 },
      { shop: 'b', sales: 1 },
    ]);
    run.end();
  });
});
