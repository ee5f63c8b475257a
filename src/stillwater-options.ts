import type { JobLimits } from './jobs/rebuild-queue.js';
import type { RedisAddress } from './redis/redis-address.js';
import type { Limits } from './runtime/limits.js';
import type { ObjectStore } from './runtime/ports/object-store.js';
import type { ServingLimits } from './serving/serving-limits.js';
import type { declarationOf } from './view/declaration-of.js';

/** A stream, table or view as the declaration functions give it. */
export type Declared = Parameters<typeof declarationOf>[0];

export interface StillwaterOptions {
  /**
   * Where Redis is: a URL (`redis://…`, `rediss://…`, `redis+cluster://host,host`, `redis+sentinel://host,host/master`),
   * what `Redis` of ioredis takes, or `{ cluster: nodes, options }` as `Cluster` takes them.
   */
  connection: RedisAddress;
  /** What is maintained and served. What they read is found through them. */
  views: readonly Declared[];
  /** Before all our keys, groups and queues. Default: `sw`. Streams keep their own names. */
  prefix?: string;
  /** `worker` maintains views, `api` only reads them, `all` does both. Default: `all`. */
  role?: 'all' | 'worker' | 'api';
  /** A name for this release: earlier definitions under a new name lead again. Default: the definitions alone. */
  release?: string;
  /**
   * Where what retention takes out of streams is kept, so that views can still be rebuilt from it: a directory, or a store of
   * objects of your own. All processes need the same one. Without it what is trimmed is gone. Once there was one nothing is
   * trimmed without it, until a process says that there is none any more: `'none'`.
   */
  archive?: string | ObjectStore;
  /**
   * How many replicas must have a commit or an append before it counts, and for how long they are waited for at a time
   * (1 s). Default: none. See `docs/what-is-lost-when.md`.
   */
  replicas?: number | { count: number; withinMs: number };
  /** Bounds of the runtime; each has a default. */
  limits?: Partial<Limits>;
  /** Bounds of the jobs that rebuild and verify. */
  jobs?: Partial<JobLimits>;
}

/** Mounting the REST routes. Without it an application that embeds Stillwater gets no route. */
export interface HttpOptions {
  /** What writes and administration must bring as `Authorization: Bearer …`; null asks for nothing. */
  token: string | null;
  /** Bounds of HTTP, and of reading, also by injected readers. */
  limits?: Partial<ServingLimits>;
  /** Answer unknown routes and malformed bodies of the whole application as problems too. */
  standalone?: boolean;
}
