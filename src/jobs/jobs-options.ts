import type { ConnectionOptions } from 'bullmq';
import { Cluster, type ClusterNode, type ClusterOptions } from 'ioredis';
import { type Logger, silent } from '../runtime/logger.js';
import type { JobsShutdown } from './jobs-shutdown.js';
import { defaultJobLimits, type JobLimits } from './rebuild-queue.js';

export const JOBS_OPTIONS = Symbol('stillwater.jobs-options');

export interface JobsOptions {
  /**
   * What ioredis takes (`{ url }`, `{ host, port, … }`), the nodes of a cluster, or an ioredis instance whose
   * `maxRetriesPerRequest` is null.
   */
  readonly connection: ConnectionOptions | JobsCluster;
  /** All keys of the queue begin with `<prefix>:bull`. */
  readonly prefix: string;
  /** Does this process work on jobs, or only ask for them? True unless said otherwise. */
  readonly worker?: boolean;
  readonly logger?: Logger;
  readonly limits?: Partial<JobLimits>;
}

export interface JobsCluster {
  readonly cluster: readonly ClusterNode[];
  readonly options?: ClusterOptions;
}

export interface JobsSettings {
  readonly worker: boolean;
  readonly logger: Logger;
  readonly limits: JobLimits;
}

export const settingsOf = ({ worker = true, logger = silent, limits }: JobsOptions): JobsSettings => ({
  worker,
  logger,
  limits: { ...defaultJobLimits, ...limits },
});

/** The pause between attempts to connect, at the least and at the most. */
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 1_000;
/** How long ioredis waits for a socket to end that is closed; where its other end had gone before, it waits in vain. */
const DISCONNECT_MS = 100;

/**
 * A worker waits for Redis as long as it takes; who only asks is told after `answerMsMax`. Once the process stops,
 * nothing waits for a Redis that is gone: closing a connection would wait for it too.
 */
export function connectionOf({ connection }: JobsOptions, shutdown: JobsShutdown): ConnectionOptions {
  const settings = {
    maxRetriesPerRequest: null,
    disconnectTimeout: DISCONNECT_MS,
    retryStrategy: (attempt: number) =>
      shutdown.attemptAfter(Math.min(RECONNECT_MS_MIN * 2 ** Math.min(attempt, 10), RECONNECT_MS_MAX)),
  };
  const isInstance = typeof (connection as { duplicate?: unknown }).duplicate === 'function';
  if (isInstance) return connection as ConnectionOptions;
  if (isNodes(connection)) return clusterOf(connection, settings, shutdown);
  return { ...connection, ...settings };
}

const isNodes = (connection: JobsOptions['connection']): connection is JobsCluster =>
  Array.isArray((connection as JobsCluster).cluster);

/** BullMQ makes no connection to a cluster itself, and does not close the one it is given. */
function clusterOf(
  { cluster: nodes, options }: JobsCluster,
  { retryStrategy, ...settings }: { retryStrategy: (attempt: number) => number | null } & object,
  shutdown: JobsShutdown,
): ConnectionOptions {
  const cluster = new Cluster([...nodes], {
    ...options,
    redisOptions: { ...options?.redisOptions, ...settings },
    clusterRetryStrategy: retryStrategy,
    lazyConnect: true,
  });
  shutdown.closeLast(() => cluster.disconnect());
  return cluster;
}
