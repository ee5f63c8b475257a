import { messageOf } from '../errors/stillwater-error.js';
import type { ConnectionUse, RedisConnections } from './connections.js';
import type { Keyspace } from './keyspace.js';

/** How many replicas must have what was written before it counts. */
export interface Replicas {
  count: number;
  /** How long they are waited for at a time. */
  withinMs: number;
}

/** What is waited for where only a number of replicas is given. */
export const REPLICAS_WITHIN_MS = 1_000;

/**
 * Waits until replicas have what was written, by `WAIT` behind it on the same connection: on another one it would ask about
 * another server, where the one that was written to has been replaced. So what was written on a connection that is gone
 * is not acknowledged; whoever wrote repeats it, and that asks the server of now.
 *
 * A marker is written before each `WAIT`, for a repeat that finds everything done writes nothing, and without a write of its
 * own a connection has nothing to wait for. At most one `WAIT` of a connection is under way, and it answers for all that
 * was written before it was sent.
 */
export class Acknowledgement {
  #waiting: Promise<unknown> = Promise.resolve();
  #next: Promise<string | null> | null = null;

  constructor(
    readonly connections: RedisConnections,
    readonly use: Extract<ConnectionUse, 'commits' | 'appends'>,
    readonly keyspace: Keyspace,
    readonly replicas: Replicas,
  ) {}

  /** To be asked when a write has just been answered. Null if it is acknowledged, or else a sentence that says why not. */
  async missing(): Promise<string | null> {
    const connection = this.connections.made(this.use);
    this.#next ??= this.#waiting.then(() => this.#wait());
    const missing = await this.#next;
    if (connection !== this.connections.made(this.use))
      return 'the connection was replaced before replicas had acknowledged it';
    return missing;
  }

  async #wait(): Promise<string | null> {
    this.#next = null;
    const { count, withinMs } = this.replicas;
    const redis = this.connections[this.use];
    const asked = Promise.all([redis.set(this.keyspace.acknowledged, ''), redis.wait(count, withinMs)]).then(
      ([, acknowledged]) =>
        acknowledged >= count
          ? null
          : `${acknowledged} of ${count} replicas have it after ${withinMs} ms (STILLWATER_REPLICAS)`,
      (thrown: unknown) => `whether replicas have it is not known: ${messageOf(thrown)}`,
    );
    this.#waiting = asked;
    return asked;
  }
}
