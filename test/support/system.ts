import { randomUUID } from 'node:crypto';
import { pure } from '../../src/circuit/pure.js';
import { RedisConnections } from '../../src/redis/connections.js';
import type { RedisAddress } from '../../src/redis/redis-address.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { RedisRegistry } from '../../src/redis/redis-registry.js';
import { RedisSourceLog } from '../../src/redis/redis-source-log.js';
import { RedisTaskStore } from '../../src/redis/redis-task-store.js';
import { RedisViewStore } from '../../src/redis/redis-view-store.js';
import { RedisWorkers } from '../../src/redis/redis-workers.js';
import { Catalog } from '../../src/runtime/catalog.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { Code } from '../../src/runtime/code.js';
import { deploy } from '../../src/runtime/deployment.js';
import { defaultLimits, type Limits } from '../../src/runtime/limits.js';
import { type Logger, silent } from '../../src/runtime/logger.js';
import { Metrics } from '../../src/runtime/metrics.js';
import { shownBy } from '../../src/runtime/generation-tasks.js';
import { progressOf } from '../../src/runtime/progress.js';
import { Rebuilder } from '../../src/runtime/rebuilder.js';
import { RegistryWatch } from '../../src/runtime/registry-watch.js';
import { Retention } from '../../src/runtime/retention.js';
import { Verifier } from '../../src/runtime/verifier.js';
import { Worker } from '../../src/runtime/worker.js';
import type { SourceDeclaration } from '../../src/view/plan.js';

export interface SystemOptions {
  url: RedisAddress;
  declarations: readonly SourceDeclaration[];
  prefix?: string;
  commandTimeoutMs?: number;
  limits?: Partial<Limits>;
  logger?: Logger;
  /** Runs one step of a circuit; by default without clock and randomness. */
  step?: <T>(step: () => T) => T;
}

/** One process's runtime over a real Redis, without HTTP and jobs. */
export class System {
  readonly limits: Limits;
  readonly connections: RedisConnections;
  readonly log: RedisSourceLog;
  readonly tasks: RedisTaskStore;
  readonly views: RedisViewStore;
  readonly workers: RedisWorkers;
  readonly registry: RegistryWatch;
  readonly catalog: Catalog;
  readonly code = new Code();
  readonly clock = new SystemClock();
  readonly metrics = new Metrics();
  readonly rebuilder: Rebuilder;
  readonly verifier: Verifier;
  readonly retention: Retention;
  readonly worker: Worker;
  readonly id = `worker-${randomUUID().slice(0, 8)}`;

  constructor(readonly options: SystemOptions) {
    const logger = options.logger ?? silent;
    this.limits = {
      ...defaultLimits,
      leaseMs: 1_000,
      registryRefreshMs: 100,
      readerReportMs: 100,
      ...options.limits,
    };
    this.connections = new RedisConnections({
      ...(typeof options.url === 'string' ? { url: options.url } : { redis: options.url }),
      ...(options.commandTimeoutMs && { commandTimeoutMs: options.commandTimeoutMs }),
    });
    const keyspace = new Keyspace(options.prefix ?? 'sw');
    this.log = new RedisSourceLog(this.connections, keyspace, this.id);
    this.tasks = new RedisTaskStore(this.connections, keyspace);
    this.views = new RedisViewStore(this.connections, keyspace);
    this.workers = new RedisWorkers(this.connections, keyspace);
    this.catalog = new Catalog(options.declarations);
    this.registry = new RegistryWatch(
      new RedisRegistry(this.connections, keyspace),
      this.workers,
      this.clock,
      this.limits.registryRefreshMs,
      logger,
    );
    const { registry, tasks, log, views, workers, code, clock, limits, metrics, id } = this;
    this.rebuilder = new Rebuilder({
      catalog: () => this.catalog,
      registry,
      tasks,
      log,
      code,
      clock,
      limits,
    });
    this.verifier = new Verifier({
      rebuilder: this.rebuilder,
      registry,
      tasks,
      views,
      log,
      workers,
      clock,
      limits,
    });
    this.retention = new Retention({
      catalog: () => this.catalog,
      registry,
      tasks,
      views,
      log,
      workers,
      id,
      clock,
      limits,
      logger,
    });
    this.worker = new Worker({
      id,
      code,
      registry,
      workers,
      tasks,
      views,
      log,
      limits,
      metrics,
      clock,
      logger,
      nonce: () => randomUUID(),
      step: options.step ?? pure,
    });
  }

  static async start(options: SystemOptions): Promise<System> {
    const system = new System(options);
    await system.run();
    return system;
  }

  async run(): Promise<void> {
    await this.registry.start();
    await deploy(this.catalog, {
      registry: this.registry,
      code: this.code,
      clock: this.clock,
      logger: this.options.logger ?? silent,
    });
    this.worker.start();
  }

  /** Ends in order: everything is handed over. */
  async stop(): Promise<void> {
    await this.worker.stop();
    await this.registry.stop();
    await this.connections.close();
  }

  /** The serving rows of a view, by key. */
  async rows(view: string): Promise<Map<string, any>> {
    const generation = this.registry.serving(view)!;
    const rows = new Map<string, any>();
    for (const task of shownBy(generation)) {
      const found = await this.views.all(task, generation.buckets);
      for (const { key, text } of found.rows) rows.set(key, JSON.parse(text));
    }
    return rows;
  }

  /** Waits until the serving generation of a view contains everything its logs hold. */
  async caughtUp(view: string, withinMs = 20_000): Promise<void> {
    await eventually(async () => {
      const generation = this.registry.serving(view);
      if (!generation) return false;
      const progress = await progressOf(generation, this.tasks, this.log);
      return progress.atEnd && progress.statuses.every(({ parked }) => parked === null);
    }, withinMs);
  }
}

/** Asks until the answer is yes. Fails after `withinMs`. */
export async function eventually(
  question: () => Promise<boolean> | boolean,
  withinMs = 10_000,
  everyMs = 10,
): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    if (await question()) return;
    if (performance.now() > until)
      throw new Error(`It did not come true within ${withinMs} ms: ${question.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
