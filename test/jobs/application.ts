import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import { BullRebuilds } from '../../src/jobs/bull-rebuilds.js';
import { RebuildsProcessor } from '../../src/jobs/rebuilds.processor.js';
import { JobsModule } from '../../src/jobs/jobs.module.js';
import type { JobsOptions } from '../../src/jobs/jobs-options.js';
import { Catalog } from '../../src/runtime/catalog.js';
import { deploy, type DeploymentResult } from '../../src/runtime/deployment.js';
import { defaultLimits, type Limits } from '../../src/runtime/limits.js';
import type { Logger } from '../../src/runtime/logger.js';
import { Parts } from '../../src/runtime/parts.js';
import { Rebuilder } from '../../src/runtime/rebuilder.js';
import { RegistryWatch } from '../../src/runtime/registry-watch.js';
import { Verifier } from '../../src/runtime/verifier.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import type { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';

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
  readonly ports: ReturnType<typeof memoryPorts>;
  readonly parts: Parts;
  readonly logger: Logger;
  #module: TestingModule | null = null;
  deployment: DeploymentResult | null = null;

  constructor(readonly options: ApplicationOptions) {
    const logger = {
      info: () => {},
      warn: (message: string) => void this.warnings.push(message),
      error: (message: string) => void this.warnings.push(message),
    };
    this.logger = logger;
    this.ports = memoryPorts(options.memory);
    this.parts = new Parts({
      id: `worker-${randomUUID().slice(0, 8)}`,
      ports: this.ports,
      catalog: new Catalog(options.declarations),
      limits: {
        ...defaultLimits,
        leaseMs: 1_000,
        registryRefreshMs: 50,
        readerReportMs: 50,
        waitMs: 50,
        ...options.limits,
      },
      logger: () => logger,
    });
  }

  get registry(): RegistryWatch {
    return this.parts.registry;
  }

  get catalog(): Catalog {
    return this.parts.catalog;
  }

  get rebuilder(): Rebuilder {
    return this.parts.rebuilder;
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
    this.deployment = await deploy(this.catalog, { ...this.parts, logger: this.logger });
    if (worker) this.parts.worker.start();
    @Global()
    @Module({
      providers: [
        { provide: Rebuilder, useValue: this.rebuilder },
        { provide: Verifier, useValue: this.parts.verifier },
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
    await this.parts.worker.stop();
    await this.registry.stop();
  }
}
