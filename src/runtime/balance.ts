import type { Clock } from './clock.js';
import {
  type AssignableTask,
  countOf,
  fallOf,
  groupsOf,
  type Moves,
  ownersOf,
  type TaskGroup,
} from './assignment.js';
import type { Moved, WorkerInfo } from './ports/workers.js';
import { taskName } from './task-id.js';

/** A difference is worth moving anything if it is so much of a second, in milliseconds, and such a part of the greater load. */
const WORTH_MS = 50;
const WORTH_PART = 1 / 5;
/** What is moved is no more than such a part of the difference: then it takes off the greater load at least half of itself. */
const MOVED_PART = 2 / 3;
/** Partitions that are moved at a time. */
const MOVES_MAX = 16;
/** Partitions that are kept elsewhere than where they fall: all workers read and say it. */
const MOVED_MAX = 200;

/**
 * Moves partitions from workers that have much to do to such that have little, as long as it is worth it. Afterwards, of any two
 * workers, the one with more to do has no more than `WORTH_MS`, or `WORTH_PART` of its load, beyond the other, unless all that
 * it could give is more than `MOVED_PART` of the difference; or it took all the moves there are at a time.
 *
 * A partition comes back only if loads change by more than it costs: right after its move the difference is turned round by a
 * third of what it was at the most, and at least one and a half times its cost would be needed.
 */
export function balanced(
  groups: readonly TaskGroup[],
  moves: Moves,
  costOf: (group: TaskGroup) => number,
): Moves {
  const fall = fallOf(groups);
  const owners = ownersOf(fall, moves);
  const load = new Map<string, number>();
  const groupsOfSource = new Map<string, number>();
  for (const group of groups) {
    for (const worker of group.able) load.set(worker, load.get(worker) ?? 0);
    load.set(owners.get(group)!, load.get(owners.get(group)!)! + costOf(group));
    groupsOfSource.set(group.source, (groupsOfSource.get(group.source) ?? 0) + 1);
  }
  /** While a partition is read for different code in different places it stays: a deployment is under way. */
  const movable = groups.filter(({ source, able }) => able.length > 1 && groupsOfSource.get(source) === 1);
  const changed = new Map<string, string>();
  for (let moved = 0; moved < MOVES_MAX; moved++) {
    let best: { group: TaskGroup; to: string; gain: number } | null = null;
    for (const group of movable) {
      const more = load.get(owners.get(group)!)!;
      const to = least(group.able, load);
      const difference = more - load.get(to)!;
      const cost = costOf(group);
      if (difference < Math.max(WORTH_MS, more * WORTH_PART) || cost > difference * MOVED_PART) continue;
      const gain = Math.min(cost, difference - cost);
      if (best === null || gain > best.gain) best = { group, to, gain };
    }
    if (best === null) break;
    const { group, to } = best;
    load.set(owners.get(group)!, load.get(owners.get(group)!)! - costOf(group));
    load.set(to, load.get(to)! + costOf(group));
    owners.set(group, to);
    changed.set(group.source, to);
  }
  if (changed.size === 0) return moves;
  const elsewhere = groups
    .filter((group) => owners.get(group) !== fall.get(group))
    .map((group) => [group.source, owners.get(group)!] as const);
  return elsewhere.length > MOVED_MAX ? moves : Object.fromEntries(elsewhere);
}

function least(workers: readonly string[], load: ReadonlyMap<string, number>): string {
  return workers.reduce((best, worker) => (load.get(worker)! < load.get(best)! ? worker : best));
}

const NONE: Moved = { number: 0, by: '', to: {} };

/** The later of two decisions. Two that were taken at once, because both thought that it was up to them, are told apart by who took them. */
const later = (left: Moved, right: Moved): Moved =>
  left.number > right.number || (left.number === right.number && left.by <= right.by) ? left : right;

/**
 * Spreads the work by what it costs. One worker decides, the one that started first; all do as the latest decision says that any
 * of them knows, and each passes it on, so that it outlives whoever took it.
 */
export class Balance {
  /** The latest decision that somebody has told: what all do. */
  #moved = NONE;
  /** What this worker has decided, and tells. */
  #decided = NONE;
  /** What a decision would rest on, and since when it is so. */
  #basis = '';
  #since = -Infinity;

  constructor(
    readonly id: string,
    readonly clock: Clock,
    /** How often it is looked whether anything is to move. */
    readonly balanceMs: number,
  ) {}

  /** What this worker tells the others, its own or passed on. */
  get told(): Pick<WorkerInfo, 'moved'> {
    const moved = later(this.#moved, this.#decided);
    return moved === NONE ? {} : { moved };
  }

  /** What those who live know of: as long as one of them does not take part in it, everything is where it falls. */
  movesAmong(live: readonly WorkerInfo[]): Moves {
    for (const { moved } of live) if (moved) this.#moved = later(this.#moved, moved);
    return live.every(({ costs }) => costs) ? this.#moved.to : NONE.to;
  }

  /**
   * Decides, if that is up to this worker and things have rested since the last change: only then have those who have the tasks
   * said what they cost. True if something is to move.
   */
  decide(tasks: readonly AssignableTask[], workers: readonly WorkerInfo[]): boolean {
    const now = this.clock.monotonicMs();
    const basis = JSON.stringify([workers.map(({ id }) => id), this.#moved.number, this.#moved.by]);
    if (basis !== this.#basis) {
      this.#basis = basis;
      this.#since = now;
    }
    if (now - this.#since < this.balanceMs) return false;
    this.#since = now;
    if (eldest(workers)?.id !== this.id || !workers.every(({ costs }) => costs)) return false;
    const to = balanced(groupsOf(tasks, workers), this.#moved.to, costsAmong(workers));
    if (to === this.#moved.to) return false;
    this.#decided = { number: this.#moved.number + 1, by: this.id, to };
    return true;
  }
}

function eldest(workers: readonly WorkerInfo[]): WorkerInfo | undefined {
  return [...workers].sort(
    (left, right) => left.startedAt - right.startedAt || (left.id < right.id ? -1 : 1),
  )[0];
}

/** What a group counts for, and beside that what its tasks cost those who have them. */
export function costsAmong(workers: readonly WorkerInfo[]): (group: TaskGroup) => number {
  const costs = new Map<string, number>();
  for (const worker of workers)
    for (const [name, cost] of Object.entries(worker.costs ?? {}))
      costs.set(name, Math.max(cost, costs.get(name) ?? 0));
  return (group) => group.tasks.reduce((sum, { id }) => sum + (costs.get(taskName(id)) ?? 0), countOf(group));
}
