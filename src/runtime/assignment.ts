import { hash32 } from '../zset/checksum.js';
import { allTasks } from './generation-tasks.js';
import { maintained } from './maintained.js';
import type { Generation } from './ports/registry.js';
import type { Moved, WorkerInfo } from './ports/workers.js';
import { type TaskId, taskName } from './task-id.js';

export interface AssignableTask {
  id: TaskId;
  fingerprint: string;
  /** The source partition it mainly reads: tasks of one partition share reads and decoding, so they go together. */
  source: string;
}

/** Tasks that go together: over one source partition, for the same workers. */
export interface TaskGroup {
  readonly source: string;
  /** The workers that have the code. */
  readonly able: readonly string[];
  readonly tasks: AssignableTask[];
}

/** Source partitions that are to be with a worker that was named, wherever they would fall. */
export type Moves = Moved['to'];

/** The tasks that somebody should be running. */
export function tasksOf(generations: readonly Generation[]): AssignableTask[] {
  const wanted = maintained(generations);
  return generations
    .filter((generation) => wanted.has(generation))
    .flatMap((generation) =>
      allTasks(generation).map((id) => ({
        id,
        fingerprint: generation.fingerprint,
        source: `${[...generation.sources].sort()[0] ?? generation.view}/${id.partition}`,
      })),
    );
}

export function groupsOf(tasks: readonly AssignableTask[], workers: readonly WorkerInfo[]): TaskGroup[] {
  const groups = new Map<string, TaskGroup>();
  for (const task of tasks) {
    const able = workers
      .filter(({ fingerprints }) => fingerprints.includes(task.fingerprint))
      .map(({ id }) => id)
      .sort();
    if (able.length === 0) continue;
    const name = `${task.source}\0${able.join('\0')}`;
    if (!groups.has(name)) groups.set(name, { source: task.source, able, tasks: [] });
    groups.get(name)!.tasks.push(task);
  }
  return [...groups]
    .sort(([left], [right]) => hash32(left) - hash32(right) || (left < right ? -1 : 1))
    .map(([, group]) => group);
}

/** What reading and decoding a partition once for all its tasks counts for, in tasks. */
const READING_COST = 1;

/** What a group counts for while nobody has measured it. */
export const countOf = ({ tasks }: TaskGroup): number => READING_COST + tasks.length;

/**
 * Where each group falls: the same answer in every worker that sees the same workers and tasks.
 *
 * Source partitions are dealt out by rendezvous hashing (D. Thaler, C. Ravishankar), so that few move when workers come
 * and go, with no worker taking a partition more than its even share. The greatest are dealt out first, so that the small ones
 * even out what is left. What tasks cost has no part in it, for that is never the same for long: see `balance.ts`.
 */
export function fallOf(groups: readonly TaskGroup[]): Map<TaskGroup, string> {
  const load = new Map<string, number>();
  const share = new Map<string, number>();
  for (const group of groups)
    for (const worker of group.able)
      share.set(worker, (share.get(worker) ?? 0) + countOf(group) / group.able.length);
  const fall = new Map<TaskGroup, string>();
  for (const group of [...groups].sort((left, right) => countOf(right) - countOf(left))) {
    const ranked = group.able
      .map((worker) => ({ worker, score: hash32(`${worker}\0${group.source}`) }))
      .sort((left, right) => right.score - left.score || (left.worker < right.worker ? -1 : 1));
    const chosen = (
      ranked.find(({ worker }) => (load.get(worker) ?? 0) < share.get(worker)! - 1e-9) ?? ranked[0]!
    ).worker;
    load.set(chosen, (load.get(chosen) ?? 0) + countOf(group));
    fall.set(group, chosen);
  }
  return fall;
}

/** Who has each group: where it was moved to, if that worker lives and has its code, else where it falls. */
export function ownersOf(fall: ReadonlyMap<TaskGroup, string>, moves: Moves): Map<TaskGroup, string> {
  return new Map(
    [...fall].map(([group, worker]) => {
      const moved = moves[group.source];
      return [group, moved !== undefined && group.able.includes(moved) ? moved : worker];
    }),
  );
}

/** Which worker runs which task. */
export function assign(
  tasks: readonly AssignableTask[],
  workers: readonly WorkerInfo[],
  moves: Moves = {},
): Map<string, string> {
  const owners = new Map<string, string>();
  for (const [group, worker] of ownersOf(fallOf(groupsOf(tasks, workers)), moves))
    for (const task of group.tasks) owners.set(taskName(task.id), worker);
  return owners;
}

/** The tasks and who runs them, as last worked out: that is asked several times a second, and changes with what it is made of. */
export class Assignment {
  #generations: readonly Generation[] | null = null;
  #workers = '';
  #moves: Moves | null = null;
  tasks: readonly AssignableTask[] = [];
  owners: ReadonlyMap<string, string> = new Map();

  update(generations: readonly Generation[], workers: readonly WorkerInfo[], moves: Moves = NONE): void {
    const able = JSON.stringify(workers.map(({ id, fingerprints }) => [id, fingerprints]));
    if (generations === this.#generations && able === this.#workers && moves === this.#moves) return;
    this.tasks = tasksOf(generations);
    this.owners = assign(this.tasks, workers, moves);
    this.#generations = generations;
    this.#workers = able;
    this.#moves = moves;
  }
}

const NONE: Moves = {};
