import { allTasks, lastStage, receiversOf, statesOf, tasksOfStage } from './generation-tasks.js';
import type { RegistryWatch } from './registry-watch.js';
import type { Generation } from './ports/registry.js';
import type { TaskStore } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';
import { taskName } from './task-id.js';

/**
 * Deletes a generation: its tasks are claimed first, so that an owner that does not know yet is fenced and writes
 * nothing behind us; then its keys go, then its name. Repeatable at any point. False where somebody was quicker to claim.
 */
export async function dropGeneration(
  generation: Generation,
  { tasks, views, registry, id }: { tasks: TaskStore; views: ViewStore; registry: RegistryWatch; id: string },
): Promise<boolean> {
  for (const task of allTasks(generation)) {
    const [status] = await tasks.status([task]);
    // Nobody waits for what it was parked for any more, and a parked task is not to be claimed.
    if (status!.parked) await tasks.unpark(task);
    if ((await tasks.claim(task, id, status!.epoch)) === null) return false;
    const { stage } = task;
    await tasks.drop(task, statesOf(generation, stage), generation.buckets, receiversOf(generation, stage));
  }
  // Only now that its owners are fenced: one that commits says how far it has read, and would be kept waiting for again.
  await forgetReader(generation, { views, registry });
  await registry.change(() => ({
    puts: [],
    removes: [{ view: generation.view, number: generation.number }],
  }));
  return true;
}

/** Its upstreams need not keep their changelogs for it any more. */
export async function forgetReader(
  generation: Generation,
  { views, registry }: { views: ViewStore; registry: RegistryWatch },
): Promise<void> {
  for (const [upstream, number] of Object.entries(generation.upstreams)) {
    const read = registry.generation(upstream, number);
    const stage = read ? lastStage(read) : 0;
    for (const task of tasksOfStage(generation, 0))
      await views.removeReader(
        { view: upstream, generation: number, stage, partition: task.partition },
        taskName(task),
      );
  }
}
