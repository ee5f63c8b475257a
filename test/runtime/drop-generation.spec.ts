import { dropGeneration } from '../../src/runtime/drop-generation.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import type { RegistryWatch } from '../../src/runtime/registry-watch.js';
import type { TaskId } from '../../src/runtime/task-id.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';

test('an owner that says how far it has read until it is fenced is no reader afterwards', async () => {
  const { tasks, views } = memoryPorts();
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
  } as unknown as Generation;
  const registry = { change: async () => {}, generation: () => null } as unknown as RegistryWatch;
  await dropGeneration(generation, { tasks, views, registry, id: 'worker' });
  expect(await views.readers(upstream)).toEqual(new Map());
});
