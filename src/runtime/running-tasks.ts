import { pure } from '../circuit/pure.js';
import type { CacheBudget } from '../circuit/two-generations.js';
import { messageOf } from '../errors/stillwater-error.js';
import { compileStage } from '../view/compile-plan.js';
import type { Code } from './code.js';
import type { TimedPartition } from './heartbeats.js';
import type { Logger } from './logger.js';
import { shapeOf } from './generation-tasks.js';
import { KnownBefore } from './known-before.js';
import { definitionIn } from './new-generations.js';
import type { Claimed, TaskStatus } from './ports/task-store.js';
import { BEGINNING, tickOf } from './position.js';
import { StepGate } from './step-gate.js';
import { Task } from './task.js';
import { type TaskId, taskName, taskNamed } from './task-id.js';
import { TimeSpent } from './time-spent.js';
import { Turns } from './turns.js';
import { WorkerInputs, type WorkerInputsOptions } from './worker-inputs.js';

/** As objects long values take far more memory than what counts as an entry. */
const OBJECTS_PART_MAX = 1 / 20;

export interface RunningTasksOptions extends WorkerInputsOptions {
  id: string;
  code: Code;
  logger: Logger;
  /** Random text for commits. */
  nonce: () => string;
  /** Runs one synchronous step of a circuit; the default takes clock and randomness away from it. */
  step?: <T>(step: () => T) => T;
}

interface Running {
  task: Task;
  ended: Promise<void>;
}

/** The tasks that a worker runs. They share what they read, the memory for their states, and the turn to step. */
export class RunningTasks {
  readonly #running = new Map<string, Running>();
  readonly #inputs: WorkerInputs;
  readonly #cache: CacheBudget;
  readonly #gate = new StepGate();
  readonly #turns: Turns;

  constructor(
    readonly options: RunningTasksOptions,
    readonly told: {
      /** A task has ended. */
      ended(name: string, how: 'released' | 'otherwise'): void;
      /** Aborted when the worker stops. */
      stopped: AbortSignal;
    },
  ) {
    this.#inputs = new WorkerInputs(options);
    this.#turns = new Turns(() => options.clock.breathe());
    const { cacheEntriesMax, cacheObjectsMax } = options.limits;
    this.#cache = {
      entriesMax: cacheEntriesMax,
      objectsMax: Math.min(cacheObjectsMax, Math.ceil(cacheEntriesMax * OBJECTS_PART_MAX)),
    };
  }

  get size(): number {
    return this.#running.size;
  }

  has(task: TaskId): boolean {
    return this.#running.has(taskName(task));
  }

  /** Whether any task of a generation is still running. */
  hasAnyOf(view: string, generation: number): boolean {
    return [...this.#running.values()].some(
      ({ task }) => task.id.view === view && task.id.generation === generation,
    );
  }

  /** Why the commits of tasks are being refused, by name. */
  get refused(): [name: string, reason: string | null][] {
    return [...this.#running].map(([name, { task }]) => [name, task.refused]);
  }

  /** How long tasks have worked, by name, in milliseconds. */
  get spent(): [name: string, spentMs: number][] {
    return [...this.#running].map(([name, { task }]) => [name, task.options.spent.ms]);
  }

  /** The partitions on whose time their views act. */
  get timedPartitions(): TimedPartition[] {
    return [...this.#running.values()].flatMap(({ task }) => task.timedPartitions);
  }

  /** Values of state in the cache, of all tasks. */
  get cached(): number {
    let cached = 0;
    for (const { task } of this.#running.values()) cached += task.options.view.circuit.cached;
    return cached;
  }

  /** Caches of tasks that stand still settle too: they share the worker's budget. */
  settle(): void {
    for (const { task } of this.#running.values()) task.settle();
  }

  /** Asks all to end that are not to run on: by name, the definition of each that is. */
  keepOnly(wanted: ReadonlyMap<string, string>): void {
    for (const [name, { task }] of this.#running)
      if (wanted.get(name) !== task.options.fingerprint) task.stop();
  }

  /** Asks all to end, and waits until they have. */
  async stop(): Promise<void> {
    for (const { task } of this.#running.values()) task.stop();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /**
   * Claims a task and runs it, if its generation is there to stay. What its owner was attempting is only of interest if it died: one that
   * lives came to the step's end.
   */
  async take({ task: id, owner, epoch }: TaskStatus, died: boolean): Promise<void> {
    const { code, registry, tasks: store, limits, metrics, clock, logger, nonce } = this.options;
    const generation = registry.generation(id.view, id.generation);
    const view = generation && code.view(generation.fingerprint);
    if (!generation || !view || generation.state === 'dropping') return;
    const blamed = store.blamed(generation.fingerprint);
    // It is asked for below; should the claim fail, nobody does.
    blamed.catch(() => {});
    const definition = definitionIn(generation);
    const claimed = await store.claim(id, this.options.id, epoch, {
      definition,
      shape: shapeOf(generation),
    });
    if (claimed === null) return;
    if (claimed.definition !== definition) return this.#refuse(id, claimed, definition);
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
      wasParked: claimed.wasParked,
      fingerprint: generation.fingerprint,
      view: compiled,
      inputs: this.#inputs.inputsOf(id, generation, compiled, entries),
      siblings: this.#inputs.siblingsOf(id, generation, compiled),
      laggards: this.#inputs.laggardsOf(id, generation, compiled),
      sending: this.#inputs.sendingOf(id, generation),
      errorsMax: view.errorsMax,
      store,
      limits,
      metrics,
      clock,
      generation: () => registry.generation(id.view, id.generation),
      nonce,
      step: this.options.step ?? pure,
      spent: new TimeSpent(clock),
      gate: this.#gate,
      turns: this.#turns,
      logger,
    });
    const name = taskName(id);
    const ended = task.run().then((end) => {
      this.#running.delete(name);
      if (end.how === 'parked') logger.error(`${name} is parked.\n${end.reason.message}`);
      if (end.how === 'failed')
        logger.error(`${name} is closed: ${messageOf(end.thrown)}\n${(end.thrown as Error)?.stack ?? ''}`);
      if (end.how === 'fenced')
        logger.warn(`${name} belongs to another worker now; nothing of the last tick was committed here.`);
      this.told.ended(name, end.how === 'released' ? 'released' : 'otherwise');
    });
    this.#running.set(name, { task, ended });
    void this.#followReaders(name, task);
  }

  /** What lies under its name was made by another definition: the registry went back by the moment in which that was begun. */
  async #refuse(id: TaskId, { token, definition: found }: Claimed, definition: string): Promise<void> {
    const { tasks: store, metrics, logger } = this.options;
    const message =
      `What is stored under ${taskName(id)} was made by another definition of the view: the registry lost its last writes, and the number was given twice.\n` +
      `  stored   ${found}\n  wanted   ${definition}\n` +
      `Nothing was added to it. Rebuild the view (\`stillwater rebuild ${id.view}\`): that takes another number.`;
    metrics.parked.add({ view: id.view, reason: 'other-definition' });
    logger.error(`${taskName(id)} is parked.\n${message}`);
    await store.park(id, token, { code: 'other-definition', message });
  }

  /** The ticks up to which readers have read a changelog: as they said, and as they have it now. A slot may have gone back since. */
  async #readOf({ view, ...of }: TaskId): Promise<number[]> {
    const { views, tasks: store } = this.options;
    const readers = await views.readers({ view, ...of });
    const statuses = await store.status([...readers.keys()].flatMap((name) => taskNamed(name) ?? []));
    const stored = statuses.map(({ record }) => record?.positions[`view:${view}`]?.position ?? BEGINNING);
    return [...readers.values(), ...stored.map(tickOf)];
  }

  /**
   * Keeps the changelog of a task as far back as its slowest reader needs it, or needed it a while ago: one whose slot went back wants
   * again what it had read.
   */
  async #followReaders(name: string, task: Task): Promise<void> {
    const { clock, limits } = this.options;
    let asked = 0;
    const needed = new KnownBefore<number>(limits.exchangeKeptMs);
    while (this.#running.get(name)?.task === task) {
      await clock.sleep(limits.readerReportMs, this.told.stopped);
      if (this.told.stopped.aborted) return;
      // Whoever comes after this was asked begins with the rows of a later tick.
      const { tick } = task.record;
      // What has written nothing has nothing to trim.
      if (tick === asked) continue;
      asked = tick;
      const read = await this.#readOf(task.id).catch(() => null);
      if (read === null) continue;
      const at = clock.monotonicMs();
      needed.add(at, Math.min(tick, ...read));
      const from = needed.at(at);
      if (from !== null) task.trimChangelog(Math.min(from.before, from.last));
    }
  }
}
