import { Redis } from 'ioredis';

/** How long ioredis may keep the process after a connection that failed; its own two seconds are felt. */
export const DISCONNECT_MS = 50;

/** What a server says of itself. */
export interface RedisIdentity {
  readonly version: string;
  /** 40 hex digits, other ones after every start of a server. */
  readonly runId: string;
  readonly pid: number;
  /** Its working directory, null where it does not tell. */
  readonly directory: string | null;
}

/** Asks the server at a port of this machine who it is; null where none answers within `timeoutMs`. */
export async function identifyRedis(port: number, timeoutMs: number): Promise<RedisIdentity | null> {
  return withRedis(port, timeoutMs, async (redis) => {
    const info = await redis.info('server');
    const [, directory] = ((await redis.config('GET', 'dir').catch(() => [])) as string[]) ?? [];
    return {
      version: infoField(info, 'redis_version'),
      runId: infoField(info, 'run_id'),
      pid: Number(infoField(info, 'process_id')),
      directory: directory ?? null,
    };
  });
}

/** How many clients a server has beside the one that asks; null where none answers. */
export async function countOtherClients(port: number, timeoutMs: number): Promise<number | null> {
  return withRedis(
    port,
    timeoutMs,
    async (redis) => Number(infoField(await redis.info('clients'), 'connected_clients')) - 1,
  );
}

export const infoField = (info: string, field: string): string =>
  new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';

/** One short conversation on a connection of its own, which never retries. */
async function withRedis<T>(
  port: number,
  timeoutMs: number,
  talk: (redis: Redis) => Promise<T>,
): Promise<T | null> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    retryStrategy: null as unknown as undefined,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    disconnectTimeout: DISCONNECT_MS,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await talk(redis);
  } catch {
    return null;
  } finally {
    redis.disconnect();
  }
}
