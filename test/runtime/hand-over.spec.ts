import { z } from 'zod';
import { count, declarationOf, stream, view } from '../../src/index.js';
import { partitionOf } from '../../src/runtime/placement.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually, type System } from '../support/system.js';
import { Systems } from '../support/systems.js';

const orders = stream('orders', {
  schema: z.object({ shop: z.string() }),
  partitions: 4,
  partitionBy: ['shop'],
});
const declarations = ['one', 'two', 'three'].map(
  (name) =>
    declarationOf(
      view(name, { from: orders.groupBy('shop').aggregate({ orders: count() }) }),
    ) as ViewDeclaration,
);

const partition = partitionOf(orders.declaration)!;
const shopIn = (wanted: number): string =>
  Array.from({ length: 100 }, (_, index) => `shop-${index}`).find((shop) => partition({ shop }) === wanted)!;

const LEASE_MS = 6_000;
/** No view is to stand still for longer. */
const GAP_MS_MAX = 100;
/** Between two looks at what is shown. */
const LOOK_MS = 4;
/**
 * So often it is looked in that time: a look asks twice, which takes as long again. A machine that is busy otherwise makes each look, and
 * each step of the hand-over, longer, but not more.
 */
const LOOKS_MAX = GAP_MS_MAX / (2 * LOOK_MS);
const TRIALS = 5;

/** For how long, and for how many looks in a row, some task showed nothing of what had come meanwhile. */
interface Gap {
  readonly ms: number;
  readonly looks: number;
}

describeWithRedis('handing over', () => {
  const systems = new Systems();
  const start = (): Promise<System> => systems.start(declarations, { limits: { leaseMs: LEASE_MS } });
  const tasks = declarations.flatMap(({ name }) =>
    [0, 1, 2, 3].map((partition) => ({ view: name, generation: 1, stage: 0, partition })),
  );

  /** The longest gap of any task while entries come to all, as what is stored shows it. */
  const longestGap = async (system: System, during: () => Promise<void>): Promise<Gap> => {
    const { raw } = systems.redis;
    const moved = new Map<string, { tick: number; at: number; look: number }>();
    let longest: Gap = { ms: 0, looks: 0 };
    let look = 0;
    let over = false;
    const watching = (async () => {
      for (; !over; look++) {
        const pipeline = raw.pipeline();
        for (const partition of [0, 1, 2, 3])
          pipeline.xadd(`orders:${partition}`, '*', 'data', JSON.stringify({ shop: shopIn(partition) }));
        await pipeline.exec();
        for (const { task, record } of await system.tasks.status(tasks)) {
          const name = `${task.view} ${task.partition}`;
          const known = moved.get(name);
          const at = performance.now();
          const tick = record?.tick ?? 0;
          if (known)
            longest = {
              ms: Math.max(longest.ms, at - known.at),
              looks: Math.max(longest.looks, look - known.look),
            };
          if (known?.tick !== tick) moved.set(name, { tick, at, look });
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    longest = { ms: 0, looks: 0 };
    await during();
    await new Promise((resolve) => setTimeout(resolve, 500));
    over = true;
    await watching;
    return longest;
  };

  const median = (numbers: readonly number[]): number =>
    [...numbers].sort((one, other) => one - other)[numbers.length >> 1]!;

  test(`leaves no view standing still for more than ${GAP_MS_MAX} ms when a process comes, and when one goes`, async () => {
    let stays = await start();
    await stays.caughtUp('one');
    const owned = (system: System): number => system.metrics.tasks.get();
    const gaps: Record<string, Gap[]> = { coming: [], going: [] };
    for (let trial = 0; trial < TRIALS; trial++) {
      let comes!: System;
      gaps['coming']!.push(
        await longestGap(stays, async () => {
          comes = await start();
          await eventually(() => owned(comes) > 0 && owned(stays) + owned(comes) === tasks.length);
        }),
      );
      gaps['going']!.push(
        await longestGap(comes, async () => {
          await systems.stop(stays);
          await eventually(() => owned(comes) === tasks.length);
        }),
      );
      stays = comes;
    }
    for (const [when, of] of Object.entries(gaps)) {
      const all = of.map(({ ms, looks }) => `${Math.round(ms)} ms, ${looks} looks`);
      const typical = median(of.map(({ looks }) => looks));
      const least = Math.min(...of.map(({ ms }) => ms));
      const isShort = { looks: typical <= LOOKS_MAX, ms: least <= GAP_MS_MAX };
      expect({ when, all, isShort }).toEqual({ when, all, isShort: { looks: true, ms: true } });
      // Without a hand-over it is the lease, each time.
      for (const { ms } of of) expect(ms).toBeLessThan(LEASE_MS / 2);
    }
  }, 60_000);
});
