import type { Redis } from 'ioredis';
import { StillwaterError } from '../errors/stillwater-error.js';
import { isReply } from './replies.js';
import { rightsOf } from './rights.js';

/** A fact that could not be read: the Redis does not let us, or does not say. Not the same as "no". */
export type Known<T> = T | 'unknown';

export interface RedisFacts {
  version: Known<string>;
  role: Known<string>;
  cluster: Known<boolean>;
  appendOnly: Known<boolean>;
  /** `always`, `everysec`, `no`. */
  appendFsync: Known<string>;
  /** The rules by which snapshots are saved; empty if none are. */
  save: Known<string>;
  evictionPolicy: Known<string>;
  /** 0 where there is no limit. */
  maxMemoryBytes: Known<number>;
  usedMemoryBytes: Known<number>;
  /** Keys evicted since the start. */
  evictedKeys: Known<number>;
  replicas: Known<number>;
  user: Known<string>;
  /** Commands that are needed, and whether this user may. */
  rights: Known<Readonly<Record<string, boolean>>>;
}

/** Reads what promises depend on. Whatever Redis does not tell is `unknown`; only a lost connection is an error. */
export async function readRedisFacts(redis: Redis, prefix: string): Promise<RedisFacts> {
  const info = await infoOf(redis);
  const of = (field: string): Known<string> => info.get(field) ?? 'unknown';
  const number = (text: Known<string>): Known<number> => (text === 'unknown' ? text : Number(text));
  const user = await known(async () => String(await redis.call('ACL', 'WHOAMI')));
  const appendOnly = await configOf(redis, 'appendonly');
  const policy = of('maxmemory_policy');
  const cluster = of('cluster_enabled');
  return {
    version: of('redis_version'),
    role: of('role'),
    cluster: cluster === 'unknown' ? cluster : cluster === '1',
    appendOnly:
      appendOnly !== 'unknown'
        ? appendOnly === 'yes'
        : of('aof_enabled') === 'unknown'
          ? 'unknown'
          : of('aof_enabled') === '1',
    appendFsync: await configOf(redis, 'appendfsync'),
    save: await configOf(redis, 'save'),
    evictionPolicy: policy === 'unknown' ? await configOf(redis, 'maxmemory-policy') : policy,
    maxMemoryBytes: number(of('maxmemory')),
    usedMemoryBytes: number(of('used_memory')),
    evictedKeys: number(of('evicted_keys')),
    replicas: number(of('connected_slaves')),
    user,
    rights:
      user === 'unknown'
        ? 'unknown'
        : await known(() => rightsOf(redis, { user, prefix, isCluster: cluster === '1' })),
  };
}

/**
 * Refuses a Redis on which the promises cannot hold: one without the commands we need, or one that may evict our keys.
 * What is unknown is not refused.
 * @throws StillwaterError `redis-version`, `redis-evicts`, `redis-replica`
 */
export function checkRedis(facts: RedisFacts): void {
  if (facts.version !== 'unknown' && Number(facts.version.split('.')[0]) < 7)
    throw new StillwaterError('redis-version', {
      what: 'This Redis is too old for Stillwater.',
      evidence: `  version   ${facts.version}\n  needed    7.0 or newer`,
      consequence: 'Nothing was started and nothing was written.',
      remedy: 'Use Redis 7.0 or newer, or Valkey; REDIS_URL says which.',
    });
  if (facts.evictionPolicy.startsWith('allkeys-'))
    throw new StillwaterError('redis-evicts', {
      what: 'This Redis may evict the keys in which views are kept.',
      evidence: `  maxmemory-policy   ${facts.evictionPolicy}\n  needed             noeviction`,
      consequence: 'Nothing was started: a view that loses keys is wrong, and nothing would say so.',
      remedy: 'CONFIG SET maxmemory-policy noeviction, or a Redis of its own for Stillwater.',
    });
  if (facts.role === 'slave')
    throw new StillwaterError('redis-replica', {
      what: 'This Redis is a replica.',
      evidence: `  role     ${facts.role}\n  needed   master`,
      consequence: 'Nothing was started: a replica takes no writes.',
      remedy: 'Point REDIS_URL to the master.',
    });
}

async function infoOf(redis: Redis): Promise<Map<string, string>> {
  const text = await known(() => redis.info());
  const fields = new Map<string, string>();
  if (text === 'unknown') return fields;
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

const configOf = (redis: Redis, name: string): Promise<Known<string>> =>
  known(async () => {
    const [, value] = (await redis.config('GET', name)) as string[];
    return value ?? 'unknown';
  });

/** The answer, or `unknown` where Redis answers with an error. */
async function known<T>(ask: () => Promise<T>): Promise<Known<T>> {
  try {
    return await ask();
  } catch (thrown) {
    if (isReply(thrown)) return 'unknown';
    throw thrown;
  }
}
