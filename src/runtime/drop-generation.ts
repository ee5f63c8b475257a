import type { RegistryWatch } from './registry-watch.js';
import type { Generation } from './ports/registry.js';
import type { TaskStore } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';

/**
 * Deletes a generation: its tasks are claimed first, so that an owner that does not know yet is fenced and writes
 * nothing behind us; then its keys go, then its name. Repeatable at any point.
 */
export async function dropGeneration(
  generation: Generation,
  { tasks, views, registry, id }: { tasks: TaskStore; views: ViewStore; registry: RegistryWatch; id: string },
): Promise<void> {
  for (let partition = 0; partition < generation.partitions; partition++) {
    const task = { view: generation.view, generation: generation.number, stage: 0, partition };
    for (const [upstream, number] of Object.entries(generation.upstreams))
      await views.removeReader({ view: upstream, generation: number, stage: 0, partition }, `${generation.view}#${generation.number}/0.${partition}`);
    const [status] = await tasks.status([task]);
    if ((await tasks.claim(task, id, status!.epoch)) === null) return;
    await tasks.drop(task, generation.states, generation.buckets);
  }
  await registry.change(() => ({ puts: [], removes: [{ view: generation.view, number: generation.number }] }));
}
