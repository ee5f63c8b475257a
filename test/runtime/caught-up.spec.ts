import { z } from 'zod';
import { count, stream, view } from '../../src/index.js';
import { hasCaughtUp } from '../../src/runtime/caught-up.js';
import { type Progress, progressOf } from '../../src/runtime/progress.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string() }),
  partitions: 2,
  partitionBy: 'shop',
});
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });

describe('a generation in the place of one that contains nothing of its logs', () => {
  it('has not passed it before it has begun with each log that holds anything', async () => {
    const run = new SimulatedRun([byShop]);
    const worker = run.start();
    run.append(sales, { shop: 'a' });
    await run.settled('by-shop');
    const { registry } = worker.parts;
    const serving = run.generation('by-shop');
    const { tasks, log } = run.ports;
    /** One of which there is nothing yet. */
    const begun = { ...serving, number: serving.number + 1 };
    const whole: Progress = { ...(await progressOf(serving, tasks, log)), atEnd: false };
    const nothing: Progress = { ...(await progressOf(begun, tasks, log)), atEnd: false };
    const caughtUp = (built: Progress, served: Progress): Promise<boolean> =>
      hasCaughtUp(begun, built, { serving: served, isOfThisLog: true }, { registry, tasks });
    expect([whole.hasBegun, nothing.hasBegun]).toEqual([true, false]);
    expect(await caughtUp(nothing, nothing)).toBe(false);
    expect(await caughtUp(whole, nothing)).toBe(true);
    expect(await caughtUp(whole, whole)).toBe(true);
    run.end();
  });
});
