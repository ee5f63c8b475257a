import { randomUUID } from 'node:crypto';
import type { Replicas } from '../../src/redis/acknowledgement.js';
import { RedisConnections } from '../../src/redis/connections.js';
import type { RedisAddress } from '../../src/redis/redis-address.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import { beginArchive } from '../../src/runtime/archive/begin-archive.js';
import { ArchivedLog } from '../../src/runtime/archive/archived-log.js';
import { LogArchive } from '../../src/runtime/archive/log-archive.js';
import { Catalog } from '../../src/runtime/catalog.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { deploy } from '../../src/runtime/deployment.js';
import { defaultLimits, type Limits } from '../../src/runtime/limits.js';
import { type Logger, silent } from '../../src/runtime/logger.js';
import { shownBy } from '../../src/runtime/generation-tasks.js';
import { isTransient } from '../../src/runtime/task-end.js';
import { Parts } from '../../src/runtime/parts.js';
import type { ObjectStore } from '../../src/runtime/ports/object-store.js';
import type { TaskStore } from '../../src/runtime/ports/task-store.js';
import type { ViewStore } from '../../src/runtime/ports/view-store.js';
import type { Workers } from '../../src/runtime/ports/workers.js';
import { progressOf } from '../../src/runtime/progress.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';

export interface SystemOptions {
  url: RedisAddress;
  declarations: readonly SourceDeclaration[];
  prefix?: string;
  commandTimeoutMs?: number;
  limits?: Partial<Limits>;
  logger?: Logger;
  /** Replicas that commits and appends wait for. */
  replicas?: Replicas;
  /** Where what retention takes out of streams goes. */
  archive?: ObjectStore;
  /** Runs one step of a circuit; by default without clock and randomness. */
  step?: <T>(step: () => T) => T;
}

/** One process's runtime over a real Redis, without HTTP and jobs. */
export class System extends Parts {
  readonly connections: RedisConnections;
  readonly tasks: TaskStore;
  readonly views: ViewStore;
  readonly workers: Workers;

  constructor(readonly options: SystemOptions) {
    const connections = new RedisConnections({
      ...(typeof options.url === 'string' ? { url: options.url } : { redis: options.url }),
      ...(options.commandTimeoutMs && { commandTimeoutMs: options.commandTimeoutMs }),
    });
    const { archive } = options;
    const id = `worker-${randomUUID().slice(0, 8)}`;
    const ports = redisPorts(connections, {
      prefix: options.prefix,
      consumer: id,
      replicas: options.replicas,
      archived: archive && ((log) => new ArchivedLog(log, new LogArchive(archive, 'sw', new SystemClock()))),
    });
    super({
      id,
      ports,
      catalog: new Catalog(options.declarations),
      limits: {
        ...defaultLimits,
        leaseMs: 1_000,
        registryRefreshMs: 100,
        readerReportMs: 100,
        ...options.limits,
      },
      logger: () => options.logger ?? silent,
      step: options.step,
    });
    this.connections = connections;
    this.tasks = ports.tasks;
    this.views = ports.views;
    this.workers = ports.workers;
  }

  static async start(options: SystemOptions): Promise<System> {
    const system = new System(options);
    await system.run();
    return system;
  }

  async run(): Promise<void> {
    await this.registry.start();
    await beginArchive({ ...(this as Parts), logger: this.options.logger ?? silent });
    await deploy(this.catalog, { ...(this as Parts), logger: this.options.logger ?? silent });
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
      try {
        const progress = await progressOf(generation, this.tasks, this.log);
        return progress.atEnd && progress.statuses.every(({ parked }) => parked === null);
      } catch (thrown) {
        // Tests break connections, also those they ask over.
        if (isTransient(thrown)) return false;
        throw thrown;
      }
    }, withinMs);
  }
}

/** Asks until the answer is yes. Fails after `withinMs`. */
export async function eventually(
  question: () => Promise<boolean> | boolean,
  withinMs = 20_000,
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
