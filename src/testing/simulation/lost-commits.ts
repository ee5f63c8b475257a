import { decodeEntry } from '../../runtime/exchange-entry.js';
import { heardIn } from '../../runtime/followed.js';
import type { CommitRequest } from '../../runtime/ports/task-store.js';
import { followedRounds, ROUNDS } from '../../runtime/rounds.js';
import { type TaskId, taskName } from '../../runtime/task-id.js';
import type { MemoryRedis } from '../memory/memory-redis.js';

/** Whether a commit is about to store what was read of a task that has lost it since: of one of the first stage, or rounds of 1.0. */
export function bringsWhatIsLost(
  redis: MemoryRedis,
  { task, record }: Pick<CommitRequest, 'task' | 'record'>,
): boolean {
  const stored = redis.tasks.get(taskName(task))?.record;
  const before = stored && heardIn(stored);
  const heard = heardIn(record) ?? [];
  const isLost = (sender: TaskId, receiver: number, at: number): boolean => {
    const { tick, commit } = heard.at(at)!;
    const kept = redis.tasks.get(taskName(sender));
    if (tick === 0 || kept === undefined || commit === before?.at(at)?.commit) return false;
    const sent = kept.sent.get(receiver)?.entries.map(decodeEntry) ?? [];
    return !sent.some((entry) => entry.commit === commit);
  };
  const hasRounds = followedRounds(record)?.cut !== undefined;
  if (hasRounds && isLost({ ...task, stage: 1, partition: 0 }, ROUNDS, ROUNDS)) return true;
  const senders = hasRounds ? heard.slice(0, ROUNDS) : heard;
  return (
    task.stage === 1 &&
    senders.some((_, partition) => isLost({ ...task, stage: 0, partition }, task.partition, partition))
  );
}
