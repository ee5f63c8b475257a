import { shownBy } from '../../runtime/generation-tasks.js';
import { taskName } from '../../runtime/task-id.js';
import type { MemoryRedis } from '../memory/memory-redis.js';

/** So long a client that follows changes is heard of. */
const HEARD_OF_MS = 8_000;

/** Clients ask for the changes of all views: else only views that are read by views have changelogs. */
export function subscribe({ registry, tasks, clock }: MemoryRedis): void {
  for (const generation of registry.generations.values())
    for (const task of shownBy(generation)) {
      const kept = tasks.get(taskName(task));
      if (kept) kept.subscribedUntil = clock.now() + HEARD_OF_MS;
    }
}
