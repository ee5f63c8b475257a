import { sourcesOf } from '../view/plan-nodes.js';
import type { SourceDeclaration } from '../view/declarations.js';
import { stagesOf } from '../view/stages.js';
import { partitionKeys } from './placement.js';
import type { TaskId } from './task-id.js';

/**
 * The Redis keys of the source partitions that what a task sends is made of. A task of the first stage reads one partition of
 * each source; one behind it receives of all of them.
 */
export function logsReadBy(
  { stage, partition }: Pick<TaskId, 'stage' | 'partition'>,
  sources: readonly SourceDeclaration[],
): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const source of sources) addLogs(keys, source, stage === 0 ? partition : null);
  return keys;
}

/** `partition`: null for all. */
function addLogs(keys: Set<string>, source: SourceDeclaration, partition: number | null): void {
  if (partition !== null && partition >= source.partitions) return;
  if (source.kind !== 'view') {
    partitionKeys(source).forEach((redisKey, index) => {
      if (partition === null || index === partition) keys.add(redisKey);
    });
    return;
  }
  const through = stagesOf(source) > 1 ? null : partition;
  for (const of of sourcesOf(source.plan)) addLogs(keys, of, through);
}
