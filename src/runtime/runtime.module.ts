import { randomUUID } from 'node:crypto';
import { type DynamicModule, type FactoryProvider, Logger as NestLogger, Module } from '@nestjs/common';
import { pure } from '../circuit/pure.js';
import { Catalog } from './catalog.js';
import { Clock, SystemClock } from './clock.js';
import { Code } from './code.js';
import { defaultLimits, type Limits } from './limits.js';
import { Metrics } from './metrics.js';
import { Parts } from './parts.js';
import { Registry } from './ports/registry.js';
import { SourceLog } from './ports/source-log.js';
import { TaskStore } from './ports/task-store.js';
import { ViewStore } from './ports/view-store.js';
import { Workers } from './ports/workers.js';
import type { ReadingLimits } from './reading/reading-limits.js';
import { Reading } from './reading/reading.js';
import { Rebuilder } from './rebuilder.js';
import { RegistryWatch } from './registry-watch.js';
import { Runtime } from './runtime.js';
import { Verifier } from './verifier.js';
import { Watchdog } from './watchdog.js';

export const RUNTIME_OPTIONS = Symbol('stillwater runtime options');

export interface RuntimeOptions {
  role: 'all' | 'worker' | 'api';
  limits?: Partial<Limits>;
  reading?: Partial<ReadingLimits>;
  /** A name for this release, where its definitions alone do not make it one. */
  release?: string;
  /** There is no archive any more. */
  archive?: 'none';
}

const LIMITS = Symbol('stillwater limits');
const WATCHDOG = Symbol('stillwater watchdog');

/** The runtime's parts, wired. Needs the ports and `RUNTIME_OPTIONS` and `Catalog` from a global module; starts nothing. */
@Module({})
export class RuntimeModule {
  static readonly providers: FactoryProvider[] = [
    {
      provide: LIMITS,
      inject: [RUNTIME_OPTIONS],
      useFactory: (options: RuntimeOptions): Limits => ({ ...defaultLimits, ...options.limits }),
    },
    { provide: Clock, useFactory: () => new SystemClock() },
    { provide: Metrics, useFactory: () => new Metrics() },
    { provide: Code, useFactory: () => new Code() },
    {
      provide: WATCHDOG,
      inject: [RUNTIME_OPTIONS, LIMITS],
      useFactory: ({ role }: RuntimeOptions, { stepMsMax }: Limits) =>
        role === 'api' ? null : new Watchdog(stepMsMax),
    },
    {
      provide: Parts,
      inject: [
        ...[SourceLog, TaskStore, ViewStore, Registry, Workers],
        ...[Catalog, Code, Clock, Metrics, LIMITS, WATCHDOG],
      ],
      useFactory: (
        log: SourceLog,
        tasks: TaskStore,
        views: ViewStore,
        registry: Registry,
        workers: Workers,
        catalog: Catalog,
        code: Code,
        clock: Clock,
        metrics: Metrics,
        limits: Limits,
        watchdog: Watchdog | null,
      ) =>
        new Parts({
          id: `${process.pid}-${randomUUID().slice(0, 8)}`,
          ports: { log, tasks, views, registry, workers },
          ...{ catalog, code, clock, metrics, limits, logger },
          ...(watchdog && { step: (step) => watchdog.watch(() => pure(step)) }),
        }),
    },
    { provide: RegistryWatch, inject: [Parts], useFactory: ({ registry }: Parts) => registry },
    { provide: Rebuilder, inject: [Parts], useFactory: ({ rebuilder }: Parts) => rebuilder },
    { provide: Verifier, inject: [Parts], useFactory: ({ verifier }: Parts) => verifier },
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
        LIMITS,
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
        { parkedHoldsBackMs }: Limits,
      ) =>
        new Reading({
          ...{ catalog: () => catalog, watch, store, tasks, log, workers, clock, metrics, limits },
          parkedHoldsBackMs,
        }),
    },
    {
      provide: Runtime,
      inject: [RUNTIME_OPTIONS, Parts, WATCHDOG],
      useFactory: ({ release, archive }: RuntimeOptions, parts: Parts, watchdog: Watchdog | null) =>
        new Runtime({
          parts,
          watchdog,
          logger: logger('Deployment'),
          identity: release ?? '',
          ...(archive && { archive }),
        }),
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
