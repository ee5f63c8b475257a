import { hash32 } from '../zset/checksum.js';
import { allTasks } from './generation-tasks.js';
import { maintained } from './maintained.js';
import type { Generation } from './ports/registry.js';
import type { WorkerInfo } from './ports/workers.js';
import { type TaskId, taskName } from './task-id.js';

export interface AssignableTask {
  id: TaskId;
  fingerprint: string;
  /** The source partition it mainly reads: tasks of one partition share reads and decoding, so they go together. */
  source: string;
}

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

/**
 * Which worker runs which task: the same answer in every worker that sees the same workers and tasks.
 *
 * Source partitions are dealt out by rendezvous hashing (D. Thaler, C. Ravishankar), so that few move when workers come
 * and go, with no worker taking a partition more than its even share. A partition costs what its reading does and each task over it: the
 * dearest are dealt out first, so that the cheap ones even out what is left. A worker only gets tasks whose code it has.
 */
export function assign(
  tasks: readonly AssignableTask[],
  workers: readonly WorkerInfo[],
): Map<string, string> {
  const owners = new Map<string, string>();
  const groups = new Map<string, AssignableTask[]>();
  for (const task of tasks) {
    const able = workers
      .filter(({ fingerprints }) => fingerprints.includes(task.fingerprint))
      .map(({ id }) => id);
    if (able.length === 0) continue;
    const group = `${task.source}\0${able.sort().join('\0')}`;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group)!.push(task);
  }
  const load = new Map<string, number>();
  const share = new Map<string, number>();
  const costOf = (group: string): number => READING_COST + groups.get(group)!.length;
  for (const group of groups.keys())
    for (const worker of ableIn(group))
      share.set(worker, (share.get(worker) ?? 0) + costOf(group) / ableIn(group).length);
  for (const group of [...groups.keys()].sort(
    (left, right) => costOf(right) - costOf(left) || hash32(left) - hash32(right) || (left < right ? -1 : 1),
  )) {
    const source = group.slice(0, group.indexOf('\0'));
    const ranked = ableIn(group)
      .map((worker) => ({ worker, score: hash32(`${worker}\0${source}`) }))
      .sort((left, right) => right.score - left.score || (left.worker < right.worker ? -1 : 1));
    const chosen = (
      ranked.find(({ worker }) => (load.get(worker) ?? 0) < share.get(worker)! - 1e-9) ?? ranked[0]!
    ).worker;
    load.set(chosen, (load.get(chosen) ?? 0) + costOf(group));
    for (const task of groups.get(group)!) owners.set(taskName(task.id), chosen);
  }
  return owners;
}

/** What reading and decoding a partition once for all its tasks costs, in tasks. */
const READING_COST = 1;

const ableIn = (group: string): string[] => group.split('\0').slice(1);

/** The tasks and who runs them, as last worked out: that is asked several times a second, and changes with what it is made of. */
export class Assignment {
  #generations: readonly Generation[] | null = null;
  #workers = '';
  tasks: readonly AssignableTask[] = [];
  owners: ReadonlyMap<string, string> = new Map();

  update(generations: readonly Generation[], workers: readonly WorkerInfo[]): void {
    const able = JSON.stringify(workers.map(({ id, fingerprints }) => [id, fingerprints]));
    if (generations === this.#generations && able === this.#workers) return;
    this.tasks = tasksOf(generations);
    this.owners = assign(this.tasks, workers);
    this.#generations = generations;
    this.#workers = able;
  }
}
