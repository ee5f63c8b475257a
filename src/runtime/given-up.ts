import { allTasks } from './generation-tasks.js';
import { upstreamsOf } from './maintained.js';
import type { Generation } from './ports/registry.js';
import type { Parked, TaskStatus } from './ports/task-store.js';
import { taskName } from './task-id.js';

/** From when on nothing has come of a task: one that is tried again and again is parked for as long as that is in vain. */
export const parkedSince = ({ at, since = at }: Pick<Parked, 'at' | 'since'>): number => since;

/** Since when a generation has a parked task, that which is parked longest; null for none. */
export function firstParked(statuses: readonly Pick<TaskStatus, 'parked'>[]): number | null {
  const since = statuses.flatMap(({ parked }) => (parked === null ? [] : [parkedSince(parked)]));
  return since.length === 0 ? null : Math.min(...since);
}

/**
 * Generations of which a task has been parked for so long that what it has not read is kept for it no longer, and those that read
 * them, who wait for what does not come: each with the names of its own tasks that are parked so.
 */
export function givenUp(
  generations: readonly Generation[],
  statusOf: ReadonlyMap<string, TaskStatus>,
  isOver: (since: number) => boolean,
): ReadonlyMap<Generation, ReadonlySet<string>> {
  const found = new Map<Generation, ReadonlySet<string>>();
  for (const generation of generations) {
    const names = allTasks(generation)
      .map(taskName)
      .filter((name) => {
        const parked = statusOf.get(name)?.parked ?? null;
        return parked !== null && isOver(parkedSince(parked));
      });
    if (names.length > 0) found.set(generation, new Set(names));
  }
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const generation of generations)
      if (!found.has(generation) && upstreamsOf(generation, generations).some((read) => found.has(read)))
        found.set(generation, new Set());
  }
  return found;
}
