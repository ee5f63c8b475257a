import { z } from 'zod';
import { count, stream, view } from '../../src/index.js';
import { checkpoint, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', { schema: z.object({ shop: z.string(), buyer: z.string() }) });
const byBuyer = view('by-buyer', {
  from: sales.groupBy('buyer').aggregate({ sales: count() }),
  partitions: 2,
});

describe('a task that sends, taken again by a worker that had it before its slot went back', () => {
  it('keeps what its receivers have not read of what it sends now, whatever they had read then', async () => {
    const run = new SimulatedRun([byBuyer], { leaseMs: 5_000, readerReportMs: 2_000, exchangeKeptMs: 1_000 });
    const first = run.start();
    const sell = (times: number): void =>
      run.append(sales, ...Array.from({ length: times }, () => ({ shop: 'a', buyer: 'x' })));
    sell(1);
    await run.settled('by-buyer');
    const early = checkpoint(run.redis);
    // Another one takes all over, and the receivers come far.
    first.process.kill();
    run.start();
    for (let times = 0; times < 100; times++) {
      sell(1);
      await run.pass(100);
    }
    for (const name of run.redis.tasks.keys()) rollBackTask(run.redis, early, name);
    // Nobody receives while it is taken again, and sends.
    const reason = { code: 'held', message: 'by the test', at: 0 };
    for (const place of ['1.0', '1.1']) run.task('by-buyer', place).parked = reason;
    for (let times = 0; times < 10; times++) {
      sell(1);
      await run.pass(200);
    }
    for (const place of ['1.0', '1.1']) run.task('by-buyer', place).parked = null;
    await run.settled('by-buyer');
    expect(run.parked('by-buyer')).toEqual([]);
    expect(run.rows('by-buyer')).toEqual([{ buyer: 'x', sales: 111 }]);
    run.end();
  });
});
