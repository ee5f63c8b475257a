import type { Redis } from 'ioredis';
import { StillwaterError } from '../errors/stillwater-error.js';
import { isReply } from './replies.js';

/** A fact that could not be read: the Redis does not let us, or does not say. Not the same as "no". */
export type Known<T> = T | 'unknown';

export interface RedisFacts {
  version: Known<string>;
  mode: Known<string>;
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
  /** Commands Stillwater uses, and whether this user may. */
  rights: Known<Readonly<Record<string, boolean>>>;
}

/** One call of each kind that Stillwater makes, for `ACL DRYRUN`. */
const NEEDED: readonly (readonly string[])[] = [
  ['evalsha', '0000000000000000000000000000000000000000', '1', 'sw:x'],
  ['eval', 'return 1', '1', 'sw:x'],
  ['time'],
  ['hmget', 'sw:x', 'field'],
  ['hset', 'sw:x', 'field', 'value'],
  ['zrangebylex', 'sw:x', '-', '+'],
  ['xrange', 'sw:x', '-', '+'],
  ['xadd', 'sw:x', '*', 'data', '{}'],
  ['xread', 'block', '1', 'streams', 'sw:x', '0'],
  ['xreadgroup', 'group', 'sw', 'sw', 'streams', 'sw:x', '>'],
  ['xgroup', 'create', 'sw:x', 'sw', '0', 'mkstream'],
  ['xinfo', 'stream', 'sw:x'],
  ['xtrim', 'sw:x', 'minid', '0'],
  ['xpending', 'sw:x', 'sw'],
  ['get', 'sw:x'],
  ['set', 'sw:x', ''],
  ['exists', 'sw:x'],
  ['hget', 'sw:x', 'field'],
  ['hscan', 'sw:x', '0'],
  ['hdel', 'sw:x', 'field'],
  ['zadd', 'sw:x', '0', 'member'],
  ['zrem', 'sw:x', 'member'],
  ['zrevrangebylex', 'sw:x', '+', '-'],
  ['sadd', 'sw:x', 'member'],
  ['smembers', 'sw:x'],
  ['wait', '0', '0'],
  ['multi'],
  ['exec'],
  ['unlink', 'sw:x'],
  ['publish', 'sw:announcements', ''],
  ['subscribe', 'sw:announcements'],
  ['client', 'unblock', '1'],
];
/** What a client of a cluster calls besides. */
const NEEDED_ON_CLUSTERS: readonly (readonly string[])[] = [
  ['cluster', 'slots'],
  ['cluster', 'info'],
  ['asking'],
];

/** Reads what promises depend on. Whatever Redis does not tell is `unknown`; only a lost connection is an error. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  const info = await infoOf(redis);
  const of = (field: string): Known<string> => info.get(field) ?? 'unknown';
  const number = (text: Known<string>): Known<number> => (text === 'unknown' ? text : Number(text));
  const user = await known(async () => String(await redis.call('ACL', 'WHOAMI')));
  const appendOnly = await configOf(redis, 'appendonly');
  const policy = of('maxmemory_policy');
  const cluster = of('cluster_enabled');
  return {
    version: of('redis_version'),
    mode: of('redis_mode'),
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
        : await rightsOf(redis, user, cluster === '1' ? [...NEEDED, ...NEEDED_ON_CLUSTERS] : NEEDED),
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

async function rightsOf(
  redis: Redis,
  user: string,
  needed: readonly (readonly string[])[],
): Promise<Known<Record<string, boolean>>> {
  return known<Record<string, boolean>>(async () => {
    const rights: Record<string, boolean> = {};
    for (const command of needed) {
      const answer = await redis.call('ACL', 'DRYRUN', user, ...command);
      const name = ['client', 'cluster', 'xgroup', 'xinfo'].includes(command[0]!)
        ? `${command[0]} ${command[1]}`
        : command[0]!;
      rights[name] = String(answer) === 'OK';
    }
    return rights;
  });
}

/** The answer, or `unknown` where Redis answers with an error. */
async function known<T>(ask: () => Promise<T>): Promise<Known<T>> {
  try {
    return await ask();
  } catch (thrown) {
    if (isReply(thrown)) return 'unknown';
    throw thrown;
  }
}
