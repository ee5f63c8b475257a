import type { ConnectionOptions } from 'bullmq';
import type { Cluster, RedisOptions } from 'ioredis';
import { type Logger, silent } from '../runtime/logger.js';
import type { JobsShutdown } from './jobs-shutdown.js';
import { defaultJobLimits, type JobLimits } from './rebuild-queue.js';

export const JOBS_OPTIONS = Symbol('stillwater.jobs-options');

export interface JobsOptions {
  /**
   * What ioredis takes (`{ url }`, `{ host, port, … }`), an ioredis instance whose `maxRetriesPerRequest` is null, or what makes
   * a cluster with these settings of its connections.
   */
  readonly connection: ConnectionOptions | ((settings: ConnectionSettings) => Cluster);
  /** All keys of the queue begin with `<prefix>:bull`. */
  readonly prefix: string;
  /** Does this process work on jobs, or only ask for them? True unless said otherwise. */
  readonly worker?: boolean;
  readonly logger?: Logger;
  readonly limits?: Partial<JobLimits>;
}

export type ConnectionSettings = Pick<RedisOptions, 'maxRetriesPerRequest' | 'disconnectTimeout'> & {
  readonly retryStrategy: (attempt: number) => number | null;
};

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
  const settings: ConnectionSettings = {
    maxRetriesPerRequest: null,
    disconnectTimeout: DISCONNECT_MS,
    retryStrategy: (attempt) =>
      shutdown.attemptAfter(Math.min(RECONNECT_MS_MIN * 2 ** Math.min(attempt, 10), RECONNECT_MS_MAX)),
  };
  if (typeof connection === 'function') {
    // BullMQ does not close what it is given.
    const cluster = connection(settings);
    shutdown.closeLast(() => cluster.disconnect());
    return cluster;
  }
  const isInstance = typeof (connection as { duplicate?: unknown }).duplicate === 'function';
  return isInstance ? connection : { ...connection, ...settings };
}
