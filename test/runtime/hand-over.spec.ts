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

describeWithRedis('handing over', () => {
  const systems = new Systems();
  const start = (): Promise<System> => systems.start(declarations, { limits: { leaseMs: LEASE_MS } });

  /** The longest time for which some task stood still while entries came, as what is stored shows it. */
  const longestGap = async (system: System, during: () => Promise<void>): Promise<number> => {
    const { raw } = systems.redis;
    const tasks = declarations.flatMap(({ name }) =>
      [0, 1, 2, 3].map((partition) => ({ view: name, generation: 1, stage: 0, partition })),
    );
    const moved = new Map<string, { tick: number; at: number }>();
    let longest = 0;
    let over = false;
    const watching = (async () => {
      while (!over) {
        const pipeline = raw.pipeline();
        for (const partition of [0, 1, 2, 3])
          pipeline.xadd(`orders:${partition}`, '*', 'data', JSON.stringify({ shop: shopIn(partition) }));
        await pipeline.exec();
        for (const { task, record } of await system.tasks.status(tasks)) {
          const name = `${task.view} ${task.partition}`;
          const known = moved.get(name);
          const now = performance.now();
          const tick = record?.tick ?? 0;
          if (known) longest = Math.max(longest, now - known.at);
          if (known?.tick !== tick) moved.set(name, { tick, at: now });
        }
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    longest = 0;
    await during();
    await new Promise((resolve) => setTimeout(resolve, 500));
    over = true;
    await watching;
    return longest;
  };

  test('leaves no view standing still for long when a process comes, and when one goes', async () => {
    const first = await start();
    await first.caughtUp('one');
    const owned = (system: System): number => system.metrics.tasks.get();
    let second!: System;
    const coming = await longestGap(first, async () => {
      second = await start();
      await eventually(() => owned(second) > 0 && owned(first) + owned(second) === 12);
    });
    const going = await longestGap(second, async () => {
      await systems.stop(first);
      await eventually(() => owned(second) === 12);
    });
    // On an idle machine some tens of milliseconds; a busy one has its own pauses. Without a hand-over it is the lease.
    expect(coming).toBeLessThan(LEASE_MS / 2);
    expect(going).toBeLessThan(LEASE_MS / 2);
  });
});
