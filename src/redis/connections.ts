import { Redis, type RedisOptions } from 'ioredis';
import { messageOf } from '../errors/stillwater-error.js';

export interface RedisConnectionOptions {
  /** `redis://user:password@host:6379/0`, `rediss://…` for TLS. */
  url?: string;
  /** Anything else ioredis takes; wins over the url. */
  redis?: RedisOptions;
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

const COMMAND_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_MS_MAX = 2_000;
/** How long ioredis waits for a socket to end that we close; where its other end had gone before, it waits in vain. */
const DISCONNECT_MS = 100;

export type ConnectionUse =
  'sources' | 'commits' | 'waits' | 'announcements' | 'serving' | 'control' | 'appends';

/**
 * The connections of one process, each for one use, opened when first used: a long read must not hold up a commit,
 * and a blocking wait nothing at all.
 *
 * None of them sends a command a second time: what was unanswered when a connection broke is an error of its caller,
 * who knows whether a repeat is safe. Commands given while there is no connection wait for one attempt to connect.
 */
export class RedisConnections {
  readonly #open = new Map<ConnectionUse, Redis>();
  readonly #made = new Map<ConnectionUse, number>();
  #closed = false;

  constructor(readonly options: RedisConnectionOptions) {}

  /** Reads of streams that views consume. */
  get sources(): Redis {
    return this.#get('sources');
  }
  /** Commits, and the fetches that must follow them. */
  get commits(): Redis {
    return this.#get('commits');
  }
  /** Blocking reads and nothing else. */
  get waits(): Redis {
    return this.#get('waits');
  }
  /** Subscriptions to channels. */
  get announcements(): Redis {
    return this.#get('announcements');
  }
  /** Reads for people and programs that ask. */
  get serving(): Redis {
    return this.#get('serving');
  }
  /** Appends that replicas are waited for: what waits must hold up nothing else. */
  get appends(): Redis {
    return this.#get('appends');
  }
  /** Appends, leases, the registry, retention. */
  get control(): Redis {
    return this.#get('control');
  }

  /** How often the connection for a use was made: another number means that there may be another server behind it. */
  made(use: ConnectionUse): number {
    return this.#made.get(use) ?? 0;
  }

  /** As `replace`, for a connection that was to answer and did not. */
  replaceUnanswered(use: ConnectionUse, reason: string): void {
    this.options.onUnanswered?.(use);
    this.replace(use, reason);
  }

  /** Cuts a connection, whatever state it is in; it connects again by itself. Its unanswered commands fail. */
  replace(use: ConnectionUse, reason: string): void {
    const redis = this.#open.get(use);
    if (redis) cut(redis, reason);
  }

  /** Closes all. Nothing can be sent any more. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const redis of open) redis.disconnect();
  }

  #get(use: ConnectionUse): Redis {
    let redis = this.#open.get(use);
    if (redis === undefined) {
      redis = connect(use, this.options);
      redis.on('ready', () => this.#made.set(use, this.made(use) + 1));
      if (this.#closed) redis.disconnect();
      else this.#open.set(use, redis);
    }
    return redis;
  }
}

function connect(use: ConnectionUse, options: RedisConnectionOptions): Redis {
  const settings: RedisOptions = {
    connectTimeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_MS,
    connectionName: `stillwater-${use}`,
    retryStrategy: (attempt) =>
      Math.min(25 * 2 ** Math.min(attempt, 10), options.reconnectMsMax ?? RECONNECT_MS_MAX),
    ...options.redis,
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    // Commands fail with the connection, or with the first attempt to make one.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: true,
    // Who listens subscribes with every connection. ioredis would do it too, and leaves a failure of that unhandled.
    autoResubscribe: false,
  };
  const redis = options.url === undefined ? new Redis(settings) : new Redis(options.url, settings);
  report(redis, use, options.log);
  // A blocking wait is bounded by who waits, who knows how long.
  if (use !== 'waits')
    watch(redis, options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS, () => options.onUnanswered?.(use));
  return redis;
}

/** One line when the connection is lost, one when it is back; not one for each attempt. */
function report(redis: Redis, use: ConnectionUse, log: (message: string) => void = () => {}): void {
  let lost = false;
  redis.on('error', (error) => {
    if (lost) return;
    lost = true;
    log(`The connection to Redis for ${use} is lost: ${messageOf(error)}. Connecting again.`);
  });
  redis.on('ready', () => {
    if (lost) log(`The connection to Redis for ${use} is back.`);
    lost = false;
  });
}

/**
 * Cuts a connection whose oldest unanswered command does not change for `timeoutMs`: a socket whose other end is gone
 * without a word stays open for minutes. Looking at the queue now and then costs less than a timer for each command.
 */
function watch(redis: Redis, timeoutMs: number, onUnanswered: () => void): void {
  const queue = redis as unknown as { commandQueue?: { peekFront(): { command: unknown } | undefined } };
  let oldest: unknown;
  let since = 0;
  const timer = setInterval(
    () => {
      const head = queue.commandQueue?.peekFront()?.command;
      if (head !== oldest) {
        oldest = head;
        since = performance.now();
      } else if (head !== undefined && performance.now() - since >= timeoutMs) {
        oldest = undefined;
        onUnanswered();
        cut(redis, `no answer within ${timeoutMs} ms`);
      }
    },
    Math.max(10, timeoutMs / 8),
  );
  timer.unref();
  redis.on('end', () => clearInterval(timer));
}

function cut(redis: Redis, reason: string): void {
  const { stream } = redis as unknown as { stream?: { destroy(error: Error): void } };
  if (redis.status !== 'end' && stream) stream.destroy(new Error(reason));
}
