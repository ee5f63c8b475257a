import { randomUUID } from 'node:crypto';
import { type DynamicModule, type FactoryProvider, Logger as NestLogger, Module } from '@nestjs/common';
import { pure } from '../circuit/pure.js';
import { Catalog } from './catalog.js';
import { Clock, SystemClock } from './clock.js';
import { Code } from './code.js';
import { defaultLimits, type Limits } from './limits.js';
import { Metrics } from './metrics.js';
import { Registry } from './ports/registry.js';
import { SourceLog } from './ports/source-log.js';
import { TaskStore } from './ports/task-store.js';
import { ViewStore } from './ports/view-store.js';
import { Workers } from './ports/workers.js';
import type { ReadingLimits } from './reading/reading-limits.js';
import { Reading } from './reading/reading.js';
import { Rebuilder } from './rebuilder.js';
import { RegistryWatch } from './registry-watch.js';
import { Retention } from './retention.js';
import { Runtime } from './runtime.js';
import { Verifier } from './verifier.js';
import { Watchdog } from './watchdog.js';
import { Worker } from './worker.js';

export const RUNTIME_OPTIONS = Symbol('stillwater runtime options');

export interface RuntimeOptions {
  role: 'all' | 'worker' | 'api';
  limits?: Partial<Limits>;
  reading?: Partial<ReadingLimits>;
  /** A name for this release, where its definitions alone do not make it one. */
  release?: string;
}

const LIMITS = Symbol('stillwater limits');
const WORKER_ID = Symbol('stillwater worker id');

/** The runtime's parts, wired. Needs the ports and `RUNTIME_OPTIONS` and `Catalog` from a global module; starts nothing. */
@Module({})
export class RuntimeModule {
  static readonly providers: FactoryProvider[] = [
    {
      provide: LIMITS,
      inject: [RUNTIME_OPTIONS],
      useFactory: (options: RuntimeOptions): Limits => ({ ...defaultLimits, ...options.limits }),
    },
    { provide: WORKER_ID, useFactory: () => `${process.pid}-${randomUUID().slice(0, 8)}` },
    { provide: Clock, useFactory: () => new SystemClock() },
    { provide: Metrics, useFactory: () => new Metrics() },
    { provide: Code, useFactory: () => new Code() },
    {
      provide: RegistryWatch,
      inject: [Registry, Workers, Clock, LIMITS],
      useFactory: (registry: Registry, workers: Workers, clock: Clock, limits: Limits) =>
        new RegistryWatch(registry, workers, clock, limits.registryRefreshMs, logger('Registry')),
    },
    {
      provide: Rebuilder,
      inject: [Catalog, RegistryWatch, TaskStore, SourceLog, Code, Clock, LIMITS],
      useFactory: (
        catalog: Catalog,
        registry: RegistryWatch,
        tasks: TaskStore,
        log: SourceLog,
        code: Code,
        clock: Clock,
        limits: Limits,
      ) => new Rebuilder({ catalog: () => catalog, registry, tasks, log, code, clock, limits }),
    },
    {
      provide: Verifier,
      inject: [Rebuilder, RegistryWatch, TaskStore, ViewStore, SourceLog, Workers, Clock, LIMITS],
      useFactory: (
        rebuilder: Rebuilder,
        registry: RegistryWatch,
        tasks: TaskStore,
        views: ViewStore,
        log: SourceLog,
        workers: Workers,
        clock: Clock,
        limits: Limits,
      ) => new Verifier({ rebuilder, registry, tasks, views, log, workers, clock, limits }),
    },
    {
      provide: Reading,
      inject: [
        RUNTIME_OPTIONS,
        Catalog,
        RegistryWatch,
        ViewStore,
        TaskStore,
        SourceLog,
        Workers,
        Clock,
        Metrics,
      ],
      useFactory: (
        { reading: limits = {} }: RuntimeOptions,
        catalog: Catalog,
        watch: RegistryWatch,
        store: ViewStore,
        tasks: TaskStore,
        log: SourceLog,
        workers: Workers,
        clock: Clock,
        metrics: Metrics,
      ) => new Reading({ catalog: () => catalog, watch, store, tasks, log, workers, clock, metrics, limits }),
    },
    {
      provide: Runtime,
      inject: [
        RUNTIME_OPTIONS,
        Catalog,
        RegistryWatch,
        Workers,
        TaskStore,
        ViewStore,
        SourceLog,
        Code,
        Clock,
        Metrics,
        LIMITS,
        WORKER_ID,
      ],
      useFactory: (
        { role, release: identity = '' }: RuntimeOptions,
        catalog: Catalog,
        registry: RegistryWatch,
        workers: Workers,
        tasks: TaskStore,
        views: ViewStore,
        log: SourceLog,
        code: Code,
        clock: Clock,
        metrics: Metrics,
        limits: Limits,
        id: string,
      ) => {
        if (role === 'api')
          return new Runtime({
            catalog,
            registry,
            code,
            clock,
            logger: logger('Deployment'),
            worker: null,
            retention: null,
            watchdog: null,
            identity,
          });
        const watchdog = new Watchdog(limits.stepMsMax);
        const worker = new Worker({
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
          logger: logger('Worker'),
          nonce: () => randomUUID(),
          step: (step) => watchdog.watch(() => pure(step)),
        });
        const retention = new Retention({
          catalog: () => catalog,
          registry,
          tasks,
          views,
          log,
          workers,
          id,
          clock,
          limits,
          metrics,
          logger: logger('Retention'),
        });
        return new Runtime({
          catalog,
          registry,
          code,
          clock,
          logger: logger('Deployment'),
          worker,
          retention,
          watchdog,
          identity,
        });
      },
    },
  ];

  static forRoot(): DynamicModule {
    return {
      module: RuntimeModule,
      global: true,
      providers: RuntimeModule.providers,
      exports: RuntimeModule.providers.map(({ provide }) => provide),
    };
  }
}

function logger(context: string) {
  const nest = new NestLogger(context);
  return {
    info: (message: string) => nest.log(message),
    warn: (message: string) => nest.warn(message),
    error: (message: string) => nest.error(message),
  };
}

export { LIMITS };
