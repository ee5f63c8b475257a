import { z } from 'zod';
import { count, declarationOf, stream, view } from '../../src/index.js';
import { driveRebuild } from '../../src/jobs/drive-rebuild.js';
import type { RebuildNote } from '../../src/jobs/rebuild-queue.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { System } from '../support/system.js';

const sales = stream('sales', { schema: z.object({ shop: z.string() }) });
const byShop = declarationOf(view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) }))!;

describeWithRedis('the driver of a rebuild', () => {
  let redis: RedisServer;
  let system: System;
  beforeEach(async () => {
    redis = await RedisServer.start();
    system = await System.start({ url: redis.url, declarations: [byShop] });
  });
  afterEach(async () => {
    await system.stop();
    await redis.stop();
  });

  test('notes all that was done before it promotes: somebody may ask right after', async () => {
    for (let index = 0; index < 20; index++) await redis.client().xadd('sales', '*', 'data', '{"shop":"a"}');
    await system.caughtUp('by-shop');
    const notes: [note: RebuildNote, served: number][] = [];
    const outcome = await driveRebuild({
      id: 'rebuild-1',
      rebuilder: system.rebuilder,
      data: async () => ({
        kind: 'rebuild',
        view: 'by-shop',
        views: ['by-shop'],
        fingerprints: {},
        acceptTrimmed: false,
        paused: false,
        cancelled: null,
      }),
      noted: null,
      report: async (note) => void notes.push([note, system.registry.serving('by-shop')!.number]),
      driveMs: 20,
      signal: new AbortController().signal,
    });
    expect(notes.at(-1)).toMatchObject([{ state: 'replaying', entriesDone: 20, entriesTotal: 20 }, 1]);
    expect(outcome).toMatchObject({ status: 'finished', note: { state: 'promoted', entriesDone: 20 } });
    expect(system.registry.serving('by-shop')!.number).toBe(2);
  });
});
