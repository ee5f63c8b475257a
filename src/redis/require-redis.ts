import type { Redis } from 'ioredis';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import type { RedisConnections } from './connections.js';
import { checkRedis, readRedisFacts, type RedisFacts } from './facts.js';
import { type RedisAddress, shownAddress } from './redis-address.js';

/**
 * Ends the start on a Redis that does not answer or will not do, before anything is written to it.
 * @throws StillwaterError `redis-unreachable` and those of `checkRedis`
 */
export async function requireRedis(
  connections: RedisConnections,
  address: RedisAddress,
  prefix: string,
): Promise<void> {
  try {
    await checkServers(connections, address, prefix);
  } catch (thrown) {
    // The application is not there yet, so that nobody else closes them.
    await connections.close();
    throw thrown;
  }
}

/** ioredis only tells how often it tried; why it could not connect is in the connection's own error. */
async function checkServers(
  connections: RedisConnections,
  address: RedisAddress,
  prefix: string,
): Promise<void> {
  let cause: Error | null = null;
  const note = (error: Error & { lastNodeError?: Error }): void =>
    void (cause ??= error.lastNodeError ?? error);
  const { control } = connections;
  control.on('error', note);
  let facts: RedisFacts[];
  try {
    facts = await Promise.all(
      (await connections.servers()).map((server: Redis) => readRedisFacts(server, prefix)),
    );
  } catch (thrown) {
    throw new StillwaterError(
      'redis-unreachable',
      {
        what: 'Redis does not answer.',
        evidence: `  connection  ${shownAddress(address)}\n  said        ${messageOf(cause ?? thrown)}`,
        consequence: 'Nothing was started.',
        remedy: 'Start it, or correct the `connection` that StillwaterModule is given.',
      },
      { cause: thrown },
    );
  } finally {
    control.off('error', note);
  }
  facts.forEach(checkRedis);
}
