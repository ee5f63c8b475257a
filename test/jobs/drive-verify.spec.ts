import { z } from 'zod';
import { count, declarationOf, stream, view } from '../../src/index.js';
import { driveVerify } from '../../src/jobs/drive-verify.js';
import { waitingVerifyNote } from '../../src/jobs/rebuild-queue.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';

const sales = stream('sales', { schema: z.object({ shop: z.string() }) });
const byShop = declarationOf(view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) }))!;

describeWithRedis('the driver of a verification', () => {
  let redis: RedisServer;
  let system: System;
  beforeEach(async () => {
    redis = await RedisServer.start();
    system = await System.start({ url: redis.url, declarations: [byShop] });
    for (const shop of ['a', 'b', 'c']) await redis.client().xadd('sales', '*', 'data', `{"shop":"${shop}"}`);
    await system.caughtUp('by-shop');
  });
  afterEach(async () => {
    await system.stop();
    await redis.stop();
  });

  const options = {
    id: 'verify-1',
    view: 'by-shop',
    finished: async () => null,
    cancelled: async () => null,
    report: async () => {},
    signal: new AbortController().signal,
  };

  /** Told of a comparison before it is made, the first time. */
  const comparedFirst = (meanwhile: () => Promise<void>) => {
    let is = false;
    return async ({ state }: { state: string }): Promise<void> => {
      if (state !== 'comparing' || is) return;
      is = true;
      await meanwhile();
    };
  };

  /** The same job in other hands, to its end and until its replay is deleted. */
  const anotherDriver = async (): Promise<void> => {
    expect(await driveVerify(system.verifier, options)).toMatchObject({ state: 'equal' });
    await eventually(async () =>
      (await system.registry.refresh()).generations.every(({ state }) => state === 'serving'),
    );
  };

  test('begins anew where another one of the same job put its replay away before it was compared', async () => {
    const result = await driveVerify(system.verifier, { ...options, report: comparedFirst(anotherDriver) });
    expect(result).toMatchObject({ state: 'equal', live: { rows: 3 }, replayed: { rows: 3 } });
  });

  test('gives the result of the other one where the job has it by then', async () => {
    let result: typeof waitingVerifyNote | null = null;
    const other = { ...waitingVerifyNote, state: 'equal' as const, frontier: 'of the other one' };
    expect(
      await driveVerify(system.verifier, {
        ...options,
        finished: async () => result,
        report: comparedFirst(async () => {
          await anotherDriver();
          result = other;
        }),
      }),
    ).toEqual(other);
  });

  test('begins anew where the live view was let go and went on before it was compared', async () => {
    const result = await driveVerify(system.verifier, {
      ...options,
      report: comparedFirst(async () => {
        await system.registry.change(({ generations }) => ({
          puts: generations
            .filter(({ state }) => state === 'serving')
            .map((generation) => ({ ...generation, stopAt: null })),
        }));
        await redis.client().xadd('sales', '*', 'data', '{"shop":"d"}');
        await eventually(async () => (await system.rows('by-shop')).size === 4);
      }),
    });
    expect(result).toMatchObject({ state: 'equal', live: { rows: 4 }, replayed: { rows: 4 } });
  });

  test('comes to no verdict where that happens each time', async () => {
    const result = await driveVerify(system.verifier, {
      ...options,
      report: async ({ state }) => {
        if (state !== 'comparing') return;
        const { generations } = await system.registry.refresh();
        await system.verifier.letGo(generations.find((of) => of.state === 'shadow')!.rebuild!, 'by-shop');
        await eventually(async () =>
          (await system.registry.refresh()).generations.every((of) => of.state === 'serving'),
        );
      },
    });
    expect(result).toMatchObject({
      state: 'cancelled',
      reason: expect.stringContaining('3 times its replay was put away'),
      differences: [],
    });
  });
});
