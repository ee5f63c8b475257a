import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Injectable,
  Logger,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { ConnectionOptions } from 'bullmq';
import { StillwaterError } from './errors/stillwater-error.js';
import { DirectoryStore } from './archive/directory-store.js';
import { HealthModule } from './health/health.module.js';
import { BullRebuilds } from './jobs/bull-rebuilds.js';
import type { JobsOptions } from './jobs/jobs-options.js';
import { JobsModule } from './jobs/jobs.module.js';
import { connectionLimits } from './redis/connection-limits.js';
import { queueCluster } from './redis/connect.js';
import { RedisConnections } from './redis/connections.js';
import { isCluster, isRedisUrl, type RedisAddress, resolved, shownAddress } from './redis/redis-address.js';
import { RedisModule, type RedisModuleOptions } from './redis/redis.module.js';
import { requireRedis } from './redis/require-redis.js';
import { ArchivedLog } from './runtime/archive/archived-log.js';
import { LogArchive } from './runtime/archive/log-archive.js';
import { Catalog } from './runtime/catalog.js';
import { SystemClock } from './runtime/clock.js';
import { Metrics } from './runtime/metrics.js';
import { RUNTIME_OPTIONS, type RuntimeOptions, RuntimeModule } from './runtime/runtime.module.js';
import { Runtime } from './runtime/runtime.js';
import { Reading } from './runtime/reading/reading.js';
import { ServingModule } from './serving/serving.module.js';
import type { Declared, HttpOptions, StillwaterOptions } from './stillwater-options.js';
import { checkDeclarations } from './view/declaration-errors.js';
import { declarationOf } from './view/declaration-of.js';

export {
  ViewReader,
  type Changes,
  type ReadOptions,
  type Rows,
  type RowsOptions,
} from './runtime/view-reader.js';
export { ObjectStore } from './runtime/ports/object-store.js';
export { servingAdapter } from './serving/serving-adapter.js';
export type { ClusterAddress, RedisAddress } from './redis/redis-address.js';
export type { Declared, HttpOptions, StillwaterOptions } from './stillwater-options.js';

const OPTIONS = Symbol('stillwater options');

/** The injection token of a view's reader. */
export const getViewToken = (view: Declared | string): string =>
  `stillwater view ${typeof view === 'string' ? view : declarationOf(view)?.name}`;

/** Injects the typed reader of a view: `@InjectView(orders) private readonly orders: ViewReader<RowOf<typeof orders>>`. */
export const InjectView = (view: Declared | string): ParameterDecorator & PropertyDecorator =>
  Inject(getViewToken(view));

export interface StillwaterAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  inject?: any[];
  /** Everything but the views, which are known when modules are put together. */
  useFactory: (
    ...dependencies: any[]
  ) => Omit<StillwaterOptions, 'views'> | Promise<Omit<StillwaterOptions, 'views'>>;
  views: readonly Declared[];
  http?: HttpOptions;
}

/**
 * Starts when everything is wired, and hands over before anything is taken down. Nest runs the second only for
 * applications that call `enableShutdownHooks()` or `close()`; without it others wait until the lease has ended.
 */
@Injectable()
class StillwaterLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(OPTIONS) private readonly options: StillwaterOptions,
    @Inject(Runtime) private readonly runtime: Runtime,
    @Inject(BullRebuilds) private readonly rebuilds: BullRebuilds,
    @Inject(Reading) private readonly reading: Reading,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { created, changed, orphaned, superseded, release } = await this.runtime.start();
    const logger = new Logger('Stillwater');
    const { size } = this.runtime.options.parts.catalog.views;
    const role = this.options.role ?? 'all';
    logger.log(
      `Release ${release}: ${size} ${size === 1 ? 'view' : 'views'}${created.length > 0 ? `, new: ${created.join(', ')}` : ''}.`,
    );
    if (orphaned.length > 0)
      logger.warn(
        `Kept, but declared no longer: ${orphaned.join(', ')}. \`stillwater drop <view>\` drops what nobody declares.`,
      );
    if (changed.length > 0 && !superseded)
      logger.log(`Changed: ${changed.join(', ')}. They are rebuilt behind the generations that serve.`);
    // Also where nothing changed: rebuilds under way for other definitions than these are called off.
    if (!superseded && role !== 'api') await this.rebuilds.startChanged(changed, release);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.reading.close();
    await this.runtime.stop();
  }
}

/** Stillwater inside a Nest application: `StillwaterModule.forRoot({ connection, views })`. Mounts no route unless `http` is given. */
@Module({})
export class StillwaterModule {
  static forRoot({ http, ...options }: StillwaterOptions & { http?: HttpOptions }): DynamicModule {
    return StillwaterModule.forRootAsync({
      useFactory: () => options,
      views: options.views,
      ...(http && { http }),
    });
  }

  static forRootAsync({
    imports = [],
    inject = [],
    useFactory,
    views,
    http,
  }: StillwaterAsyncOptions): DynamicModule {
    const declarations = views
      .map((view) => declarationOf(view))
      .filter((declaration) => declaration !== null);
    checkDeclarations(declarations);
    const catalog = new Catalog(declarations);
    const options: DynamicModule = {
      module: StillwaterOptionsModule,
      global: true,
      imports,
      providers: [
        {
          provide: OPTIONS,
          inject,
          useFactory: async (...dependencies: any[]): Promise<StillwaterOptions> => ({
            ...(await useFactory(...dependencies)),
            views,
          }),
        },
        {
          provide: RUNTIME_OPTIONS,
          inject: [OPTIONS],
          useFactory: ({ role = 'all', limits, release, archive }: StillwaterOptions): RuntimeOptions => ({
            role,
            ...(archive === 'none' && { archive }),
            ...(limits && { limits }),
            ...(http?.limits && { reading: http.limits }),
            ...(release && { release }),
          }),
        },
        { provide: Catalog, useValue: catalog },
      ],
      exports: [OPTIONS, RUNTIME_OPTIONS, Catalog],
    };
    const tokens = [...catalog.views.keys()].map((name) => ({
      provide: getViewToken(name),
      inject: [Reading],
      useFactory: (reading: Reading) => reading.view(name),
    }));
    return {
      module: StillwaterModule,
      global: true,
      imports: [
        options,
        RedisModule.forRootAsync({ inject: [OPTIONS, Metrics], useFactory: redisOptions }),
        RuntimeModule.forRoot(),
        JobsModule.forRootAsync({
          inject: [OPTIONS, RedisConnections],
          useFactory: async (
            { connection, prefix = 'sw', role = 'all', jobs }: StillwaterOptions,
            connections: RedisConnections,
          ) => {
            // Here, because a queue writes to Redis as soon as it is made.
            await requireRedis(connections, connection, prefix);
            return {
              connection: jobsConnection(connection),
              prefix,
              worker: role !== 'api',
              logger: jobsLogger(),
              ...(jobs && { limits: jobs }),
            };
          },
        }),
        ...(http ? [ServingModule.forRoot(http), HealthModule.forRoot()] : []),
      ],
      providers: [StillwaterLifecycle, ...tokens],
      exports: tokens.map(({ provide }) => provide),
    };
  }
}

@Module({})
class StillwaterOptionsModule {}

function redisOptions(
  { connection, prefix = 'sw', archive, replicas = 0 }: StillwaterOptions,
  metrics: Metrics,
): RedisModuleOptions {
  if (!connection)
    throw new StillwaterError('no-connection', {
      what: 'StillwaterModule was given no `connection`.',
      consequence: 'Nothing was started.',
      remedy:
        "Say where Redis is: StillwaterModule.forRoot({ connection: 'redis://127.0.0.1:6379', views: [...] }).",
    });
  if (typeof connection === 'string' && connection.startsWith('redis') && !isRedisUrl(connection))
    throw new StillwaterError('wrong-connection', {
      what: 'The `connection` that StillwaterModule was given is no address of a Redis.',
      evidence: `  connection  ${shownAddress(connection)}`,
      consequence: 'Nothing was started.',
      remedy:
        'Write it as redis://user:password@host:6379/0, with the number of a database or without; docs/operating.md has all forms.',
    });
  return {
    ...(typeof connection === 'string' ? { url: connection } : { redis: connection }),
    prefix,
    onUnanswered: () => metrics.connectionsReplaced.add(),
    replicas:
      typeof replicas === 'number'
        ? { count: replicas, withinMs: connectionLimits.replicasWithinMs }
        : replicas,
    ...(archive && archive !== 'none' && { archived: archivedIn(archive, prefix) }),
  };
}

function archivedIn(
  archive: NonNullable<StillwaterOptions['archive']>,
  prefix: string,
): NonNullable<RedisModuleOptions['archived']> {
  const store = typeof archive === 'string' ? new DirectoryStore(archive) : archive;
  return (log) => new ArchivedLog(log, new LogArchive(store, prefix, new SystemClock()));
}

/** What the queue takes: a URL of one server is left to ioredis to read, and no cluster is connected to by BullMQ itself. */
function jobsConnection(connection: RedisAddress): JobsOptions['connection'] {
  const address = resolved(connection);
  if (typeof address === 'string') return { url: address };
  return isCluster(address) ? (settings) => queueCluster(address, settings) : (address as ConnectionOptions);
}

function jobsLogger() {
  const nest = new Logger('Rebuilds');
  return {
    info: (message: string) => nest.log(message),
    warn: (message: string) => nest.warn(message),
    error: (message: string) => nest.error(message),
  };
}
