import { randomUUID } from 'node:crypto';
import { pure } from '../src/circuit/pure.js';
import { RedisConnections } from '../src/redis/connections.js';
import { Keyspace } from '../src/redis/keyspace.js';
import { RedisRegistry } from '../src/redis/redis-registry.js';
import { RedisViewStore } from '../src/redis/redis-view-store.js';
import { RedisWorkers } from '../src/redis/redis-workers.js';
import { Catalog } from '../src/runtime/catalog.js';
import { SystemClock } from '../src/runtime/clock.js';
import { Code } from '../src/runtime/code.js';
import { deploy } from '../src/runtime/deployment.js';
import { defaultLimits, type Limits } from '../src/runtime/limits.js';
import type { Logger } from '../src/runtime/logger.js';
import { Metrics } from '../src/runtime/metrics.js';
import type { Generation } from '../src/runtime/ports/registry.js';
import { Rebuilder } from '../src/runtime/rebuilder.js';
import { RegistryWatch } from '../src/runtime/registry-watch.js';
import type { TaskId } from '../src/runtime/task-id.js';
import { Worker } from '../src/runtime/worker.js';
import { sourcesOf } from '../src/view/plan-nodes.js';
import { cpuMs, type Took } from './cost.js';
import { declared, type ViewSpec } from './declared-views.js';
import { ObservedSourceLog, ObservedTaskStore } from './observed.js';

export interface MaintainerOptions {
  url: string;
  prefix: string;
  views: readonly ViewSpec[];
  limits?: Partial<Limits>;
}

/** Where the log ends that is to be contained, and how long to wait for it. */
export interface Until {
  view: string;
  stream: string;
  end: string;
  withinMs: number;
}

/** By stream: where its log ends. */
export type Ends = Readonly<Record<string, string>>;

/** What a worker had done up to a moment. */
export interface Counters {
  ticks: number;
  events: number;
  rowChanges: number;
  stateReads: number;
  stateWrites: number;
}

const complain: Logger = {
  info: () => {},
  warn: (message) => console.error(message),
  error: (message) => console.error(message),
};

/** How often whoever drives a rebuild looks at it. */
const DRIVE_MS = 500;

/** One process of the service as far as it maintains views: everything but HTTP and jobs, real in every part. */
export class Maintainer {
  readonly #views: readonly ViewSpec[];
  readonly #connections: RedisConnections;
  readonly #log: ObservedSourceLog;
  readonly #tasks: ObservedTaskStore;
  readonly #registry: RegistryWatch;
  readonly #metrics = new Metrics();
  readonly #rebuilder: Rebuilder;
  readonly #worker: Worker;

  private constructor(options: MaintainerOptions) {
    const id = `bench-${process.pid}-${randomUUID().slice(0, 8)}`;
    const declarations = options.views.map(declared);
    const limits: Limits = { ...defaultLimits, ...options.limits };
    const clock = new SystemClock();
    const code = new Code();
    const keyspace = new Keyspace(options.prefix);
    const connections = new RedisConnections({ url: options.url });
    const workers = new RedisWorkers(connections, keyspace);
    const views = new RedisViewStore(connections, keyspace);
    const catalog = new Catalog(declarations);
    this.#views = options.views;
    this.#connections = connections;
    this.#log = new ObservedSourceLog(connections, keyspace, id);
    this.#tasks = new ObservedTaskStore(connections, keyspace);
    this.#registry = new RegistryWatch(
      new RedisRegistry(connections, keyspace),
      workers,
      clock,
      limits.registryRefreshMs,
      complain,
    );
    const parts = { registry: this.#registry, tasks: this.#tasks, log: this.#log, code, clock, limits };
    this.#rebuilder = new Rebuilder({ ...parts, catalog: () => catalog });
    this.#worker = new Worker({
      ...parts,
      id,
      workers,
      views,
      metrics: this.#metrics,
      logger: complain,
      nonce: () => randomUUID(),
      step: pure,
    });
    this.#start = async () => {
      await this.#registry.start();
      await deploy(catalog, { registry: this.#registry, code, clock, logger: complain });
      this.#worker.start();
    };
  }

  readonly #start: () => Promise<void>;

  static async start(options: MaintainerOptions): Promise<Maintainer> {
    const maintainer = new Maintainer(options);
    await maintainer.#start();
    return maintainer;
  }

  /** What it took from the first read (since the views were last let go) until all of them contain the log up to its end. */
  maintained({ stream, end, withinMs }: Omit<Until, 'view'>): Promise<Took> {
    return this.maintainedAll({ ends: { [stream]: end }, withinMs });
  }

  /** The same of views that read several streams. */
  async maintainedAll({ ends, withinMs }: { ends: Ends; withinMs: number }): Promise<Took> {
    const tasks = this.#views.map(({ name }) => this.#task(name));
    const passed = Object.entries(ends).map(([stream, end]) =>
      this.#tasks.passed(tasks, stream, end, withinMs),
    );
    const endedAt = Math.max(...(await Promise.all(passed)));
    // What a task contained when it was taken needs no reading.
    if (this.#log.firstRead === null) return { ms: 0, cpuMs: 0 };
    const { at, cpu } = this.#log.firstRead;
    return { ms: endedAt - at, cpuMs: cpuMs(process.cpuUsage(cpu)) };
  }

  /** Whether a view reads this stream. */
  reads(stream: string): boolean {
    return this.#views.some((spec) =>
      sourcesOf(declared(spec).plan).some((source) => 'redisKey' in source && source.redisKey === stream),
    );
  }

  /** Holds the views, so that a log can grow before it is read; or lets them go, and measures from there. */
  async pause(paused: boolean): Promise<void> {
    if (!paused) this.#log.restart();
    const names = new Set(this.#views.map(({ name }) => name));
    await this.#registry.change((now) => ({
      puts: now.generations
        .filter(({ view, state }) => names.has(view) && state === 'serving')
        .map((generation): Generation => ({ ...generation, paused })),
    }));
  }

  /** Milliseconds from asking for a view's task to the answer to its first commit. */
  claimToCommitMs({ view, withinMs }: { view: string; withinMs: number }): Promise<number> {
    return this.#tasks.claimToCommitMs(this.#task(view), withinMs);
  }

  /** Rebuilds a view. Milliseconds from asking for it until the new generation contains the log, and until it serves. */
  async rebuild({ view, stream, end, withinMs }: Until): Promise<{ replayedMs: number; promotedMs: number }> {
    const id = randomUUID();
    const startedAt = performance.now();
    const [made] = await this.#rebuilder.begin(id, [view], 'building', false);
    const task: TaskId = { view, generation: made!.number, stage: 0, partition: 0 };
    const replayed = this.#tasks.passed([task], stream, end, withinMs);
    let replayedAt: number | null = null;
    void replayed.then(
      (at) => (replayedAt = at),
      () => {},
    );
    for (;;) {
      const { state, reason } = await this.#rebuilder.advance(id);
      if (state === 'promoted') break;
      if (state !== 'replaying') throw new Error(`The rebuild of "${view}" is ${state}: ${reason}`);
      if (replayedAt === null)
        await Promise.race([replayed, new Promise((resolve) => setTimeout(resolve, DRIVE_MS))]);
    }
    const promotedAt = performance.now();
    return { replayedMs: (await replayed) - startedAt, promotedMs: promotedAt - startedAt };
  }

  /** Rebuilds a view whatever its tasks are, and wherever they run. Milliseconds until the new generation serves. */
  async replaced(view: string): Promise<number> {
    const id = randomUUID();
    const startedAt = performance.now();
    await this.#rebuilder.begin(id, [view], 'building', false);
    for (;;) {
      const { state, reason } = await this.#rebuilder.advance(id);
      if (state === 'promoted') return performance.now() - startedAt;
      if (state !== 'replaying') throw new Error(`The rebuild of "${view}" is ${state}: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, DRIVE_MS / 5));
    }
  }

  counters(): Counters {
    const { ticks, events, rowChanges, stateReads, stateWrites } = this.#metrics;
    const total = (series: typeof ticks): number => {
      let sum = 0;
      for (const { value } of series.values()) sum += value;
      return sum;
    };
    return {
      ticks: total(ticks),
      events: total(events),
      rowChanges: total(rowChanges),
      stateReads: total(stateReads),
      stateWrites: total(stateWrites),
    };
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.#registry.stop();
    await this.#connections.close();
  }

  #task(view: string): TaskId {
    return { view, generation: this.#registry.serving(view)!.number, stage: 0, partition: 0 };
  }
}
