import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { type ClusterAddress, isCluster, type RedisAddress, resolved } from './redis-address.js';

/** A connection to one server, or those to the nodes of a cluster, each command to the node of its key. */
export type Connection = Redis | Cluster;

/** How long ioredis waits for a socket to end that we close; where its other end had gone before, it waits in vain. */
export const DISCONNECT_MS = 100;
/** How often a command is sent on to another node before it is given up. */
const REDIRECTIONS_MAX = 5;
/** So often at the most a connection to a server that says that it is a replica is replaced. */
const READONLY_MS = 1_000;
const UNREACHABLE = 'no node of the cluster can be reached';
/** How long a node may take to say which node has which slots. */
const SLOTS_MS_MAX = 1_000;

/**
 * A cluster that sends a command a second time only where a node said that it belongs elsewhere, and so did not begin it.
 * All other trouble is for who asked, who knows whether a repeat is safe.
 */
class Nodes extends Cluster {
  override handleError(...[error, left, handlers]: Parameters<Cluster['handleError']>): void {
    if (/^(MOVED|ASK) /.test(error.message)) super.handleError(error, left, handlers);
    else handlers.defaults();
  }

  /** A pipeline waits here for a connection; of one that was ended there will be none. */
  override delayUntilReady(callback: (error?: Error | null) => void): void {
    if (this.status === 'end') process.nextTick(callback, new Error(UNREACHABLE));
    else super.delayUntilReady(callback);
  }
}

/**
 * A master that became a replica takes no writes any more: whoever is the master is behind another connection. Where it is behind
 * none, what is only read goes on in between.
 */
function whenReadOnly(): (error: Error) => boolean {
  let replacedAt = -Infinity;
  return ({ message }) => {
    if (!message.startsWith('READONLY') || performance.now() - replacedAt < READONLY_MS) return false;
    replacedAt = performance.now();
    return true;
  };
}

/**
 * Connects when first used. `settings` are of each connection, and give way to those of the address. Commands given while
 * there is no connection wait for one attempt to make one.
 */
export function connectTo(address: RedisAddress, settings: RedisOptions): Connection {
  const place = resolved(address);
  const fixed: RedisOptions = {
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    // Commands fail with the connection, or with the first attempt to make one.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: true,
    // Who listens subscribes with every connection. ioredis would do it too, and leaves a failure of that unhandled.
    autoResubscribe: false,
    reconnectOnError: whenReadOnly(),
  };
  if (isCluster(place)) return connectToNodes(place.cluster, place.options ?? {}, settings, fixed);
  if (typeof place === 'string') return inItsDatabase(new Redis(place, { ...settings, ...fixed }));
  const redis: Redis = new Redis({
    ...settings,
    ...place,
    ...fixed,
    // The first time may only be the end of their list; after the second they have all been asked in vain.
    sentinelRetryStrategy: (attempt) => {
      if (attempt > 1) failWaitingFor(redis);
      return settings.retryStrategy?.(attempt);
    },
  });
  return inItsDatabase(redis);
}

/** Where a server refuses the database ioredis goes on in database 0, among what belongs to others: that connection is cut. */
function inItsDatabase(redis: Redis): Redis {
  redis.on('error', (error: Error & { command?: { name: string } }) => {
    if (error.command?.name === 'select') cut(redis, error.message);
  });
  return redis;
}

function connectToNodes(
  nodes: readonly ClusterNode[],
  options: ClusterOptions,
  settings: RedisOptions,
  fixed: RedisOptions,
): Cluster {
  const cluster = new Nodes([...nodes], {
    slotsRefreshTimeout: SLOTS_MS_MAX,
    clusterRetryStrategy: (attempt) => settings.retryStrategy?.(attempt) as number,
    ...options,
    redisOptions: { ...settings, ...options.redisOptions, ...fixed, reconnectOnError: null },
    lazyConnect: true,
    enableOfflineQueue: true,
    maxRedirections: REDIRECTIONS_MAX,
    // What is read must contain what was committed before.
    scaleReads: 'master',
  });
  cluster.on('+node', (node: Redis) => {
    // Sent before a command that is sent on. Where it fails so does the command; that it failed itself nobody asked.
    const asking = node.asking.bind(node);
    node.asking = (() => {
      const answer = asking();
      answer.catch(() => {});
      return answer;
    }) as typeof node.asking;
  });
  // One attempt to find a node has failed: what waited for it is told, not kept for the next.
  cluster.on('close', () => failWaiting(cluster));
  return cluster;
}

/**
 * A cluster as a queue takes it, which waits for an answer however long it takes. `settings` are of each connection, their
 * `retryStrategy` is the cluster's.
 */
export function queueCluster({ cluster: nodes, options }: ClusterAddress, settings: RedisOptions): Cluster {
  const { retryStrategy, ...others } = settings;
  return new Cluster([...nodes], {
    ...options,
    redisOptions: { ...options?.redisOptions, ...others },
    clusterRetryStrategy: (attempt) => retryStrategy?.(attempt) as number,
    lazyConnect: true,
  });
}

/** Closes a connection for good. What waits for one, and whatever is given to it later, fails. */
export function end(connection: Connection): void {
  if (connection.status === 'end') return;
  connection.disconnect();
  if (connection instanceof Redis) return;
  failWaiting(connection);
  connection.status = 'end';
}

function failWaitingFor(redis: Redis): void {
  const waiting = redis as unknown as { flushQueue(error: Error, which: { commandQueue: boolean }): void };
  waiting.flushQueue(new Error('no sentinel names a master'), { commandQueue: false });
}

function failWaiting(cluster: Cluster): void {
  const waiting = cluster as unknown as {
    flushQueue(error: Error): void;
    invokeReadyDelayedCallbacks(error: Error): void;
  };
  waiting.flushQueue(new Error(UNREACHABLE));
  waiting.invokeReadyDelayedCallbacks(new Error(UNREACHABLE));
}

/** Cuts a connection to one server, whatever state it is in; its unanswered commands fail. */
export function cut(redis: Redis, reason: string): void {
  const { stream } = redis as unknown as { stream?: { destroy(error: Error): void } };
  if (redis.status !== 'end' && stream) stream.destroy(new Error(reason));
}

/**
 * Cuts a connection whose oldest unanswered command does not change for `timeoutMs`: a socket whose other end is gone
 * without a word stays open for minutes. Looking at the queue now and then costs less than a timer for each command.
 */
export function watch(redis: Redis, timeoutMs: number, onUnanswered: () => void): void {
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
