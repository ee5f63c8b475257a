/**
 * The rights a user of Redis needs, as one line to type. Keys and channels of ours begin with the prefix, those of tasks
 * with it in braces; streams keep their own names. Commands are given by category because the scripts of the job queue
 * use many; what is dangerous is taken out again, but for reading facts.
 */
export function aclRule(prefix: string, streams: readonly string[]): string {
  const keys = [
    `~${prefix}:*`,
    `~{${prefix}:*`,
    ...(streams.length > 0 ? streams.flatMap((stream) => [`~${stream}`, `~${stream}:*`]) : ['~YOUR-STREAM']),
  ];
  const commands = [
    '-@all',
    '+@read',
    '+@write',
    '+@stream',
    '+@scripting',
    '+@transaction',
    '+@pubsub',
    '+@connection',
    '-@dangerous',
    '+time',
    '+info',
    '+config|get',
    '+acl|whoami',
    '+acl|dryrun',
    '+client|unblock',
    '+cluster|slots',
    '+cluster|info',
  ];
  return [
    'ACL SETUSER stillwater reset on >PASSWORD',
    ...keys,
    'resetchannels',
    `&${prefix}:*`,
    ...commands,
  ].join(' ');
}
