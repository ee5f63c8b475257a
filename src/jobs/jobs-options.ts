import type { ConnectionOptions } from 'bullmq';
import { type Logger, silent } from '../runtime/logger.js';
import { defaultJobLimits, type JobLimits } from './rebuild-queue.js';

export const JOBS_OPTIONS = Symbol('stillwater.jobs-options');

export interface JobsOptions {
  /** What ioredis takes (`{ url }`, `{ host, port, … }`), or an ioredis instance whose `maxRetriesPerRequest` is null. */
  readonly connection: ConnectionOptions;
  /** All keys of the queue begin with `<prefix>:bull`. */
  readonly prefix: string;
  /** Does this process work on jobs, or only ask for them? True unless said otherwise. */
  readonly worker?: boolean;
  readonly logger?: Logger;
  readonly limits?: Partial<JobLimits>;
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

/** A worker waits for Redis as long as it takes; who only asks is told after `answerMsMax`. */
export function connectionOf({ connection }: JobsOptions): ConnectionOptions {
  const isInstance = typeof (connection as { duplicate?: unknown }).duplicate === 'function';
  return isInstance ? connection : { ...connection, maxRetriesPerRequest: null };
}
