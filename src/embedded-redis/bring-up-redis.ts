import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { shownAddress } from '../redis/redis-address.js';
import { visit } from '../redis/visit.js';
import type { Settings } from '../settings.js';
import { EmbeddedRedis, INSTALL_LINES } from './embedded-redis.js';

/** The Redis a process works on, and how to let go of it. */
export interface RedisAtHand {
  readonly url: string;
  /** For people: `redis://127.0.0.1:41234 (our own, 7.0.15, in .stillwater)`. Holds no password. */
  readonly description: string;
  /** The server is ours: it keeps its data in the data directory. */
  readonly embedded: boolean;
  /** Call it last, when all connections are closed. Does nothing to a Redis that is not ours. */
  stop(): Promise<void>;
}

/**
 * The Redis that the settings name, or one of our own.
 * @throws StillwaterError `redis-unreachable` where the one named does not answer, and those of `EmbeddedRedis.bringUp`.
 */
export async function bringUpRedis(
  settings: Pick<Settings, 'redisUrl' | 'dataDirectory'>,
  options: { environment?: Readonly<Record<string, string | undefined>>; say?: (line: string) => void } = {},
): Promise<RedisAtHand> {
  const { environment = process.env, say = () => undefined } = options;
  if (settings.redisUrl !== null) {
    await checkAnswers(settings.redisUrl);
    return {
      url: settings.redisUrl,
      description: shownAddress(settings.redisUrl),
      embedded: false,
      stop: async () => undefined,
    };
  }
  const embedded = await EmbeddedRedis.bringUp({ dataDirectory: settings.dataDirectory, environment, say });
  return {
    url: embedded.url,
    description: `${embedded.url} (our own, ${embedded.version}, data in ${settings.dataDirectory}${embedded.origin === 'reattached' ? ', was still running' : ''})`,
    embedded: true,
    stop: async () => {
      if ((await embedded.stop()) === 'left-running')
        say(`${embedded.url} goes on: others are connected to it`);
    },
  };
}

/** One PING, of each master. A replica, a loading server and the like answer too: what they lack is for later checks to say. */
async function checkAnswers(url: string): Promise<void> {
  try {
    await visit(url, (servers) =>
      Promise.all(servers.filter(({ isReplica }) => !isReplica).map(({ redis }) => redis.ping())),
    );
  } catch (error) {
    if (/^LOADING/.test(messageOf(error))) return;
    if (isRefusal(error))
      throw new StillwaterError(
        'redis-refuses-connection',
        {
          what: 'The Redis that REDIS_URL names does not let us in.',
          evidence: `  REDIS_URL  ${shownAddress(url)}\n  said       ${messageOf(error)}`,
          consequence: 'Nothing was started, and no other Redis was tried.',
          remedy:
            'Correct the user, the password or the database in REDIS_URL: redis://user:password@host:6379/0.',
        },
        { cause: error },
      );
    throw new StillwaterError(
      'redis-unreachable',
      {
        what: 'The Redis that REDIS_URL names does not answer.',
        evidence: `  REDIS_URL  ${shownAddress(url)}\n  said       ${messageOf(error)}`,
        consequence: 'Nothing was started, and no other Redis was tried.',
        remedy: `Start it, correct REDIS_URL, or unset REDIS_URL to let Stillwater run a Redis of its own. To have one here:\n${INSTALL_LINES}`,
      },
      { cause: error },
    );
  }
}

/** It answered, to who we say that we are and where we want to be. */
const isRefusal = (error: unknown): boolean =>
  /^(NOAUTH|WRONGPASS|NOPERM|ERR DB index)/.test(messageOf(error));
