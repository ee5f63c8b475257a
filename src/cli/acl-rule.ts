import { partitionKeys, type RecordSource } from '../runtime/placement.js';

/** What the service sends itself, and the scripts in `src/redis/scripts`. */
const OURS = [
  ['connection', 'auth hello select ping client|id client|setname client|unblock wait'],
  ['cluster', 'asking cluster|slots cluster|info'],
  ['facts', 'info config|get acl|whoami acl|dryrun memory|usage time type'],
  ['scripts', 'evalsha eval multi exec wait'],
  ['announcements', 'publish subscribe unsubscribe'],
  [
    'streams',
    'xadd xrange xread xreadgroup xtrim xpending xinfo|stream xinfo|groups xgroup|create xgroup|setid',
  ],
  ['state', 'get set del unlink exists hget hmget hgetall hkeys hscan hset hdel hincrby sadd smembers'],
  ['order', 'zadd zrem zrangebylex zrevrangebylex zremrangebylex'],
] as const;

/** What BullMQ's scripts call, and BullMQ itself, beside that: rebuilds and verifications are its jobs. */
const JOBS = [
  ['jobs', 'script|load bzpopmin discard'],
  ['keys', 'incr incrby persist pexpire pexpireat pttl'],
  ['hashes', 'hexists hlen hmset'],
  ['lists', 'lindex llen lpop lpos lpush lrange lrem lset ltrim rpop rpoplpush rpush'],
  ['sets', 'scard sismember srem'],
  [
    'ordered sets',
    'zcard zcount zlexcount zpopmin zrange zrangebyscore zremrangebyrank zremrangebyscore zrevrange zrevrangebyscore zscore',
  ],
  ['streams', 'xdel xlen'],
] as const;

/**
 * The rights a user of Redis needs and no others, as one line to type. Keys and channels of ours begin with the prefix, those of
 * tasks with it in braces; streams keep their own names.
 */
export function aclRule(
  prefix: string,
  sources: readonly Pick<RecordSource, 'redisKey' | 'partitions'>[],
): string {
  const streams = new Set(
    sources.flatMap((source) => (source.partitions === 1 ? partitionKeys(source) : [`${source.redisKey}:*`])),
  );
  const keys = [`${prefix}:*`, `{${prefix}:*`, ...(streams.size > 0 ? streams : ['YOUR-STREAM'])];
  const commands = new Set([...OURS, ...JOBS].flatMap(([, names]) => names.split(' ')));
  return [
    'ACL SETUSER stillwater reset on >PASSWORD',
    ...keys.map((pattern) => `~${pattern}`),
    'resetchannels',
    `&${prefix}:*`,
    '-@all',
    ...[...commands].map((command) => `+${command}`),
  ].join(' ');
}
