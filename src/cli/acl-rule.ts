import { ourCommands } from '../redis/rights.js';
import { partitionKeys, type RecordSource } from '../runtime/placement.js';

/** What BullMQ's scripts call, and BullMQ itself, beside that: rebuilds and verifications are its jobs. */
const JOBS = [
  'script|load bzpopmin discard',
  'incr incrby persist pexpire pexpireat pttl',
  'hexists hlen hmset',
  'lindex llen lpop lpos lpush lrange lrem lset ltrim rpop rpoplpush rpush',
  'scard sismember srem',
  'zcard zcount zlexcount zpopmin zrange zrangebyscore zremrangebyrank zremrangebyscore zrevrange zrevrangebyscore zscore',
  'xdel xlen',
];

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
  const commands = new Set([
    ...ourCommands.map((name) => name.replace(' ', '|')),
    ...JOBS.flatMap((names) => names.split(' ')),
  ]);
  return [
    'ACL SETUSER stillwater reset on >PASSWORD',
    ...keys.map((pattern) => `~${pattern}`),
    'resetchannels',
    `&${prefix}:*`,
    '-@all',
    ...[...commands].map((command) => `+${command}`),
  ].join(' ');
}
