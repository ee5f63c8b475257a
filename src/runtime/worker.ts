import { setMaxListeners } from 'node:events';
import { messageOf } from '../errors/stillwater-error.js';
import { ArchivedLog } from './archive/archived-log.js';
import { type AssignableTask, Assignment } from './assignment.js';
import { Balance } from './balance.js';
import { dropGeneration } from './drop-generation.js';
import { Heartbeats, type TimedPartition } from './heartbeats.js';
import type { Generation } from './ports/registry.js';
import type { Parked, TaskStatus } from './ports/task-store.js';
import type { WorkerInfo, Workers } from './ports/workers.js';
import { RefusedCommits } from './refused-commits.js';
import { RunningTasks, type RunningTasksOptions } from './running-tasks.js';
import { TaskCosts } from './task-costs.js';
import { isTransient } from './task-end.js';
import { taskName } from './task-id.js';

export interface WorkerOptions extends RunningTasksOptions {
  workers: Workers;
}

/** Tasks that are taken at a time. */
const TAKEN_MAX = 16;

/** Reasons for parking that somebody may have put right meanwhile, without loss: such tasks are tried again. */
const RETRIED: ReadonlySet<string> = new Set([
  'wrong-type',
  'redis-error',
  'invariant',
  'archive-damaged',
  'archive-unreachable',
]);

/**
 * Runs tasks: those that fall to it among the live workers. Says regularly that it is alive, takes over what dead workers
 * leave, gives up what falls to others, and hands everything over when it stops.
 */
export class Worker {
  readonly #running: RunningTasks;
  readonly #refused: RefusedCommits;
  /** Tasks that could not be taken, and what was said of it. */
  readonly #untaken = new Map<string, string>();
  /** Tasks that others are to let go, and since when. */
  readonly #awaited = new Map<string, { owner: string; epoch: number; since: number }>();
  /** Tasks that are parked and will be tried again: when they were parked, and since when we know. */
  readonly #resting = new Map<string, { at: number; since: number }>();
  readonly #assignment = new Assignment();
  readonly #costs: TaskCosts;
  readonly #balance: Balance;
  readonly #heartbeats: Heartbeats;
  readonly #stopped = new AbortController();
  #wake = new AbortController();
  #toAnnounce = false;
  #announcing = false;
  /** Something was announced since it was last heard who lives. */
  #announced = false;
  #loop: Promise<void> | null = null;
  #renewed = -Infinity;
  #live: readonly WorkerInfo[] = [];
  readonly #info: () => WorkerInfo;
  readonly #startedAt: number;

  constructor(readonly options: WorkerOptions) {
    this.#running = new RunningTasks(options, {
      ended: (name, how) => this.#ended(name, how),
      stopped: this.#stopped.signal,
    });
    this.#refused = new RefusedCommits(options.logger, () => this.#running.refused);
    this.#heartbeats = new Heartbeats(options.log, options.clock, options.limits.heartbeatIdleMs);
    this.#costs = new TaskCosts(options.clock, options.limits.balanceMs);
    this.#balance = new Balance(options.id, options.clock, options.limits.balanceMs);
    this.#startedAt = options.clock.now();
    // Something waits for it in every task that runs.
    setMaxListeners(0, this.#stopped.signal);
    this.#info = () => ({
      id: options.id,
      fingerprints: options.code.fingerprints,
      role: 'worker',
      startedAt: this.#startedAt,
      ...(ArchivedLog.in(options.log) && { archives: true as const }),
      ...this.#refused.told,
      costs: this.#costs.told,
      ...this.#balance.told,
      ...(this.#stopped.signal.aborted && { leaving: true as const }),
    });
  }

  start(): void {
    this.options.registry.onChange(() => this.#wake.abort());
    this.options.workers.onAnnouncement(() => {
      this.#announced = true;
      this.#wake.abort();
    });
    this.#loop = this.#run();
    void this.#heartbeats.run(() => this.#timed(), this.#stopped.signal);
  }

  /** The partitions in which time is to pass. While views are compared it stands still in what they read, so that they can be. */
  #timed(): TimedPartition[] {
    const held = new Set(
      this.options.registry.snapshot.generations
        .filter(({ stopAt }) => stopAt !== null)
        .flatMap(({ sources }) => sources),
    );
    return this.#running.timedPartitions.filter(({ redisKey }) => !held.has(redisKey));
  }

  /**
   * Hands over: tasks end after the tick in hand, commits are settled, everything is released. The others are told first, so
   * that they know whom each task falls to when it is let go.
   */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    await this.#loop;
    await this.#renew(0).catch(() => {});
    await this.options.workers.announce().catch(() => {});
    await this.#running.stop();
    await this.options.workers.leave(this.options.id).catch(() => {});
    await this.options.workers.announce().catch(() => {});
  }

  #ended(name: string, how: 'released' | 'otherwise'): void {
    this.#refused.forget(name);
    this.#wake.abort();
    if (how === 'released') void this.#announce();
  }

  /** Tells the others that there is something to look at. What is to be told while that is under way is told once, after it. */
  async #announce(): Promise<void> {
    this.#toAnnounce = true;
    if (this.#announcing) return;
    this.#announcing = true;
    while (this.#toAnnounce) {
      this.#toAnnounce = false;
      await this.options.workers.announce().catch(() => {});
    }
    this.#announcing = false;
  }

  async #run(): Promise<void> {
    let complained = false;
    const { clock, limits, logger } = this.options;
    while (!this.#stopped.signal.aborted) {
      this.#wake = new AbortController();
      try {
        // What was announced may be that somebody came, or leaves.
        const heard = this.#announced;
        this.#announced = false;
        await this.#renew(heard ? 0 : limits.leaseMs / 4);
        await this.#reconcile(heard);
        this.#refused.say();
        if (complained) logger.info('Redis answers again.');
        complained = false;
      } catch (thrown) {
        if (!complained)
          logger.warn(`The worker cannot reach what it needs: ${messageOf(thrown)}. It goes on trying.`);
        complained = true;
      }
      await clock.sleep(
        complained ? limits.retryMsMax / 4 : Math.min(limits.registryRefreshMs, limits.leaseMs / 4),
        this.#wake.signal,
      );
    }
  }

  /** Says that this worker lives, and hears who else does, unless that was less than `afterMs` ago. */
  async #renew(afterMs: number): Promise<void> {
    const { clock, limits, workers } = this.options;
    if (clock.monotonicMs() - this.#renewed < afterMs) return;
    const asked = clock.monotonicMs();
    this.#costs.measure(this.#running.spent);
    this.#live = (await workers.renew(this.#info(), limits.leaseMs)).live;
    this.#renewed = asked;
  }

  /** @param heard That those who live were heard of just now. */
  async #reconcile(heard = false): Promise<void> {
    const { registry, code, id } = this.options;
    const { generations } = registry.snapshot;
    const staying = this.#live.filter(({ leaving }) => !leaving);
    this.#assignment.update(generations, staying, this.#balance.movesAmong(this.#live));
    const { tasks, owners } = this.#assignment;
    if (this.#balance.decide(tasks, staying))
      this.options.logger.info('Tasks move to workers that have less to do.');
    const mine = tasks.filter((task) => owners.get(taskName(task.id)) === id && code.view(task.fingerprint));
    const names = new Map(mine.map(({ id, fingerprint }) => [taskName(id), fingerprint]));
    this.#running.keepOnly(names);
    for (const known of [this.#awaited, this.#resting, this.#untaken])
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);

    const idle = mine.filter((task) => !this.#running.has(task.id));
    if (idle.length > 0 && !(await this.#takeUp(idle, heard))) {
      await this.#renew(0);
      return this.#reconcile(true);
    }
    this.#running.settle();
    this.options.metrics.tasks.set({}, this.#running.size);
    this.options.metrics.cacheEntries.set({}, this.#running.cached);
    await this.#drop(generations);
  }

  /** Takes what falls to this worker and nobody has. False if it must be heard first who lives. */
  async #takeUp(idle: readonly AssignableTask[], heard: boolean): Promise<boolean> {
    const { id, tasks: store } = this.options;
    const alive = new Set(this.#live.map((worker) => worker.id));
    const due = (await store.status(idle.map((task) => task.id))).filter(
      ({ task, owner, epoch, parked }) =>
        (parked === null || this.#isRetried(taskName(task), parked)) &&
        (owner === null || owner === id || !alive.has(owner) || this.#waited(taskName(task), owner, epoch)),
    );
    // Two workers of which each thought that the other is dead would take a task from each other again and again.
    if (!heard && due.some(({ owner }) => owner !== null && owner !== id)) return false;
    // Each takes a few round trips, in which nobody goes on with it.
    for (let at = 0; at < due.length; at += TAKEN_MAX) {
      // What is known of the registry may be old, where this process was paused: nothing that was dropped is taken up again, and
      // nothing for what had its number before.
      await this.options.registry.refresh();
      const taken = await Promise.allSettled(
        due
          .slice(at, at + TAKEN_MAX)
          .map((status) => this.#take(status, status.owner !== null && !alive.has(status.owner))),
      );
      const failed = taken.find((each) => each.status === 'rejected');
      if (failed) throw failed.reason;
    }
    return true;
  }

  /** Whether a task was parked for what may pass, and has rested since. The store may have another time of day: so it rests from when we saw it. */
  #isRetried(name: string, { code, at }: Parked): boolean {
    if (!RETRIED.has(code)) return false;
    const now = this.options.clock.monotonicMs();
    const known = this.#resting.get(name);
    if (known?.at === at) return now - known.since >= this.options.limits.parkedRetryMs;
    this.#resting.set(name, { at, since: now });
    return false;
  }

  async #take(status: TaskStatus, died: boolean): Promise<void> {
    const { tasks: store, logger } = this.options;
    if (this.#stopped.signal.aborted) return;
    const name = taskName(status.task);
    this.#awaited.delete(name);
    this.#resting.delete(name);
    try {
      if (status.parked) await store.unpark(status.task);
      await this.#running.take(status, died);
      this.#untaken.delete(name);
    } catch (thrown) {
      // Trouble of this one task must not keep the others waiting.
      if (isTransient(thrown)) throw thrown;
      if (this.#untaken.get(name) !== messageOf(thrown))
        logger.error(`${name} could not be taken: ${messageOf(thrown)}`);
      this.#untaken.set(name, messageOf(thrown));
    }
  }

  /** Deletes what is to go, if that falls to this worker. */
  async #drop(generations: readonly Generation[]): Promise<void> {
    const { id, logger } = this.options;
    const dropper = [...this.#live].sort((left, right) => (left.id < right.id ? -1 : 1))[0]?.id;
    if (dropper !== id) return;
    for (const generation of generations) {
      const { view, number, state } = generation;
      if (state !== 'dropping' || this.#running.hasAnyOf(view, number)) continue;
      try {
        if (!(await dropGeneration(generation, this.options))) continue;
        logger.info(`Generation ${number} of "${view}" is gone.`);
      } catch (thrown) {
        // One whose keys cannot be deleted must not keep the others, or tasks, from being looked after.
        if (isTransient(thrown)) throw thrown;
        logger.warn(`Generation ${number} of "${view}" could not be deleted: ${messageOf(thrown)}`);
      }
    }
  }

  /**
   * Another live worker has the task: it will see that it falls to us, and let go. Whether it had the time of a lease for
   * that: its word may have been lost, or Redis went back to when it was the owner, and it does not know.
   */
  #waited(name: string, owner: string, epoch: number): boolean {
    const now = this.options.clock.monotonicMs();
    const known = this.#awaited.get(name);
    if (known?.owner === owner && known.epoch === epoch)
      return now - known.since >= this.options.limits.leaseMs;
    this.#awaited.set(name, { owner, epoch, since: now });
    return false;
  }
}
