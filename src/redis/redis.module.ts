import {
  type DynamicModule,
  Inject,
  Logger,
  Module,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import type { Ports } from '../runtime/ports/ports.js';
import { Registry } from '../runtime/ports/registry.js';
import { SourceLog } from '../runtime/ports/source-log.js';
import { TaskStore } from '../runtime/ports/task-store.js';
import { ViewStore } from '../runtime/ports/view-store.js';
import { Workers } from '../runtime/ports/workers.js';
import { Acknowledgement, type Replicas } from './acknowledgement.js';
import { type RedisConnectionOptions, RedisConnections } from './connections.js';
import { Keyspace } from './keyspace.js';
import { RedisRegistry } from './redis-registry.js';
import { RedisSourceLog } from './redis-source-log.js';
import { RedisTaskStore } from './redis-task-store.js';
import { RedisViewStore } from './redis-view-store.js';
import { RedisWorkers } from './redis-workers.js';

export interface RedisModuleOptions extends RedisConnectionOptions {
  /** Before all our keys, and the name of our consumer groups. */
  prefix?: string;
  /** Who reads in the consumer groups. */
  consumer?: string;
  /** Replicas that must have commits and appends before they count. */
  replicas?: Replicas;
  /** What is read through before Redis is: an archive of what streams hold no longer. */
  archived?: (log: SourceLog) => SourceLog;
}

export interface RedisModuleAsyncOptions {
  imports?: DynamicModule['imports'];
  inject?: any[];
  useFactory: (...args: any[]) => RedisModuleOptions | Promise<RedisModuleOptions>;
}

/** Injection token of the options. */
export const REDIS_OPTIONS = Symbol('RedisModuleOptions');

/** Every port, filled by Redis over one set of connections: without Nest, for the command line and for tests. */
export function redisPorts(
  connections: RedisConnections,
  options: Pick<RedisModuleOptions, 'prefix' | 'consumer' | 'archived' | 'replicas'> = {},
): Ports {
  const keyspace = new Keyspace(options.prefix);
  const { replicas } = options;
  const acknowledgement = (use: 'commits' | 'appends'): Acknowledgement | null =>
    replicas && replicas.count > 0 ? new Acknowledgement(connections, use, keyspace, replicas) : null;
  const log = new RedisSourceLog(connections, keyspace, options.consumer, acknowledgement('appends'));
  return {
    log: options.archived?.(log) ?? log,
    tasks: new RedisTaskStore(connections, keyspace, acknowledgement('commits')),
    views: new RedisViewStore(connections, keyspace),
    registry: new RedisRegistry(connections, keyspace),
    workers: new RedisWorkers(connections, keyspace),
  };
}

const PORTS = Symbol('RedisPorts');

const PROVIDERS: Provider[] = [
  {
    provide: RedisConnections,
    inject: [REDIS_OPTIONS],
    useFactory: (options: RedisModuleOptions) => {
      const logger = new Logger('Redis');
      return new RedisConnections({ log: (message) => logger.warn(message), ...options });
    },
  },
  {
    provide: PORTS,
    inject: [RedisConnections, REDIS_OPTIONS],
    useFactory: (connections: RedisConnections, options: RedisModuleOptions) =>
      redisPorts(connections, options),
  },
  {
    provide: Keyspace,
    inject: [REDIS_OPTIONS],
    useFactory: (options: RedisModuleOptions) => new Keyspace(options.prefix),
  },
  { provide: SourceLog, inject: [PORTS], useFactory: (ports: Ports) => ports.log },
  { provide: TaskStore, inject: [PORTS], useFactory: (ports: Ports) => ports.tasks },
  { provide: ViewStore, inject: [PORTS], useFactory: (ports: Ports) => ports.views },
  { provide: Registry, inject: [PORTS], useFactory: (ports: Ports) => ports.registry },
  { provide: Workers, inject: [PORTS], useFactory: (ports: Ports) => ports.workers },
];

const EXPORTS = [RedisConnections, Keyspace, SourceLog, TaskStore, ViewStore, Registry, Workers];

/** Binds the runtime's ports to Redis, for the whole application. Its connections are closed last, when everything has stopped. */
@Module({})
export class RedisModule implements OnApplicationShutdown {
  constructor(@Inject(RedisConnections) private readonly connections: RedisConnections) {}

  static forRoot(options: RedisModuleOptions): DynamicModule {
    return {
      module: RedisModule,
      global: true,
      providers: [{ provide: REDIS_OPTIONS, useValue: options }, ...PROVIDERS],
      exports: EXPORTS,
    };
  }

  static forRootAsync({ imports, inject, useFactory }: RedisModuleAsyncOptions): DynamicModule {
    return {
      module: RedisModule,
      global: true,
      imports: imports ?? [],
      providers: [{ provide: REDIS_OPTIONS, inject: inject ?? [], useFactory }, ...PROVIDERS],
      exports: EXPORTS,
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connections.close();
  }
}
