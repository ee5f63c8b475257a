import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import { pure } from '../../src/circuit/pure.js';
import { BullRebuilds } from '../../src/jobs/bull-rebuilds.js';
import { RebuildsProcessor } from '../../src/jobs/rebuilds.processor.js';
import { JobsModule } from '../../src/jobs/jobs.module.js';
import type { JobsOptions } from '../../src/jobs/jobs-options.js';
import { Catalog } from '../../src/runtime/catalog.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { Code } from '../../src/runtime/code.js';
import { deploy, type DeploymentResult } from '../../src/runtime/deployment.js';
import { defaultLimits, type Limits } from '../../src/runtime/limits.js';
import type { Logger } from '../../src/runtime/logger.js';
import { Metrics } from '../../src/runtime/metrics.js';
import { Rebuilder } from '../../src/runtime/rebuilder.js';
import { RegistryWatch } from '../../src/runtime/registry-watch.js';
import { Verifier } from '../../src/runtime/verifier.js';
import { Worker } from '../../src/runtime/worker.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import type { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import type { SourceDeclaration } from '../../src/view/plan.js';

export interface ApplicationOptions {
  /** The Redis of the queue. */
  url: string;
  /** What views and streams lie in; share it between the processes of a test. */
  memory: MemoryRedis;
  declarations: readonly SourceDeclaration[];
  /** Maintains views and works on jobs. */
  worker?: boolean;
  /** Works on jobs, if `worker` is not said to be false. */
  jobs?: Partial<JobsOptions>;
  limits?: Partial<Limits>;
}

/** One process of an application: its queue on a real Redis, its views in a memory that others share. */
export class Application {
  readonly warnings: string[] = [];
  readonly id = `worker-${randomUUID().slice(0, 8)}`;
  readonly registry: RegistryWatch;
  readonly rebuilder: Rebuilder;
  readonly verifier: Verifier;
  readonly ports: ReturnType<typeof memoryPorts>;
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly #worker: Worker;
  readonly #code = new Code();
  readonly #clock = new SystemClock();
  #module: TestingModule | null = null;
  deployment: DeploymentResult | null = null;

  constructor(readonly options: ApplicationOptions) {
    const limits: Limits = {
      ...defaultLimits,
      leaseMs: 1_000,
      registryRefreshMs: 50,
      readerReportMs: 50,
      waitMs: 50,
      ...options.limits,
    };
    this.logger = {
      info: () => {},
      warn: (message) => this.warnings.push(message),
      error: (message) => this.warnings.push(message),
    };
    this.ports = memoryPorts(options.memory);
    this.catalog = new Catalog(options.declarations);
    const { log, tasks, views, workers } = this.ports;
    const { logger, id } = this;
    const [clock, code] = [this.#clock, this.#code];
    const registry = new RegistryWatch(this.ports.registry, workers, clock, limits.registryRefreshMs, logger);
    this.registry = registry;
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
    this.#worker = new Worker({
      id,
      code,
      registry,
      workers,
      tasks,
      views,
      log,
      limits,
      metrics: new Metrics(),
      clock,
      logger,
      nonce: () => randomUUID(),
      step: pure,
    });
  }

  get processor(): RebuildsProcessor {
    return this.#module!.get(RebuildsProcessor);
  }

  get rebuilds(): BullRebuilds {
    return this.#module!.get(BullRebuilds);
  }

  async start(): Promise<this> {
    const { url, worker = true, jobs } = this.options;
    await this.registry.start();
    this.deployment = await deploy(this.catalog, {
      registry: this.registry,
      code: this.#code,
      clock: this.#clock,
      logger: this.logger,
    });
    if (worker) this.#worker.start();
    @Global()
    @Module({
      providers: [
        { provide: Rebuilder, useValue: this.rebuilder },
        { provide: Verifier, useValue: this.verifier },
      ],
      exports: [Rebuilder, Verifier],
    })
    class RuntimeModule {}
    this.#module = await Test.createTestingModule({
      imports: [
        RuntimeModule,
        JobsModule.forRoot({
          connection: { url },
          prefix: 'sw',
          worker,
          logger: this.logger,
          ...jobs,
          limits: { driveMs: 20, restMs: 100, ...jobs?.limits },
        }),
      ],
    }).compile();
    await this.#module.init();
    return this;
  }

  async append(redisKey: string, ...events: unknown[]): Promise<void> {
    await this.ports.log.append({
      redisKey,
      entries: events.map((event) => ['data', JSON.stringify(event)]),
      idempotencyKey: null,
      memoryMs: 0,
    });
  }

  async stop(): Promise<void> {
    await this.#module?.close();
    await this.#worker.stop();
    await this.registry.stop();
  }
}
