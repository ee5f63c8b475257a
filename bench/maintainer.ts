import { randomUUID } from 'node:crypto';
import { RedisConnections } from '../src/redis/connections.js';
import { Keyspace } from '../src/redis/keyspace.js';
import { redisPorts } from '../src/redis/redis.module.js';
import { Catalog } from '../src/runtime/catalog.js';
import { deploy } from '../src/runtime/deployment.js';
import { defaultLimits, type Limits } from '../src/runtime/limits.js';
import type { Logger } from '../src/runtime/logger.js';
import type { Generation } from '../src/runtime/ports/registry.js';
import { Parts } from '../src/runtime/parts.js';
import type { TaskId } from '../src/runtime/task-id.js';
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
  readonly #parts: Parts;

  private constructor(options: MaintainerOptions) {
    const id = `bench-${process.pid}-${randomUUID().slice(0, 8)}`;
    const keyspace = new Keyspace(options.prefix);
    const connections = new RedisConnections({ url: options.url });
    this.#views = options.views;
    this.#connections = connections;
    this.#log = new ObservedSourceLog(connections, keyspace, id);
    this.#tasks = new ObservedTaskStore(connections, keyspace);
    this.#parts = new Parts({
      id,
      ports: { ...redisPorts(connections, { prefix: options.prefix }), log: this.#log, tasks: this.#tasks },
      catalog: new Catalog(options.views.map(declared)),
      limits: { ...defaultLimits, ...options.limits },
      logger: () => complain,
    });
  }

  static async start(options: MaintainerOptions): Promise<Maintainer> {
    const maintainer = new Maintainer(options);
    const parts = maintainer.#parts;
    await parts.registry.start();
    await deploy(parts.catalog, { ...parts, logger: complain });
    parts.worker.start();
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
    await this.#parts.registry.change((now) => ({
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
    const [made] = await this.#parts.rebuilder.begin(id, [view], 'building', false);
    const task: TaskId = { view, generation: made!.number, stage: 0, partition: 0 };
    const replayed = this.#tasks.passed([task], stream, end, withinMs);
    let replayedAt: number | null = null;
    void replayed.then(
      (at) => (replayedAt = at),
      () => {},
    );
    for (;;) {
      const { state, reason } = await this.#parts.rebuilder.advance(id);
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
    await this.#parts.rebuilder.begin(id, [view], 'building', false);
    for (;;) {
      const { state, reason } = await this.#parts.rebuilder.advance(id);
      if (state === 'promoted') return performance.now() - startedAt;
      if (state !== 'replaying') throw new Error(`The rebuild of "${view}" is ${state}: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, DRIVE_MS / 5));
    }
  }

  counters(): Counters {
    const { ticks, events, rowChanges, stateReads, stateWrites } = this.#parts.metrics;
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
    await this.#parts.worker.stop();
    await this.#parts.registry.stop();
    await this.#connections.close();
  }

  #task(view: string): TaskId {
    return { view, generation: this.#parts.registry.serving(view)!.number, stage: 0, partition: 0 };
  }
}
