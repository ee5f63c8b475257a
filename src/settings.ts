import { z } from 'zod';
import { type LimitSettings, noLimits, readLimits } from './limit-settings.js';
import { StillwaterError } from './errors/stillwater-error.js';
import { nearestName } from './nearest-name.js';
import { isRedisUrl } from './redis/redis-address.js';

/** The service's settings, read once from the environment. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  /** Null: bring up a Redis of our own in the data directory. */
  readonly redisUrl: string | null;
  readonly dataDirectory: string;
  readonly prefix: string;
  readonly token: string | null;
  /** Where view modules are; null for the example application that comes with the service. */
  readonly viewsDirectory: string | null;
  readonly role: Role;
  readonly release: string | null;
  /** A directory for what retention takes out of streams; null: it is not kept. */
  readonly archive: string | null;
  /** How many replicas must have commits and appends before they count. */
  readonly replicas: number;
  readonly limits: LimitSettings;
}

export type Role = 'all' | 'worker' | 'api';

/** One setting as people read of it: in `--help` and in the README. */
export interface SettingDescription {
  readonly name: string;
  /** What holds where it is not set; the empty text where nothing does. */
  readonly default: string;
  readonly meaning: string;
}

interface Setting<T> extends SettingDescription {
  readonly schema: z.ZodType<T>;
  /** What would have been right, where a value is wrong. */
  readonly wanted: string;
}

const OURS = 'STILLWATER_';
/** Read elsewhere: by commands that ask a service, and by who starts one. */
const OTHERS = ['STILLWATER_URL', 'STILLWATER_SUPERVISED'];

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

const port = z
  .stringFormat('port', /^\d{1,5}$/)
  .transform(Number)
  .pipe(z.int().max(65_535));
const redisUrl = z.string().refine(isRedisUrl);
const prefix = z.stringFormat('prefix', /^[A-Za-z0-9_.-]{1,32}$/);
const limits = z.string().transform((text, context): LimitSettings => {
  const read = readLimits(text);
  if (typeof read !== 'string') return read;
  context.addIssue({ code: 'custom', message: read, params: { tells: true } });
  return z.NEVER;
});

function setting<T>(
  name: string,
  schema: z.ZodType<T>,
  words: { default?: string; meaning: string; wanted: string },
): Setting<T> {
  return { name, schema, default: words.default ?? '', meaning: words.meaning, wanted: words.wanted };
}

const SETTINGS = {
  port: setting('PORT', port, {
    default: '3000',
    meaning: 'The port that REST is served on; 0 takes a free one.',
    wanted: 'a number from 0 to 65535',
  }),
  host: setting('HOST', z.string(), {
    default: '127.0.0.1',
    meaning: 'The address to listen on. Any but a loopback address needs STILLWATER_TOKEN.',
    wanted: 'an address or a host name',
  }),
  redisUrl: setting('REDIS_URL', redisUrl, {
    meaning:
      'The Redis to use: one server, a cluster or the master of sentinels. Without it Stillwater runs one of its own in the data directory.',
    wanted:
      'a URL such as redis://127.0.0.1:6379, rediss://user:password@host:6380/0, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379,host:26379/mymaster',
  }),
  dataDirectory: setting('STILLWATER_DATA', z.string(), {
    default: '.stillwater',
    meaning: 'The data directory: what our own Redis keeps lies there.',
    wanted: 'a path',
  }),
  prefix: setting('STILLWATER_PREFIX', prefix, {
    default: 'sw',
    meaning: 'What all our Redis keys, consumer groups and queues begin with. Streams keep their own names.',
    wanted: 'up to 32 letters, digits, "_", "-" or "."',
  }),
  token: setting('STILLWATER_TOKEN', z.string().min(16), {
    meaning:
      'What writes and administration must bring as `Authorization: Bearer …`. Without it they are open to whoever reaches the port.',
    wanted: 'at least 16 characters, such as `openssl rand -hex 24` prints',
  }),
  viewsDirectory: setting('STILLWATER_VIEWS', z.string(), {
    meaning:
      'The directory with your view modules. Without it: the example application, or `views` where only the package is installed.',
    wanted: 'a path',
  }),
  role: setting('STILLWATER_ROLE', z.enum(['all', 'worker', 'api']), {
    default: 'all',
    meaning: 'What this process does: `worker` maintains views, `api` serves them, `all` does both.',
    wanted: 'all, worker or api',
  }),
  release: setting('STILLWATER_RELEASE', z.string().max(100), {
    meaning:
      'A name for what is deployed, such as a commit. Earlier definitions lead again only under a new name.',
    wanted: 'up to 100 characters',
  }),
  archive: setting('STILLWATER_ARCHIVE', z.string(), {
    meaning:
      'A directory in which what retention takes out of streams is kept, so that views can be rebuilt from it. The same one for all processes. Without it what is trimmed is gone; once there was one, `none` says that there is none any more.',
    wanted: 'a path',
  }),
  replicas: setting('STILLWATER_REPLICAS', z.stringFormat('count', /^\d{1,2}$/).transform(Number), {
    default: '0',
    meaning:
      'How many replicas of Redis must have a commit or an append before it counts. 0: Redis alone says so.',
    wanted: 'a number from 0 to 99',
  }),
  limits: setting('STILLWATER_LIMITS', limits, {
    meaning:
      'Limits other than their defaults: `leaseMs=10000,rebuildsMax=1`, or the same as a JSON object. docs/operating.md lists them.',
    wanted: 'limits',
  }),
} satisfies { [Name in keyof Settings]: Setting<NonNullable<Settings[Name]>> };

/** All settings, in the order in which they are worth reading about. */
export function describeSettings(): SettingDescription[] {
  return Object.values(SETTINGS).map(({ name, default: initial, meaning }) => ({
    name,
    default: initial,
    meaning,
  }));
}

/** The settings as lines for a terminal. */
export function settingsHelp(): string {
  const settings = describeSettings();
  const width = Math.max(...settings.map(({ name }) => name.length));
  return settings
    .map(
      ({ name, default: initial, meaning }) =>
        `  ${name.padEnd(width)}  ${meaning}${initial && ` Default: ${initial}.`}`,
    )
    .join('\n');
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings. An empty text counts as not set.
 * @throws StillwaterError `wrong-settings` that names everything wrong at once, and shows no secret.
 */
export function readSettings(environment: Environment): Settings {
  const wrong: string[] = [];
  const read = reader(environment, wrong);
  const settings = {
    port: read(SETTINGS.port)!,
    host: read(SETTINGS.host)!,
    redisUrl: read(SETTINGS.redisUrl),
    dataDirectory: read(SETTINGS.dataDirectory)!,
    prefix: read(SETTINGS.prefix)!,
    token: read(SETTINGS.token),
    viewsDirectory: read(SETTINGS.viewsDirectory),
    role: read(SETTINGS.role)!,
    release: read(SETTINGS.release),
    archive: read(SETTINGS.archive),
    replicas: read(SETTINGS.replicas)!,
    limits: read(SETTINGS.limits) ?? noLimits(),
  };
  if (!isLoopback(settings.host) && settings.token === null && !environment[SETTINGS.token.name])
    wrong.push(
      `  ${SETTINGS.host.name}  ${JSON.stringify(settings.host)} can be reached from other machines, and ${SETTINGS.token.name} is not set`,
    );
  wrong.push(...misspelt(environment));
  refuse(wrong);
  return settings;
}

/**
 * What is nearly the name of a setting, and so does nothing: whoever misspelt the token believes that writes are guarded.
 * Other names are others' affair: of a service called "stillwater" Kubernetes tells everybody STILLWATER_PORT.
 */
function misspelt(environment: Environment): string[] {
  const known = [...Object.values(SETTINGS).map(({ name }) => name), ...OTHERS];
  return Object.keys(environment).flatMap((name) => {
    if (!name.toUpperCase().startsWith(OURS) || known.includes(name)) return [];
    const meant = nearestName(name, known);
    return meant === null ? [] : [`  ${name}  is not a setting; ${meant} is`];
  });
}

/** The limits alone, for what needs no other setting. @throws StillwaterError `wrong-settings` */
export function readLimitSettings(environment: Environment): LimitSettings {
  const wrong: string[] = [];
  const limits = reader(environment, wrong)(SETTINGS.limits);
  refuse(wrong);
  return limits ?? noLimits();
}

/** Reads one setting; null where it is not set, or wrong, which is added to what is wrong. */
const reader =
  (environment: Environment, wrong: string[]) =>
  <T>({ name, schema, wanted, default: initial }: Setting<T>): T | null => {
    const text = environment[name] || initial;
    if (text === '') return null;
    const parsed = schema.safeParse(text);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    if (issue?.code === 'custom' && issue.params?.tells) wrong.push(`  ${name}  ${issue.message}`);
    else
      wrong.push(`  ${name}  ${isSecret(name) ? 'the value given' : JSON.stringify(text)} is not ${wanted}`);
    return null;
  };

function refuse(wrong: readonly string[]): void {
  if (wrong.length === 0) return;
  throw new StillwaterError('wrong-settings', {
    what: wrong.length === 1 ? 'A setting is wrong.' : `${wrong.length} settings are wrong.`,
    evidence: wrong.join('\n'),
    consequence: 'Nothing was started.',
    remedy:
      'Set them in the environment, or leave them out to get their defaults: `npm start -- --help` lists them.',
  });
}

/** Whether only processes of this machine can reach the address. */
const isLoopback = (host: string): boolean => LOOPBACK.test(host);

const isSecret = (name: string): boolean => name === SETTINGS.token.name || name === SETTINGS.redisUrl.name;
