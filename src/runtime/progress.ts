import { leastClocks } from './clocks.js';
import { contained } from './contained.js';
import { EXCHANGE, isBetween } from './followed.js';
import { allTasks, lastStage } from './generation-tasks.js';
import type { Generation } from './ports/registry.js';
import { archivedEntries, firstReadable, type LogEnd, type SourceLog } from './ports/source-log.js';
import type { TaskStatus, TaskStore } from './ports/task-store.js';
import { BEGINNING, comparePositions, type Position, timeOf } from './position.js';

/** How far a generation is. */
export interface Progress {
  statuses: TaskStatus[];
  /** Per source partition, the position whose effects it contains; `0-0` for one it has not read. */
  frontier: Record<string, Position>;
  /** Entries contained and entries there are, over all source partitions. */
  entriesDone: number;
  entriesTotal: number;
  lagEntries: number;
  /** Between the newest entry of its logs and the newest it contains; 0 when it contains all. */
  lagMs: number;
  rows: number;
  /** It contains something of each log that holds anything: its rows are of a place in all of them. */
  hasBegun: boolean;
  /** It contains all that its logs hold, and nothing more is due by what it knows of time. */
  atEnd: boolean;
}

/** The clocks that the rows of each task are of. */
const clocksOf = ({ statuses }: Progress): Record<string, number | null>[] =>
  statuses.map(({ record }) => leastClocks(record?.applied ?? record?.clocks ?? {}));

/** Whether its rows are of one frontier. */
const isWhole = ({ record }: TaskStatus): boolean => record === null || !isBetween(record);

/** Whether two generations of a view stand at the same time, and nothing more is due in either. */
export function atSameTime(left: Progress, right: Progress): boolean {
  const [ours, theirs] = [clocksOf(left), clocksOf(right)];
  return (
    [...left.statuses, ...right.statuses].every(isWhole) &&
    ours.every((clocks, index) =>
      Object.entries(clocks).every(([redisKey, clock]) => (theirs[index]?.[redisKey] ?? null) === clock),
    )
  );
}

/** Whether time has come as far in a generation as in another one, in what both know of. */
export function hasPassedTime(now: Progress, other: Progress): boolean {
  const [ours, theirs] = [clocksOf(now), clocksOf(other)].map((tasks) => {
    const least = new Map<string, number>();
    for (const clocks of tasks)
      for (const [redisKey, clock] of Object.entries(clocks))
        least.set(redisKey, Math.min(clock ?? -Infinity, least.get(redisKey) ?? Infinity));
    return least;
  }) as [Map<string, number>, Map<string, number>];
  return [...ours].every(([redisKey, clock]) => clock >= (theirs.get(redisKey) ?? -Infinity));
}

/** Whether it contains what no log holds any more: what is made of the logs that there are may never come as far in time. */
export const hasLostItsLog = ({ statuses }: Progress): boolean =>
  statuses.some(({ parked }) => parked?.code === 'ahead-of-its-log' || parked?.code === 'entry-deleted');

export async function progressOf(
  generation: Generation,
  tasks: TaskStore,
  log: SourceLog,
): Promise<Progress> {
  const statuses = await tasks.status(allTasks(generation));
  const ends = await log.ends(generation.sources);
  const last = lastStage(generation);
  const shown = statuses.filter(({ task }) => task.stage === last).map(({ record }) => record);
  const frontier: Record<string, Position> = { ...contained(generation, shown) };
  for (const redisKey of generation.sources) frontier[redisKey] ??= BEGINNING;

  let entriesTotal = 0;
  let entriesDone = 0;
  let lagMs = 0;
  for (const end of ends) {
    const position = frontier[end.redisKey]!;
    const contained = await entriesUpTo(position, end, statuses);
    entriesTotal += end.entriesAdded;
    entriesDone += Math.min(contained, end.entriesAdded);
    if (comparePositions(position, end.last) < 0)
      lagMs = Math.max(
        lagMs,
        timeOf(end.last) - Math.max(timeOf(position), timeOf(firstReadable(end) ?? end.last)),
      );
  }
  return {
    statuses,
    frontier,
    entriesDone,
    entriesTotal,
    lagEntries: entriesTotal - entriesDone,
    lagMs,
    rows: statuses.reduce((sum, { record }) => sum + (record?.rows ?? 0), 0),
    hasBegun: ends.every((end) => firstReadable(end) === null || frontier[end.redisKey] !== BEGINNING),
    atEnd:
      ends.every((end) => comparePositions(frontier[end.redisKey]!, end.last) >= 0) &&
      statuses.every(isWhole),
  };
}

/**
 * Entries of a log up to a position. A task counts what it reads itself; where a view reads the log through another
 * view, only beginning and end are told apart, and in between the ids' times are taken as evenly filled.
 */
async function entriesUpTo(
  position: Position,
  end: LogEnd,
  statuses: readonly TaskStatus[],
): Promise<number> {
  if (comparePositions(position, end.last) >= 0) return end.entriesAdded;
  const readable = end.length + archivedEntries(end);
  const gone = Math.max(0, end.entriesAdded - readable);
  if (position === BEGINNING) return gone;
  for (const { record } of statuses)
    for (const [input, at] of Object.entries(record?.positions ?? {}))
      if (!input.startsWith('view:') && input !== EXCHANGE && at.position === position)
        return gone + Math.min(at.entries, readable);
  const first = timeOf(firstReadable(end) ?? end.last);
  const span = Math.max(1, timeOf(end.last) - first);
  return gone + Math.floor((readable * Math.max(0, timeOf(position) - first)) / span);
}
