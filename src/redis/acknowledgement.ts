import type { Redis } from 'ioredis';
import { messageOf } from '../errors/stillwater-error.js';
import type { ConnectionUse, RedisConnections } from './connections.js';
import type { Keyspace } from './keyspace.js';

/** How many replicas must have what was written before it counts. */
export interface Replicas {
  count: number;
  /** How long they are waited for at a time. */
  withinMs: number;
}

const REPLACED = 'the connection was replaced before replicas had acknowledged it';

/**
 * Waits until replicas have what was written, by `WAIT` behind it on the same connection: on another one it would ask about
 * another server, where the one that was written to has been replaced. So what was written on a connection that is gone
 * is not acknowledged; whoever wrote repeats it, and that asks the server of now.
 *
 * A marker is written before that, for a repeat that finds everything done writes nothing, and without a write of its own a
 * connection has nothing to wait for. And the server is asked for the key: of a slot that is moving the key may have been
 * written where it has gone already (`ASK`), and then this server says so instead of letting its own replicas answer.
 *
 * At most one `WAIT` of a connection is under way, and it answers for all that was written before it was sent.
 */
export class Acknowledgement {
  readonly #waits = new WeakMap<Redis, Waits>();

  constructor(
    readonly connections: RedisConnections,
    readonly use: Extract<ConnectionUse, 'commits' | 'appends'>,
    readonly keyspace: Keyspace,
    readonly replicas: Replicas,
  ) {}

  /** Over which connection a key is written now; to be asked before it is written. */
  async connection(redisKey: string): Promise<number> {
    const redis = await this.connections.at(this.use, redisKey);
    if (this.connections.made(this.use, redisKey) === 0) await redis.ping();
    return this.connections.made(this.use, redisKey);
  }

  /**
   * To be asked when the write of a key has been answered, with the connection of before: the answer may be of a server that
   * was replaced meanwhile, and the replicas of another have nothing to say about it. Null if it is acknowledged, or else
   * a sentence that says why not.
   */
  async missing(redisKey: string, connection: number): Promise<string | null> {
    const isStill = (): boolean => connection === this.connections.made(this.use, redisKey);
    try {
      const redis = await this.connections.at(this.use, redisKey);
      if (!isStill()) return REPLACED;
      let waits = this.#waits.get(redis);
      if (waits === undefined) this.#waits.set(redis, (waits = { waiting: Promise.resolve(), next: null }));
      const [, , missing] = await Promise.all([
        redis.set(this.keyspace.acknowledged(redisKey), ''),
        redis.exists(redisKey),
        this.#wait(redis, waits),
      ]);
      return isStill() ? missing : REPLACED;
    } catch (thrown) {
      return `whether replicas have it is not known: ${messageOf(thrown)}`;
    }
  }

  #wait(redis: Redis, waits: Waits): Promise<string | null> {
    const { count, withinMs } = this.replicas;
    waits.next ??= waits.waiting.then(() => {
      waits.next = null;
      const asked = redis
        .wait(count, withinMs)
        .then((acknowledged) =>
          acknowledged >= count
            ? null
            : `${acknowledged} of ${count} replicas${this.connections.nodeName(redis)} have it after ${withinMs} ms (STILLWATER_REPLICAS)`,
        );
      waits.waiting = asked.catch(() => {});
      return asked;
    });
    return waits.next;
  }
}

/** Of one connection, the `WAIT` that is under way and the one that follows it. */
interface Waits {
  waiting: Promise<unknown>;
  next: Promise<string | null> | null;
}
