import { z } from 'zod';
import { count, stream, view } from '../../src/index.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import { checkpoint, rollBackRegistry } from '../../src/testing/simulation/rollback.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', { schema: z.object({ shop: z.string() }) });
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });

describe('a worker that is paused while it deletes a cancelled generation, which another then deletes', () => {
  let run: SimulatedRun;
  beforeEach(() => {
    run = new SimulatedRun([byShop], { leaseMs: 1_000, registryRefreshMs: 100 });
  });
  afterEach(() => run.end());

  const done = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    void promise.finally(() => (settled = true)).catch(() => {});
    for (let waited = 0; waited < 400 && !settled; waited++) await run.pass(50);
    return promise;
  };
  const generations = (): string[] =>
    [...run.redis.registry.generations.values()].map(({ number, state }) => `${number} ${state}`);
  const numbered = (number: number): Generation | undefined =>
    [...run.redis.registry.generations.values()].find((generation) => generation.number === number);

  /** It stands still once it has claimed the task of #2, and wakes when the view was rebuilt again. */
  const wakesAfterRebuild = async (meanwhile: () => void): Promise<void> => {
    const pausing = run.start();
    await run.pass(2_000);
    const other = run.start();
    run.append(sales, ...Array.from({ length: 30 }, (_, index) => ({ shop: `shop ${index % 5}` })));
    await run.settled('by-shop');
    const { rebuilder } = other.parts;
    const before = checkpoint(run.redis);
    await done(rebuilder.begin('first', ['by-shop'], 'building', false));
    const task = run.redis.task.bind(run.redis);
    let isToPause = true;
    run.redis.task = (id) => {
      if (isToPause && id.generation === 2 && numbered(2)?.state === 'dropping') {
        isToPause = false;
        run.time.after(0, () => pausing.process.pause());
      }
      return task(id);
    };
    await done(rebuilder.cancel('first'));
    await run.pass(5_000);
    expect([pausing.process.paused, generations()]).toEqual([true, ['1 serving']]);
    rollBack = () => rollBackRegistry(run.redis, before);
    meanwhile();
    await run.pass(1_000);
    await done(rebuilder.begin('second', ['by-shop'], 'building', false));
    const promoted = async (): Promise<void> => {
      while ((await rebuilder.advance('second')).state !== 'promoted') await other.process.clock.sleep(100);
    };
    await done(promoted());
    await run.pass(1_000);
    pausing.process.resume();
    await run.pass(20_000);
  };
  let rollBack = (): void => {};

  const isMaintained = async (): Promise<void> => {
    run.append(sales, { shop: 'shop 0' });
    await run.settled('by-shop');
    expect(run.rows('by-shop')).toContainEqual({ shop: 'shop 0', sales: 7 });
    expect(run.rows('by-shop')).toHaveLength(5);
  };

  it('deletes nothing of the next one, which has a number of its own', async () => {
    await wakesAfterRebuild(() => {});
    expect(generations()).toEqual(['1 kept', '3 serving']);
    expect([...run.redis.tasks.keys()].filter((name) => name.includes('#2'))).toEqual([]);
    await isMaintained();
  });

  it('deletes nothing of the next one where the registry went back meanwhile and gave the number again', async () => {
    await wakesAfterRebuild(() => rollBack());
    expect(generations()).toEqual(['1 kept', '2 serving']);
    await isMaintained();
  });
});
