import { type Frontier, minFrontier } from './frontier.js';
import { lastStage } from './generation-tasks.js';
import type { Generation } from './ports/registry.js';
import type { TaskRecord } from './ports/task-store.js';
import { BEGINNING, earlierOf, type Position } from './position.js';

/**
 * What the rows of a generation contain, by the records of the tasks that keep them. Of a view of one stage each task reads
 * partitions of its own, and one that never committed holds no rows and says nothing. Where rows are exchanged each task has
 * something of all that is read: of a source they contain together what all of them do.
 */
export function contained(generation: Generation, records: readonly (TaskRecord | null)[]): Frontier {
  if (lastStage(generation) === 0)
    return minFrontier(...records.flatMap((record) => (record ? [record.frontier] : [])));
  const frontier: Record<string, Position> = {};
  for (const redisKey of generation.sources) {
    const positions = records.map((record) => record?.frontier[redisKey] ?? BEGINNING);
    const least = positions.reduce(earlierOf, positions[0] ?? BEGINNING);
    if (least !== BEGINNING) frontier[redisKey] = least;
  }
  return frontier;
}
