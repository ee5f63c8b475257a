import { Redis, type RedisOptions } from 'ioredis';
import { type Connection, connectTo, DISCONNECT_MS, end } from './connect.js';
import type { RedisAddress } from './redis-address.js';

/** A server, and where it is; of a cluster each node, of which replicas take no writes. */
export interface VisitedServer {
  readonly name: string;
  readonly redis: Redis;
  readonly isReplica: boolean;
}

/** How long a connection, and any answer, may take. */
const ANSWER_MS_MAX = 5_000;

/**
 * Looks at the servers of an address, over connections of its own that are made once and closed again.
 * @throws whatever the connection says it failed for
 */
export async function visit<T>(
  address: RedisAddress,
  look: (servers: readonly VisitedServer[]) => Promise<T>,
  settings: RedisOptions = {},
): Promise<T> {
  const connection = connectTo(address, {
    connectTimeout: ANSWER_MS_MAX,
    commandTimeout: ANSWER_MS_MAX,
    disconnectTimeout: DISCONNECT_MS,
    // A user without INFO is to be told so, not to be turned away.
    enableReadyCheck: false,
    retryStrategy: () => null,
    ...settings,
  });
  let cause: Error | null = null;
  connection.on(
    'error',
    (error: Error & { lastNodeError?: Error }) => (cause ??= error.lastNodeError ?? error),
  );
  try {
    await connection.connect();
    // Nothing else waits here until the server has answered to that.
    if (connection instanceof Redis && connection.options.db) await connection.select(connection.options.db);
  } catch (thrown) {
    end(connection);
    throw reasonOf(connection, cause ?? (thrown as Error));
  }
  try {
    return await look(
      connection instanceof Redis
        ? [visited(connection, false)]
        : [
            ...connection.nodes('master').map((redis) => visited(redis, false)),
            ...connection.nodes('slave').map((redis) => visited(redis, true)),
          ],
    );
  } catch (thrown) {
    // A connection that was refused on the way closes, and only itself says why.
    throw cause !== null && CLOSED.test((thrown as Error).message) ? cause : thrown;
  } finally {
    // Of a connection that has ended already ioredis would wait for the end, two seconds long.
    end(connection);
  }
}

const CLOSED = /Connection is closed/;

/** Of nodes that cannot be reached a cluster tells that their connections were closed, or that there are none. */
const reasonOf = (connection: Connection, said: Error): Error =>
  connection instanceof Redis || !/Connection is closed|None of startup nodes/.test(said.message)
    ? said
    : new Error('none of the nodes that are named answers', { cause: said });

const visited = (redis: Redis, isReplica: boolean): VisitedServer => ({
  name: `${redis.options.host}:${redis.options.port}`,
  redis,
  isReplica,
});
