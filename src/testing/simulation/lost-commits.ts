import { decodeEntry } from '../../runtime/exchange-entry.js';
import { heardIn } from '../../runtime/followed.js';
import type { CommitRequest } from '../../runtime/ports/task-store.js';
import { taskName } from '../../runtime/task-id.js';
import type { MemoryRedis } from '../memory/memory-redis.js';

/** Whether a commit is about to store what was read of a task of the first stage that has lost it since. */
export function bringsWhatIsLost(
  redis: MemoryRedis,
  { task, record }: Pick<CommitRequest, 'task' | 'record'>,
): boolean {
  if (task.stage !== 1) return false;
  const stored = redis.tasks.get(taskName(task))?.record;
  const before = stored && heardIn(stored);
  return (heardIn(record) ?? []).some(({ tick, commit }, partition) => {
    const sender = redis.tasks.get(taskName({ ...task, stage: 0, partition }));
    if (tick === 0 || sender === undefined || commit === before?.[partition]?.commit) return false;
    const sent = sender.sent.get(task.partition)?.entries.map(decodeEntry) ?? [];
    return !sent.some((entry) => entry.commit === commit);
  });
}
