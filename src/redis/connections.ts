import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { messageOf } from '../errors/stillwater-error.js';
import { connectionLimits } from './connection-limits.js';
import { type Connection, connectTo, cut, DISCONNECT_MS, end, watch } from './connect.js';
import { readEntries } from './entry-replies.js';
import { isCluster, type RedisAddress, resolved } from './redis-address.js';
import { slotOf, slotOn } from './slots.js';

export interface RedisConnectionOptions {
  /** `redis://user:password@host:6379/0`, `rediss://…` for TLS, `redis+cluster://…`, `redis+sentinel://…`: see `redis-address.ts`. */
  url?: string;
  /** Anything else ioredis takes, or the nodes of a cluster. */
  redis?: Exclude<RedisAddress, string>;
  /** A connection whose oldest command had no answer for so long is cut and replaced. */
  commandTimeoutMs?: number;
  connectTimeoutMs?: number;
  /** The longest pause between attempts to connect. */
  reconnectMsMax?: number;
  /** Told once when a connection is lost and once when it is back. */
  log?: (message: string) => void;
  /** Told whenever a connection is cut because an answer did not come. */
  onUnanswered?: (use: ConnectionUse) => void;
}

export type ConnectionUse =
  'sources' | 'commits' | 'waits' | 'announcements' | 'serving' | 'control' | 'appends';

/**
 * The connections of one process, each for one use, opened when first used: a long read must not hold up a commit,
 * and a blocking wait nothing at all. On a cluster a use has a connection to each node.
 *
 * None of them sends a command a second time: what was unanswered when a connection broke is an error of its caller,
 * who knows whether a repeat is safe. What a node of a cluster refuses because it belongs elsewhere is sent there.
 */
export class RedisConnections {
  readonly #open = new Map<ConnectionUse, Connection>();
  /** For blocking reads: one, on a cluster one for each slot that is waited on. */
  readonly #waits = new Map<number, Redis>();
  /** Each connection that was made has a number of its own. */
  readonly #numbers = new WeakMap<Redis, number>();
  readonly #clustered: boolean;
  #made = 0;
  /** Where no connection can be made at the moment: by use and server. */
  readonly #lost = new Set<string>();
  #closed = false;

  constructor(readonly options: RedisConnectionOptions) {
    this.#clustered = isCluster(resolved(this.#address));
  }

  /** Reads of streams that views consume. */
  get sources(): Connection {
    return this.#get('sources');
  }
  /** Commits, and the fetches that must follow them. */
  get commits(): Connection {
    return this.#get('commits');
  }
  /** Subscriptions to channels. */
  get announcements(): Connection {
    return this.#get('announcements');
  }
  /** Reads for people and programs that ask. */
  get serving(): Connection {
    return this.#get('serving');
  }
  /** Appends that replicas are waited for: what waits must hold up nothing else. */
  get appends(): Connection {
    return this.#get('appends');
  }
  /** Appends, leases, the registry, retention. */
  get control(): Connection {
    return this.#get('control');
  }

  /**
   * The connection to the one server on which a key lies now: for what must not be sent on to another. Where the key has
   * gone to another server meanwhile, it is refused.
   */
  async at(use: Exclude<ConnectionUse, 'waits'>, redisKey: string): Promise<Redis> {
    const connection = this.#get(use);
    if (connection instanceof Redis) return connection;
    // Whatever is asked for: the answer comes from where the key lies, and by then it is known where that is.
    await connection.exists(redisKey);
    const node = nodeOf(connection, redisKey);
    if (node === undefined) throw new Error('the node of this key cannot be reached');
    return node;
  }

  /** Which of a cluster's nodes is behind a connection, to be added to a sentence; of one server there is nothing to say. */
  nodeName(redis: Redis): string {
    return this.#clustered ? ` of ${keyOf(redis)}` : '';
  }

  /** Every server that takes writes. */
  async servers(use: 'control' | 'serving' = 'control'): Promise<Redis[]> {
    const connection = this.#get(use);
    if (connection instanceof Redis) return [connection];
    await connection.ping();
    return connection.nodes('master');
  }

  /**
   * For blocking reads of keys in the slot of this one, and nothing else. A connection that breaks is made again with the
   * next call; on a cluster perhaps to another node.
   */
  async waits(redisKey: string): Promise<Redis> {
    const slot = slotOn(this.control, redisKey);
    const open = this.#waits.get(slot);
    if (open !== undefined) return open;
    const settings = this.#settings('waits');
    const { control } = this;
    let redis: Redis;
    if (control instanceof Redis) redis = connectTo(this.#address, settings) as Redis;
    else {
      const { host, port } = (await this.at('control', redisKey)).options;
      const { redisOptions } = control.options;
      redis = connectTo({ ...redisOptions, ...settings, host: host!, port: port! }, {}) as Redis;
      const first = this.#waits.get(slot);
      if (first !== undefined) return first;
      redis.on('close', () => this.endWaits(redisKey, redis));
    }
    this.#attend(redis, 'waits');
    if (this.#closed) redis.disconnect();
    else this.#waits.set(slot, redis);
    return redis;
  }

  /** Nobody waits there any more. */
  endWaits(redisKey: string, of?: Redis): void {
    const slot = slotOn(this.control, redisKey);
    const redis = this.#waits.get(slot);
    if (redis === undefined || (of !== undefined && of !== redis)) return;
    this.#waits.delete(slot);
    redis.disconnect();
  }

  /** Cuts the connection for blocking reads there. */
  replaceWaits(redisKey: string, reason: string, unanswered = false): void {
    if (unanswered) this.options.onUnanswered?.('waits');
    const redis = this.#waits.get(slotOn(this.control, redisKey));
    if (redis) cut(redis, reason);
  }

  /**
   * Which connection serves a key for a use: another number means that there may be another server behind it. 0 while
   * there is none.
   */
  made(use: ConnectionUse, redisKey: string): number {
    const connection = this.#open.get(use);
    const redis = connection instanceof Cluster ? nodeOf(connection, redisKey) : connection;
    return (redis && this.#numbers.get(redis)) ?? 0;
  }

  /** As `replace`, for a connection that was to answer and did not. */
  replaceUnanswered(use: ConnectionUse, reason: string): void {
    this.options.onUnanswered?.(use);
    this.replace(use, reason);
  }

  /** Cuts the connections of a use, whatever state they are in; they connect again by themselves. What is unanswered fails. */
  replace(use: ConnectionUse, reason: string): void {
    const connection = this.#open.get(use);
    const all = connection instanceof Cluster ? connection.nodes() : connection ? [connection] : [];
    for (const redis of all) cut(redis, reason);
  }

  /** Closes all. Nothing can be sent any more. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open.values(), ...this.#waits.values()];
    this.#open.clear();
    this.#waits.clear();
    for (const connection of open) end(connection);
  }

  get #address(): RedisAddress {
    return this.options.url ?? this.options.redis ?? {};
  }

  #get(use: ConnectionUse): Connection {
    let connection = this.#open.get(use);
    if (connection === undefined) {
      connection = connectTo(this.#address, this.#settings(use));
      this.#attend(connection, use);
      if (this.#closed) end(connection);
      else this.#open.set(use, connection);
    }
    return connection;
  }

  #settings(use: ConnectionUse): RedisOptions {
    const { connectTimeoutMs, reconnectMsMax, redis, url } = this.options;
    return {
      connectTimeout: connectTimeoutMs ?? connectionLimits.connectTimeoutMs,
      disconnectTimeout: DISCONNECT_MS,
      connectionName: `stillwater-${use}`,
      retryStrategy: (attempt) =>
        Math.min(25 * 2 ** Math.min(attempt, 10), reconnectMsMax ?? connectionLimits.reconnectMsMax),
      ...(url !== undefined && redis !== undefined && !isCluster(redis) && redis),
    };
  }

  /** Counts what is made, says what is lost, and cuts what does not answer. */
  #attend(connection: Connection, use: ConnectionUse): void {
    const attend = (redis: Redis): void => {
      redis.on('ready', () => this.#numbers.set(redis, ++this.#made));
      redis.on('close', () => this.#numbers.delete(redis));
      this.#report(redis, use);
      if (use === 'sources') readEntries(redis);
      // A blocking wait is bounded by who waits, who knows how long.
      if (use !== 'waits')
        watch(redis, this.options.commandTimeoutMs ?? connectionLimits.commandTimeoutMs, () =>
          this.options.onUnanswered?.(use),
        );
    };
    if (connection instanceof Redis) attend(connection);
    else {
      connection.on('+node', attend);
      this.#report(connection, use);
    }
  }

  /** One line when a connection is lost, one when it is back; not one for each attempt. */
  #report(connection: Connection, use: ConnectionUse): void {
    const { log = () => {} } = this.options;
    const where = connection instanceof Redis && this.#clustered ? ` at ${keyOf(connection)}` : '';
    const what = `The connection to Redis for ${use}${where}`;
    connection.on('error', (error) => {
      if (this.#lost.has(what)) return;
      this.#lost.add(what);
      log(`${what} is lost: ${messageOf(error)}. Connecting again.`);
    });
    connection.on('ready', () => {
      if (this.#lost.delete(what)) log(`${what} is back.`);
    });
  }
}

const keyOf = ({ options: { host, port } }: Redis): string => `${host}:${port}`;

/** The node on which a key lies, as far as is known. */
function nodeOf(cluster: Cluster, redisKey: string): Redis | undefined {
  const [master] = cluster.slots[slotOf(redisKey)] ?? [];
  return cluster.nodes().find((node) => keyOf(node) === master);
}
