import { z } from 'zod';
import { count, stream, sum, view } from '../../src/index.js';
import { checkpoint, rollBackRegistry } from '../../src/testing/simulation/rollback.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', { schema: z.object({ shop: z.string(), amount: z.number() }) });
const counted = view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
const added = view('by-shop', { from: sales.groupBy('shop').aggregate({ amount: sum('amount') }) });

let run: SimulatedRun;
beforeEach(() => {
  run = new SimulatedRun([counted], { leaseMs: 1_000 });
});
afterEach(() => run.end());

/** A generation that the registry does not know any more, with its tasks. */
async function lost(): Promise<void> {
  const before = checkpoint(run.redis);
  run.start();
  run.append(sales, { shop: 'a', amount: 3 });
  await run.settled('by-shop');
  run.workers[0]!.process.kill();
  await run.pass(5_000);
  rollBackRegistry(run.redis, before);
}

describe('a generation whose number was given before, to one that the registry has lost', () => {
  it('is not made of the state of another definition: it parks, and says how to go on', async () => {
    await lost();
    run.start([added]);
    await run.pass(5_000);
    const [reason, ...others] = run.parked('by-shop');
    expect(others).toEqual([]);
    expect(reason!.code).toBe('other-definition');
    expect(reason!.message).toContain('stillwater rebuild by-shop');
    expect(run.task('by-shop', '0.0').record!.tick).toBe(1);
  });

  it('takes another number when it is rebuilt, and is right', async () => {
    await lost();
    const { parts } = run.start([added]);
    await run.pass(5_000);
    void parts.rebuilder.begin('again', ['by-shop'], 'building', false);
    await run.pass(3_000);
    void parts.rebuilder.advance('again');
    await run.pass(3_000);
    expect(run.generation('by-shop').number).toBe(2);
    expect(run.rows('by-shop')).toEqual([{ shop: 'a', amount: 3 }]);
    expect(run.parked('by-shop')).toEqual([]);
  });

  it('goes on from what there is where it is of the same definition', async () => {
    await lost();
    run.start();
    run.append(sales, { shop: 'a', amount: 4 });
    await run.settled('by-shop');
    expect(run.generation('by-shop').number).toBe(1);
    expect(run.rows('by-shop')).toEqual([{ shop: 'a', sales: 2 }]);
  });

  it('ends the tasks of the one that was lost, also in a process that has both definitions', async () => {
    const before = checkpoint(run.redis);
    const worker = run.start();
    run.append(sales, { shop: 'a', amount: 3 });
    await run.settled('by-shop');
    rollBackRegistry(run.redis, before);
    const { code, registry } = worker.parts;
    run.start([added]);
    code.add(new SimulatedRun([added]).views);
    await run.pass(5_000);
    run.append(sales, { shop: 'a', amount: 4 });
    await run.pass(5_000);
    expect(registry.serving('by-shop')!.fingerprint).not.toBe(run.views[0]!.fingerprint);
    expect(run.parked('by-shop').map(({ code }) => code)).toEqual(['other-definition']);
    expect(run.rows('by-shop')).toEqual([{ shop: 'a', sales: 1 }]);
  });
});
