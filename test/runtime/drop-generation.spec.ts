import { z } from 'zod';
import { count, declarationOf, max, stream, sum, view } from '../../src/index.js';
import { shownBy, tasksOfStage } from '../../src/runtime/generation-tasks.js';
import { inState } from '../../src/runtime/in-state.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually } from '../support/system.js';
import { Systems } from '../support/systems.js';
import { dropGeneration } from '../../src/runtime/drop-generation.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import type { RegistryWatch } from '../../src/runtime/registry-watch.js';
import type { TaskId } from '../../src/runtime/task-id.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';

test('an owner that says how far it has read until it is fenced is no reader afterwards', async () => {
  const { tasks, views, log } = memoryPorts();
  const upstream: TaskId = { view: 'up', generation: 1, stage: 0, partition: 0 };
  const reader = 'down#2/0.0';
  await views.putReader(upstream, reader, 3);
  const claim = tasks.claim.bind(tasks);
  tasks.claim = async (...given) => {
    await views.putReader(upstream, reader, 4);
    return claim(...given);
  };
  const generation = {
    view: 'down',
    number: 2,
    partitions: 1,
    buckets: 1,
    states: [],
    upstreams: { up: 1 },
    sources: [],
  } as unknown as Generation;
  const registry = {
    change: async () => {},
    refresh: async () => {},
    generation: () => null,
  } as unknown as RegistryWatch;
  await dropGeneration(generation, { tasks, views, log, registry, id: 'worker' });
  expect(await views.readers(upstream)).toEqual(new Map());
});

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.number() }),
  partitions: 3,
  partitionBy: 'shop',
});
const perShop = view('per-shop', { from: sales.groupBy('shop').aggregate({ amount: sum('amount') }) });
/** Several stages, ordered state, an index, and a view that it reads. */
const lost = view('summary', {
  from: perShop.groupBy('amount').aggregate({ shops: count(), last: max('shop') }),
  indexes: ['shops.desc'],
  partitions: 4,
});
const made = view('summary', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
const declared = (...views: object[]) =>
  views.map((each) => declarationOf(each as never) as SourceDeclaration);

describeWithRedis('a generation whose number was given before, to one that the registry has lost', () => {
  const systems = new Systems();

  it('leaves no key of either when it is dropped, and no reader of what either read', async () => {
    const redis = systems.redis.client();
    const before = await systems.start(declared(perShop));
    await systems.stop(before);
    const registry = (await redis.dumpBuffer('sw:registry'))!;
    const first = await systems.start(declared(perShop, lost));
    for (const shop of ['a', 'b', 'c', 'd']) {
      const sale = { shop, buyer: `buyer of ${shop}`, amount: 3 };
      const source = declarationOf(sales) as RecordSource;
      const redisKey = partitionKeys(source)[partitionOf(source)!(sale)]!;
      await redis.xadd(redisKey, '*', 'data', JSON.stringify(sale));
    }
    await first.caughtUp('summary');
    const kept = await redis.keys('*:summary#1/*');
    expect(kept.length).toBeGreaterThan(10);
    await systems.stop(first);
    await redis.restore('sw:registry', 0, registry, 'REPLACE');

    const second = await systems.start(declared(perShop, made));
    const generation = () => second.registry.generation('summary', 1);
    await eventually(async () => {
      const [status] = await second.tasks.status(tasksOfStage(generation()!, 0));
      return status!.parked?.code === 'other-definition';
    });
    await second.registry.change(() => ({ puts: [inState(generation()!, 'dropping', Date.now())] }));
    await eventually(() => generation() === null);
    expect(await redis.keys('*:summary#1/*')).toEqual([]);
    const upstream = second.registry.serving('per-shop')!;
    for (const task of shownBy(upstream))
      expect(
        [...(await second.views.readers(task)).keys()].filter((name) => name.startsWith('summary#1')),
      ).toEqual([]);
  });
});
