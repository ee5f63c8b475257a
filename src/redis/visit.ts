import { Redis, type RedisOptions } from 'ioredis';
import { connectTo, DISCONNECT_MS, end } from './connect.js';
import type { RedisAddress } from './redis-address.js';
import { isReply } from './replies.js';

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
    try {
      await connection.connect();
    } catch (thrown) {
      // Of nodes that cannot be reached a cluster only tells that their connections were closed.
      throw connection instanceof Redis || isReply(cause)
        ? (cause ?? thrown)
        : new Error('none of the nodes that are named answers');
    }
    return await look(
      connection instanceof Redis
        ? [visited(connection, false)]
        : [
            ...connection.nodes('master').map((redis) => visited(redis, false)),
            ...connection.nodes('slave').map((redis) => visited(redis, true)),
          ],
    );
  } finally {
    // Of a connection that has ended already ioredis would wait for the end, two seconds long.
    end(connection);
  }
}

const visited = (redis: Redis, isReplica: boolean): VisitedServer => ({
  name: `${redis.options.host}:${redis.options.port}`,
  redis,
  isReplica,
});
