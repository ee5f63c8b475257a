import { shownBy } from './generation-tasks.js';
import type { Generation } from './ports/registry.js';
import type { TaskStore } from './ports/task-store.js';
import { comparePositions } from './position.js';
import { hasPassedTime, type Progress } from './progress.js';
import type { RegistryWatch } from './registry-watch.js';
import type { TaskId } from './task-id.js';

/** What serves while a generation is built in its place. */
export interface Serving {
  /** As it was read before what is built; null where nothing serves. */
  readonly serving: Progress | null;
  /** What serves, of all that is rebuilt together, has not lost the log that it read. */
  readonly isOfThisLog: boolean;
}

interface Known {
  readonly registry: RegistryWatch;
  readonly tasks: TaskStore;
}

/** Whether a generation has passed what serves in its place, in the log and in time, so that no reader is taken back. */
export async function hasCaughtUp(
  generation: Generation,
  built: Progress,
  { serving, isOfThisLog }: Serving,
  known: Known,
): Promise<boolean> {
  const target = serving?.frontier;
  // What serves may itself be of no place yet, as while it takes over the rows of a view: that is no place to have passed.
  const passed =
    target &&
    built.hasBegun &&
    Object.entries(built.frontier).every(
      ([key, position]) => comparePositions(position, target[key] ?? '0-0') >= 0,
    );
  if (!passed && !built.atEnd) return false;
  // What is closed must not be open again. Another definition, or another log, may have other clocks for good.
  const comparable =
    isOfThisLog &&
    !generation.acceptTrimmed &&
    known.registry.serving(generation.view)?.fingerprint === generation.fingerprint;
  if (comparable && serving !== null && !hasPassedTime(built, serving)) return false;
  return Object.keys(generation.upstreams).length === 0 || (await hasBegun(generation, built, known));
}

/** Whether each task has begun for which there is something in the views that are read, or of those that send to it. */
async function hasBegun(
  { upstreams }: Generation,
  { statuses }: Progress,
  { registry, tasks }: Known,
): Promise<boolean> {
  const read: TaskId[] = [];
  for (const { task } of statuses.filter(({ record }) => record === null)) {
    if (statuses.some((other) => other.task.stage === task.stage - 1 && other.record !== null)) return false;
    if (task.stage > 0) continue;
    for (const [view, number] of Object.entries(upstreams)) {
      const upstream = registry.generation(view, number);
      read.push(...(upstream ? shownBy(upstream).slice(task.partition, task.partition + 1) : []));
    }
  }
  return (await tasks.status(read)).every(({ record }) => record === null);
}
