import { allTasks, lastStage, receiversOf, shapeOf, statesOf, tasksOfStage } from './generation-tasks.js';
import type { RegistryWatch } from './registry-watch.js';
import type { Generation, GenerationShape } from './ports/registry.js';
import type { SourceLog } from './ports/source-log.js';
import type { TaskStore } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';
import { type OwnerToken, type TaskId, taskName } from './task-id.js';

/**
 * Deletes a generation: its tasks are claimed first, so that an owner that does not know yet is fenced and writes
 * nothing behind us; then its keys go, then its name. Repeatable at any point. False where somebody was quicker to claim,
 * or has done it.
 *
 * Who is paused here may wake when another has done it, or when a registry that went back has given the number again. So
 * the registry is asked once more when all is claimed, keys go only by the tokens of these claims, and the name only while
 * it is of this generation.
 *
 * A registry that went back may have given its number twice. What the one that was lost kept lies under the same name, and
 * its tasks say what that is: it goes too.
 */
export async function dropGeneration(
  generation: Generation,
  {
    tasks,
    views,
    log,
    registry,
    id,
  }: { tasks: TaskStore; views: ViewStore; log: SourceLog; registry: RegistryWatch; id: string },
): Promise<boolean> {
  /** Under its name. Grows while tasks are claimed. */
  const made: Generation[] = [generation];
  const claimed = new Map<string, { task: TaskId; token: OwnerToken }>();
  for (const each of made)
    for (const task of allTasks(each)) {
      if (claimed.has(taskName(task))) continue;
      const [status] = await tasks.status([task]);
      // Nobody waits for what it was parked for any more, and a parked task is not to be claimed.
      if (status!.parked) await tasks.unpark(task);
      const found = await tasks.claim(task, id, status!.epoch);
      if (found === null) return false;
      claimed.set(taskName(task), { task, token: found.token });
      if (found.shape !== null && !made.some((known) => sameShape(known, found.shape!)))
        made.push({ ...generation, ...found.shape });
    }
  await registry.refresh();
  // Where it is gone already what was claimed since is ours to take away again.
  const left = registry.generation(generation.view, generation.number);
  if (left && !isDropped(left, generation)) return false;
  let allOurs = true;
  // The last first: what the first says of the others is needed until they are gone.
  for (const { task, token } of [...claimed.values()].reverse()) {
    const keeping = made.filter((each) => task.stage <= lastStage(each));
    const isOurs = await tasks.drop(
      task,
      token,
      keeping.flatMap((each) => statesOf(each, task.stage)),
      Math.max(...keeping.map(({ buckets }) => buckets)),
      [...new Set(keeping.flatMap((each) => receiversOf(each, task.stage)))],
    );
    allOurs &&= isOurs;
  }
  if (!allOurs) return false;
  // Only now that its owners are fenced: one that commits says how far it has read, and would be kept waiting for again.
  for (const each of made) await forgetReader(each, { views, registry });
  const readers = made.flatMap((each) => tasksOfStage(each, 0)).map(taskName);
  for (const redisKey of generation.sources) await log.forgetReaders(redisKey, [...new Set(readers)]);
  await registry.change(({ generations }) => {
    const removes = generations.filter((each) => isDropped(each, generation));
    return { puts: [], removes };
  });
  return true;
}

/** Whether it is this generation, not another under its number, and still to go. */
const isDropped = (found: Generation, generation: Generation): boolean =>
  found.view === generation.view &&
  found.number === generation.number &&
  found.createdAt === generation.createdAt &&
  found.state === 'dropping';

const sameShape = (left: GenerationShape, right: GenerationShape): boolean =>
  JSON.stringify(shapeOf(left)) === JSON.stringify(shapeOf(right));

/** Its upstreams need not keep their changelogs for it any more. */
export async function forgetReader(
  generation: Generation,
  { views, registry }: { views: ViewStore; registry: RegistryWatch },
  /** Of its tasks that read views. */
  isForgotten: (name: string) => boolean = () => true,
): Promise<void> {
  for (const [upstream, number] of Object.entries(generation.upstreams)) {
    const read = registry.generation(upstream, number);
    const stage = read ? lastStage(read) : 0;
    for (const task of tasksOfStage(generation, 0).filter((each) => isForgotten(taskName(each))))
      await views.removeReader(
        { view: upstream, generation: number, stage, partition: task.partition },
        taskName(task),
      );
  }
}
