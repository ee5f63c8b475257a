import { setMaxListeners } from 'node:events';
import { pure } from '../circuit/pure.js';
import type { CacheBudget } from '../circuit/two-generations.js';
import { messageOf } from '../errors/stillwater-error.js';
import { compileStage } from '../view/compile-plan.js';
import { ArchivedLog } from './archive/archived-log.js';
import { Assignment } from './assignment.js';
import type { Clock } from './clock.js';
import type { Code } from './code.js';
import { dropGeneration } from './drop-generation.js';
import { Heartbeats, type TimedPartition } from './heartbeats.js';
import type { Limits } from './limits.js';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';
import type { SourceLog } from './ports/source-log.js';
import type { TaskStatus, TaskStore } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';
import type { WorkerInfo, Workers } from './ports/workers.js';
import { RefusedCommits } from './refused-commits.js';
import type { RegistryWatch } from './registry-watch.js';
import { StepGate } from './step-gate.js';
import { Task } from './task.js';
import { isTransient } from './task-end.js';
import { taskName } from './task-id.js';
import { WorkerInputs } from './worker-inputs.js';

export interface WorkerOptions {
  id: string;
  code: Code;
  registry: RegistryWatch;
  workers: Workers;
  tasks: TaskStore;
  views: ViewStore;
  log: SourceLog;
  limits: Limits;
  metrics: Metrics;
  clock: Clock;
  logger: Logger;
  /** Random text for commits. */
  nonce: () => string;
  /** Runs one synchronous step of a circuit; the default takes clock and randomness away from it. */
  step?: <T>(step: () => T) => T;
}

/** Tasks that are taken at a time. */
const TAKEN_MAX = 16;

interface Running {
  task: Task;
  ended: Promise<void>;
}

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
  readonly #running = new Map<string, Running>();
  readonly #refused: RefusedCommits;
  /** Tasks that could not be taken, and what was said of it. */
  readonly #untaken = new Map<string, string>();
  /** Tasks that others are to let go, and since when. */
  readonly #awaited = new Map<string, { owner: string; epoch: number; since: number }>();
  readonly #assignment = new Assignment();
  readonly #inputs: WorkerInputs;
  readonly #heartbeats: Heartbeats;
  /** One for all tasks: their states share it by need. */
  readonly #cache: CacheBudget;
  readonly #stopped = new AbortController();
  readonly #gate = new StepGate();
  #wake = new AbortController();
  /** Something was announced since it was last heard who lives. */
  #announced = false;
  #loop: Promise<void> | null = null;
  #renewed = -Infinity;
  #live: WorkerInfo[] = [];
  readonly #info: () => WorkerInfo;
  readonly #startedAt: number;

  constructor(readonly options: WorkerOptions) {
    this.#inputs = new WorkerInputs(options);
    this.#refused = new RefusedCommits(options.logger, () =>
      [...this.#running].map(([name, { task }]) => [name, task.refused]),
    );
    this.#heartbeats = new Heartbeats(options.log, options.clock, options.limits.heartbeatIdleMs);
    this.#cache = { entriesMax: options.limits.cacheEntriesMax };
    this.#startedAt = options.clock.now();
    // Something waits for it in every task that runs.
    setMaxListeners(0, this.#stopped.signal);
    this.#info = () => ({
      id: options.id,
      fingerprints: options.code.fingerprints,
      role: 'worker',
      startedAt: this.#startedAt,
      ...(options.log instanceof ArchivedLog && { archives: true as const }),
      ...this.#refused.told,
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
    return [...this.#running.values()]
      .flatMap(({ task }) => task.timedPartitions)
      .filter(({ redisKey }) => !held.has(redisKey));
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
    for (const { task } of this.#running.values()) task.stop();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await this.options.workers.leave(this.options.id).catch(() => {});
    await this.options.workers.announce().catch(() => {});
  }

  /** Values of state in the cache, of all tasks. */
  get #cached(): number {
    let cached = 0;
    for (const { task } of this.#running.values()) cached += task.options.view.circuit.cached;
    return cached;
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
    this.#live = (await workers.renew(this.#info(), limits.leaseMs)).live;
    this.#renewed = asked;
  }

  /** @param heard That those who live were heard of just now. */
  async #reconcile(heard = false): Promise<void> {
    const { registry, code, id, tasks: store, logger, clock, limits } = this.options;
    const { generations } = registry.snapshot;
    this.#assignment.update(
      generations,
      this.#live.filter(({ leaving }) => !leaving),
    );
    const { tasks, owners } = this.#assignment;
    const mine = tasks.filter((task) => owners.get(taskName(task.id)) === id && code.view(task.fingerprint));
    const names = new Set(mine.map((task) => taskName(task.id)));
    for (const [name, { task }] of this.#running) if (!names.has(name)) task.stop();
    for (const name of this.#awaited.keys()) if (!names.has(name)) this.#awaited.delete(name);

    const idle = mine.filter((task) => !this.#running.has(taskName(task.id)));
    if (idle.length > 0) {
      const alive = new Set(this.#live.map((worker) => worker.id));
      const due = (await store.status(idle.map((task) => task.id))).filter(
        ({ task, owner, epoch, parked }) =>
          (parked === null ||
            (RETRIED.has(parked.code) && clock.now() - parked.at >= limits.parkedRetryMs)) &&
          (owner === null || owner === id || !alive.has(owner) || this.#waited(taskName(task), owner, epoch)),
      );
      // Two workers of which each thought that the other is dead would take a task from each other again and again.
      if (!heard && due.some(({ owner }) => owner !== null && owner !== id)) {
        await this.#renew(0);
        return this.#reconcile(true);
      }
      const take = async (status: TaskStatus): Promise<void> => {
        if (this.#stopped.signal.aborted) return;
        const name = taskName(status.task);
        this.#awaited.delete(name);
        try {
          if (status.parked) await store.unpark(status.task);
          await this.#take(status, status.owner !== null && !alive.has(status.owner));
          this.#untaken.delete(name);
        } catch (thrown) {
          // Trouble of this one task must not keep the others waiting.
          if (isTransient(thrown)) throw thrown;
          if (this.#untaken.get(name) !== messageOf(thrown))
            logger.error(`${name} could not be taken: ${messageOf(thrown)}`);
          this.#untaken.set(name, messageOf(thrown));
        }
      };
      // Each takes a few round trips, in which nobody goes on with it.
      for (let at = 0; at < due.length; at += TAKEN_MAX) {
        const taken = await Promise.allSettled(due.slice(at, at + TAKEN_MAX).map(take));
        const failed = taken.find((each) => each.status === 'rejected');
        if (failed) throw failed.reason;
      }
    }
    // Caches of tasks that stand still settle too: they share the worker's budget.
    for (const { task } of this.#running.values()) task.settle();
    this.options.metrics.tasks.set({}, this.#running.size);
    this.options.metrics.cacheEntries.set({}, this.#cached);

    for (const generation of generations) {
      if (generation.state !== 'dropping') continue;
      const dropper = [...this.#live].sort((left, right) => (left.id < right.id ? -1 : 1))[0]?.id;
      if (dropper !== id) continue;
      if (
        [...this.#running.values()].some(
          ({ task }) => task.id.view === generation.view && task.id.generation === generation.number,
        )
      )
        continue;
      try {
        if (!(await dropGeneration(generation, this.options))) continue;
        logger.info(`Generation ${generation.number} of "${generation.view}" is gone.`);
      } catch (thrown) {
        // One whose keys cannot be deleted must not keep the others, or tasks, from being looked after.
        if (isTransient(thrown)) throw thrown;
        logger.warn(
          `Generation ${generation.number} of "${generation.view}" could not be deleted: ${messageOf(thrown)}`,
        );
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

  /** Claims a task and runs it. What its owner was attempting is only of interest if it died: one that lives came to the step's end. */
  async #take({ task: id, owner, epoch }: TaskStatus, died: boolean): Promise<void> {
    const { code, registry, tasks: store, limits, metrics, clock, logger, nonce } = this.options;
    const generation = registry.generation(id.view, id.generation);
    const view = generation && code.view(generation.fingerprint);
    if (!generation || !view) return;
    // What is known of the registry may be old, where this process was paused: nothing that was dropped is taken up again.
    await registry.refresh();
    if (
      registry.generation(id.view, id.generation)?.state === 'dropping' ||
      !registry.generation(id.view, id.generation)
    )
      return;
    const blamed = store.blamed(generation.fingerprint);
    // It is asked for below; should the claim fail, nobody does.
    blamed.catch(() => {});
    const claimed = await store.claim(id, this.options.id, epoch);
    if (claimed === null) return;
    const entries = await blamed.catch(async (thrown: unknown) => {
      // A claim without an attempt would count as one that failed.
      await store.release(id, claimed.token).catch(() => {});
      throw thrown;
    });
    if (owner !== null && owner !== this.options.id) {
      metrics.takeovers.add({ view: id.view });
      logger.info(`Took over ${taskName(id)}.`);
    }
    const compiled = compileStage(view, id.stage, { budget: this.#cache });
    const task = new Task({
      id,
      token: claimed.token,
      record: claimed.record,
      grants: claimed.grants,
      attempt: died ? claimed.attempt : null,
      fingerprint: generation.fingerprint,
      view: compiled,
      inputs: this.#inputs.inputsOf(id, generation, compiled, entries),
      siblings: this.#inputs.siblingsOf(id, generation, compiled),
      sending: this.#inputs.sendingOf(id, generation),
      errorsMax: view.errorsMax,
      store,
      limits,
      metrics,
      clock,
      generation: () => registry.generation(id.view, id.generation),
      nonce,
      step: this.options.step ?? pure,
      gate: this.#gate,
      logger,
    });
    const name = taskName(id);
    const ended = task.run().then((end) => {
      this.#running.delete(name);
      this.#refused.forget(name);
      if (end.how === 'parked') logger.error(`${name} is parked.\n${end.reason.message}`);
      if (end.how === 'failed')
        logger.error(`${name} is closed: ${messageOf(end.thrown)}\n${(end.thrown as Error)?.stack ?? ''}`);
      if (end.how === 'fenced')
        logger.warn(`${name} belongs to another worker now; nothing of the last tick was committed here.`);
      this.#wake.abort();
      if (end.how === 'released') void this.options.workers.announce().catch(() => {});
    });
    this.#running.set(name, { task, ended });
    void this.#followReaders(name, task);
  }

  /** Keeps the changelog of a task as far back as its slowest reader needs it. */
  async #followReaders(name: string, task: Task): Promise<void> {
    const { clock, limits, views } = this.options;
    let asked = 0;
    while (this.#running.get(name)?.task === task) {
      await clock.sleep(limits.readerReportMs, this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
      // Whoever comes after this was asked begins with the rows of a later tick.
      const { tick } = task.record;
      // What has written nothing has nothing to trim.
      if (tick === asked) continue;
      asked = tick;
      const readers = await views.readers(task.id).catch(() => null);
      if (readers !== null) task.trimChangelog(Math.min(tick, ...readers.values()));
    }
  }
}
