import type { RedisFacts } from '../redis/facts.js';

/** Whether a promise holds on a Redis. `unknown` is said where the Redis does not tell; it is not a guess either way. */
export interface Finding {
  readonly promise: string;
  readonly verdict: 'holds' | 'does not hold' | 'unknown';
  /** Without it Stillwater does not start, or loses what it keeps. */
  readonly required: boolean;
  /** What was read, and what it means. */
  readonly because: string;
  /** What to do about it; null where there is nothing to do. */
  readonly remedy: string | null;
}

/** Whether scripts were run on the Redis: tried, not read. */
export type ScriptTrial = { ran: true } | { ran: false; reason: string };

const OLDEST_MAJOR = 7;
/** Shares of `maxmemory` from which on there is a warning, and from which on there is no room. */
const MEMORY_WARN = 0.5;
const MEMORY_FULL = 0.9;

/** What each promise that depends on Redis is worth on this one. */
export function judge(facts: RedisFacts, scripts: ScriptTrial): Finding[] {
  return [
    commands(facts),
    scripting(scripts),
    rights(facts),
    writable(facts),
    notEvicted(facts),
    ...restart(facts),
    machineLoss(facts),
    room(facts),
    oneServer(facts),
  ];
}

/** What a replica must keep to, for it may be a master tomorrow. */
export const judgeReplica = (facts: RedisFacts): Finding[] => [
  commands(facts),
  notEvicted(facts),
  ...restart(facts),
];

const WORST = ['does not hold', 'unknown', 'holds'] as const;

/** One finding for each promise: the worst of all servers, and of which. */
export function together(all: readonly { server: string; findings: readonly Finding[] }[]): Finding[] {
  const [first] = all;
  if (first === undefined || all.length === 1) return [...(first?.findings ?? [])];
  return first.findings.map((finding) => {
    const found = all.flatMap(({ server, findings }) =>
      findings.filter(({ promise }) => promise === finding.promise).map((of) => ({ server, of })),
    );
    const worst = WORST.find((verdict) => found.some(({ of }) => of.verdict === verdict))!;
    const those = found.filter(({ of }) => of.verdict === worst);
    const because = those[0]!.of.because;
    return {
      ...those[0]!.of,
      because: those.every(({ of }) => of.because === because)
        ? `${those.length === found.length ? `All ${found.length} nodes` : those.map(({ server }) => server).join(', ')}: ${because}`
        : those.map(({ server, of }) => `${server}: ${of.because}`).join('\n'),
    };
  });
}

type Parts = Omit<Finding, 'promise' | 'required'>;

const holds = (because: string, remedy: string | null = null): Parts => ({
  verdict: 'holds',
  because,
  remedy,
});
const broken = (because: string, remedy: string): Parts => ({ verdict: 'does not hold', because, remedy });
const unknown = (because: string, remedy: string): Parts => ({ verdict: 'unknown', because, remedy });
const required = (promise: string, parts: Parts): Finding => ({ promise, required: true, ...parts });
const wished = (promise: string, parts: Parts): Finding => ({ promise, required: false, ...parts });

const INFO_REMEDY = 'Let the user read it (+info), or ask who runs this Redis.';
const CONFIG_REMEDY = 'Let the user read it (+config|get), or ask who runs this Redis.';

function commands({ version }: RedisFacts): Finding {
  const promise = 'The commands that are needed exist';
  if (version === 'unknown')
    return required(promise, unknown('INFO does not tell the version.', INFO_REMEDY));
  if (Number(version.split('.')[0]) < OLDEST_MAJOR)
    return required(
      promise,
      broken(
        `Version ${version}; ${OLDEST_MAJOR}.0 is the oldest.`,
        `Use Redis ${OLDEST_MAJOR}.0 or newer, or Valkey.`,
      ),
    );
  return required(promise, holds(`Version ${version}.`));
}

function scripting(scripts: ScriptTrial): Finding {
  const promise = 'A tick is committed as a whole, or not at all';
  if (scripts.ran) return required(promise, holds('A script was loaded and run by its hash.'));
  return required(
    promise,
    broken(
      `Scripts cannot be run: ${scripts.reason}`,
      'Allow SCRIPT LOAD and EVALSHA: `stillwater doctor --acl` prints the rule.',
    ),
  );
}

function rights({ rights: known, user }: RedisFacts): Finding {
  const promise = 'The user may do what is needed';
  if (known === 'unknown')
    return required(
      promise,
      unknown(
        'ACL WHOAMI and ACL DRYRUN do not answer.',
        'Allow +acl|whoami and +acl|dryrun, or compare with `stillwater doctor --acl`.',
      ),
    );
  const missing = Object.entries(known).filter(([, may]) => !may);
  if (missing.length > 0)
    return required(
      promise,
      broken(
        `The user ${user} may not: ${missing.map(([command]) => command.toUpperCase()).join(', ')}.`,
        'Give it the rights that `stillwater doctor --acl` prints.',
      ),
    );
  return required(
    promise,
    holds(`The user ${user} may run all ${Object.keys(known).length} commands that were asked for.`),
  );
}

function writable({ role }: RedisFacts): Finding {
  const promise = 'It takes writes';
  if (role === 'unknown')
    return required(promise, unknown('INFO does not tell whether this is a master.', INFO_REMEDY));
  if (role !== 'master')
    return required(promise, broken('This is a replica.', 'Name the master in REDIS_URL.'));
  return required(promise, holds('It is a master.'));
}

function notEvicted({ evictionPolicy: policy, evictedKeys }: RedisFacts): Finding {
  const promise = 'Nothing that is kept is evicted';
  if (policy === 'unknown')
    return required(promise, unknown('Neither INFO nor CONFIG tells the eviction policy.', CONFIG_REMEDY));
  if (policy.startsWith('allkeys-'))
    return required(
      promise,
      broken(
        `maxmemory-policy is ${policy}: keys of views are evicted when memory is full, and nothing says so.`,
        'CONFIG SET maxmemory-policy noeviction, and in its configuration file.',
      ),
    );
  const evicted =
    evictedKeys !== 'unknown' && evictedKeys > 0
      ? ` ${evictedKeys} keys have been evicted since it started; they were not ours while this policy was in force.`
      : '';
  if (policy.startsWith('volatile-'))
    return required(
      promise,
      holds(
        `maxmemory-policy is ${policy}: it takes keys with a time to live only, and what matters has none.${evicted}`,
      ),
    );
  return required(promise, holds(`maxmemory-policy is ${policy}.${evicted}`));
}

function restart({ appendOnly, appendFsync, save }: RedisFacts): Finding[] {
  const promise = 'What is committed survives a restart of Redis';
  const crash = 'What is committed survives a crash of its machine';
  if (appendOnly === 'unknown') {
    const parts = unknown(
      'Neither CONFIG nor INFO tells whether there is an append-only file.',
      CONFIG_REMEDY,
    );
    return [wished(promise, parts), wished(crash, parts)];
  }
  if (!appendOnly) {
    const snapshots =
      save === 'unknown'
        ? 'whether snapshots are saved is not known'
        : save === ''
          ? 'no snapshots are saved either: everything is lost, streams and views'
          : `snapshots are saved (${save}): all since the last one is lost`;
    const parts = broken(
      `There is no append-only file; ${snapshots}.`,
      'CONFIG SET appendonly yes, and in its configuration file.',
    );
    return [wished(promise, parts), wished(crash, parts)];
  }
  const kept = wished(promise, holds('There is an append-only file.'));
  if (appendFsync === 'unknown')
    return [
      kept,
      wished(
        crash,
        unknown(
          'CONFIG does not tell appendfsync: up to a second may be lost, or half a minute.',
          CONFIG_REMEDY,
        ),
      ),
    ];
  if (appendFsync === 'always')
    return [kept, wished(crash, holds('appendfsync is always: what was answered is on disk.'))];
  const lost =
    appendFsync === 'everysec'
      ? 'about the last second is lost, of streams and views alike'
      : 'what the operating system had not written is lost, half a minute or so';
  return [
    kept,
    wished(
      crash,
      broken(
        `appendfsync is ${appendFsync}: ${lost}. Views stay what their streams say; a stream that went back is noticed.`,
        'No action where producers can repeat; else appendfsync always, or replicas.',
      ),
    ),
  ];
}

function machineLoss({ replicas }: RedisFacts): Finding {
  const promise = 'Everything survives the loss of its machine';
  if (replicas === 'unknown')
    return wished(promise, unknown('INFO does not tell how many replicas there are.', INFO_REMEDY));
  if (replicas === 0)
    return wished(
      promise,
      broken(
        'There is no replica.',
        'No action on a laptop; in production a replica, and backups of the append-only file.',
      ),
    );
  return wished(
    promise,
    holds(
      `${replicas} ${replicas === 1 ? 'replica follows' : 'replicas follow'}. They do so a moment later: a failover may take back the last commits, which is noticed.`,
    ),
  );
}

function room({ usedMemoryBytes: used, maxMemoryBytes: max }: RedisFacts): Finding {
  const promise = 'There is room for what is to come';
  if (used === 'unknown' || max === 'unknown')
    return wished(promise, unknown('INFO does not tell the memory.', INFO_REMEDY));
  if (max === 0)
    return wished(
      promise,
      holds(
        `${bytesText(used)} are used; there is no limit but the machine's.`,
        'Set maxmemory below what the machine has: a Redis that refuses writes can be waited for, one that was killed cannot.',
      ),
    );
  const share = used / max;
  const text = `${bytesText(used)} of ${bytesText(max)} are used (${Math.round(share * 100)} %).`;
  if (share >= MEMORY_FULL)
    return wished(
      promise,
      broken(`${text} Commits wait when it is full.`, 'Raise maxmemory, or let streams retain less.'),
    );
  return wished(
    promise,
    holds(
      text,
      share >= MEMORY_WARN
        ? 'More than half is used, and a rebuild needs a second copy of a view: raise maxmemory.'
        : null,
    ),
  );
}

function oneServer({ cluster }: RedisFacts): Finding {
  const promise = 'Streams and views go back together, if at all';
  if (cluster === 'unknown')
    return wished(promise, unknown('INFO does not tell whether this is a cluster.', INFO_REMEDY));
  if (cluster)
    return wished(
      promise,
      broken(
        'It is a node of a cluster: a failover may take back the last writes of some slots and not of others. That is noticed: a view that contains what its log lost is parked.',
        'No action where producers can repeat and a rebuild can be waited for; STILLWATER_REPLICAS=1 or min-replicas-to-write make it rare.',
      ),
    );
  return wished(promise, holds('It is a single server.'));
}

function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}
