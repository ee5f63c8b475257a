import type { Redis } from 'ioredis';

/**
 * The commands that are sent and that the scripts call, each as it is tried on a user, without being run: KEY and CHANNEL stand for
 * one of ours. Without one of these nothing is maintained.
 */
const NEEDED = [
  ...['evalsha 0 1 KEY', 'eval code 1 KEY', 'multi', 'exec', 'wait 0 0', 'time', 'type KEY'],
  ...['publish CHANNEL text', 'subscribe CHANNEL', 'unsubscribe CHANNEL', 'client unblock 1'],
  ...['xadd KEY * data {}', 'xrange KEY - +', 'xread streams KEY 0', 'xtrim KEY minid 0'],
  ...['xgroup create KEY group 0 mkstream', 'xgroup setid KEY group 0', 'xreadgroup group a b streams KEY >'],
  ...['xpending KEY group', 'xinfo stream KEY', 'xinfo groups KEY'],
  ...['get KEY', 'set KEY value', 'del KEY', 'unlink KEY', 'exists KEY'],
  ...['hget KEY field', 'hmget KEY field', 'hgetall KEY', 'hkeys KEY', 'hscan KEY 0'],
  ...[
    'hset KEY field value',
    'hsetnx KEY field value',
    'hdel KEY field',
    'hincrby KEY field 1',
    'sadd KEY member',
    'smembers KEY',
  ],
  ...['zadd KEY 0 member', 'zrem KEY member', 'zremrangebylex KEY - +'],
  ...['zrangebylex KEY - +', 'zrevrangebylex KEY + -'],
];

const NEEDED_ON_CLUSTERS = ['asking', 'cluster slots', 'cluster info'];

/** By which connections say who they are, and Redis what it is: where one is refused, something remains unknown. */
const WISHED = [
  ...['auth', 'hello', 'select', 'ping', 'client id', 'client setname'],
  ...['info', 'config get', 'acl whoami', 'acl dryrun', 'memory usage'],
];

/** Commands that have commands within them, which have rights of their own. */
const CONTAINERS = ['acl', 'client', 'cluster', 'config', 'memory', 'xgroup', 'xinfo'];

const nameOf = (call: string): string => {
  const [command, within] = call.split(' ');
  return CONTAINERS.includes(command!) ? `${command} ${within}` : command!;
};

/** All commands that are ours, as they are named: `hmget`, `xinfo stream`. */
export const ourCommands: readonly string[] = [...WISHED, ...NEEDED, ...NEEDED_ON_CLUSTERS].map(nameOf);

/** Which of the commands that are needed a user may run, on keys and channels that begin with the prefix. */
export async function rightsOf(
  redis: Redis,
  { user, prefix, isCluster }: { user: string; prefix: string; isCluster: boolean },
): Promise<Record<string, boolean>> {
  const rights: Record<string, boolean> = {};
  for (const call of isCluster ? [...NEEDED, ...NEEDED_ON_CLUSTERS] : NEEDED) {
    const words = call.split(' ').map((word) => (/^(KEY|CHANNEL)$/.test(word) ? `${prefix}:x` : word));
    rights[nameOf(call)] = String(await redis.call('ACL', 'DRYRUN', user, ...words)) === 'OK';
  }
  return rights;
}
