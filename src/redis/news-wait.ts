import type { Redis } from 'ioredis';
import { comparePositions, earlierOf, type Position } from '../runtime/position.js';
import type { RedisConnections } from './connections.js';
import { isReply } from './replies.js';

/** The longest single blocking read. */
const BLOCK_MS_MAX = 5_000;
/** A blocking read that is not answered so long after its time has lost its connection. */
const GRACE_MS = 1_000;
/** Pause after a blocking read that failed: a stream of a wrong type fails at once, again and again. */
const FAILED_PAUSE_MS = 100;
/** An interruption may overtake the read it is meant for; it is repeated until it meets it. */
const INTERRUPT_AGAIN_MS = 2;

/** On a cluster: how long nobody may wait for keys of a slot until its connection is closed. */
const UNUSED_MS = 30_000;

const NO_ID = -1;

interface Waiter {
  positions: ReadonlyMap<string, Position>;
  settle(news: readonly string[]): void;
}

/**
 * Waits for entries in streams of one slot, for any number of callers, with one blocking `XREAD` at a time on one connection.
 * Its content is not used. When somebody comes who waits for what the running read does not watch, the read is interrupted
 * (`CLIENT UNBLOCK`) and begun again. Whatever happens to the connection, each caller returns in its own time.
 */
export class NewsWait {
  readonly #waiters = new Set<Waiter>();
  #watched: ReadonlyMap<string, Position> | null = null;
  #interrupted: ReadonlyMap<string, Position> | null = null;
  #running = false;
  #redis: Redis | null = null;
  /** Under which Redis knows the waiting connection; null while there is none. */
  #connectionId: number | null = null;
  #unused: NodeJS.Timeout | undefined;

  constructor(
    readonly connections: RedisConnections,
    /** All keys that are waited for lie in the slot of this one. */
    readonly redisKey: string,
    /** Nobody has waited for long. */
    readonly onUnused: () => void = () => {},
  ) {}

  wait(
    positions: ReadonlyMap<string, Position>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    if (signal.aborted || positions.size === 0 || timeoutMs <= 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const nothing = (): void => waiter.settle([]);
      const waiter: Waiter = {
        positions,
        settle: (news) => {
          if (!this.#waiters.delete(waiter)) return;
          clearTimeout(timer);
          signal.removeEventListener('abort', nothing);
          resolve(news);
        },
      };
      const timer = setTimeout(nothing, timeoutMs);
      signal.addEventListener('abort', nothing, { once: true });
      this.#waiters.add(waiter);
      if (!this.#running) void this.#run();
      else if (this.#watched !== null && !covers(this.#watched, positions))
        void this.#interrupt(this.#watched);
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    clearTimeout(this.#unused);
    try {
      while (this.#waiters.size > 0) {
        const watched = new Map<string, Position>();
        for (const { positions } of this.#waiters)
          for (const [redisKey, position] of positions) {
            const known = watched.get(redisKey);
            watched.set(redisKey, known === undefined ? position : earlierOf(known, position));
          }
        this.#watched = watched;
        const news = await this.#read(watched);
        this.#watched = null;
        if (news === 'failed') {
          // What the callers read next meets the same trouble, and says what it is.
          await pause(FAILED_PAUSE_MS);
          for (const waiter of [...this.#waiters]) waiter.settle([...waiter.positions.keys()]);
        } else if (news !== null)
          for (const waiter of [...this.#waiters]) {
            const own = news.filter(
              ([redisKey, id]) =>
                waiter.positions.has(redisKey) && comparePositions(id, waiter.positions.get(redisKey)!) > 0,
            );
            if (own.length > 0) waiter.settle(own.map(([redisKey]) => redisKey));
          }
      }
    } finally {
      this.#running = false;
      this.#watched = null;
      this.#unused = setTimeout(this.onUnused, UNUSED_MS).unref();
    }
  }

  /** The first new id of each stream that has one; null if none has. */
  async #read(
    watched: ReadonlyMap<string, Position>,
  ): Promise<[redisKey: string, id: Position][] | null | 'failed'> {
    let late: NodeJS.Timeout | undefined;
    const unanswered = new Error('The blocking read was not answered.');
    const reply = this.#ask(watched);
    // Where it comes too late, nobody listens to it any more.
    reply.catch(() => {});
    const tooLate = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(unanswered), BLOCK_MS_MAX + GRACE_MS);
    });
    try {
      const found = await Promise.race([reply, tooLate]);
      return found && found.map(([redisKey, entries]) => [redisKey, entries[0]![0]]);
    } catch (thrown) {
      if (thrown === unanswered)
        this.connections.replaceWaits(this.redisKey, 'a blocking read was not answered in time', true);
      // A node that says that the key lies elsewhere is the wrong one to wait at.
      else if (!isReply(thrown) || /^(MOVED|ASK) /.test(thrown.message))
        this.connections.replaceWaits(this.redisKey, 'a blocking read failed');
      return 'failed';
    } finally {
      clearTimeout(late);
    }
  }

  async #ask(
    watched: ReadonlyMap<string, Position>,
  ): Promise<[redisKey: string, entries: [id: Position, fields: string[]][]][] | null> {
    const redis = await this.connections.waits(this.redisKey);
    if (this.#redis !== redis) {
      this.#redis = redis;
      redis.on('close', () => (this.#connectionId = null));
    }
    // Whoever is not allowed to ask for it has its connection replaced instead.
    this.#connectionId ??= await redis.client('ID').catch((thrown) => {
      if (isReply(thrown)) return NO_ID;
      throw thrown;
    });
    return redis.xread('COUNT', 1, 'BLOCK', BLOCK_MS_MAX, 'STREAMS', ...watched.keys(), ...watched.values());
  }

  /** Ends the running read, so that the next one watches what is waited for now. */
  async #interrupt(watched: ReadonlyMap<string, Position>): Promise<void> {
    if (this.#interrupted === watched) return;
    this.#interrupted = watched;
    try {
      while (this.#watched === watched) {
        const id = this.#connectionId;
        if (id === NO_ID) throw new Error('The waiting connection has no known id.');
        if (id !== null) {
          const control = await this.connections.at('control', this.redisKey);
          if (Number(await control.client('UNBLOCK', id)) === 1) return;
        }
        await pause(INTERRUPT_AGAIN_MS);
      }
    } catch {
      // Not allowed, or no connection: a new connection interrupts as well.
      if (this.#watched === watched)
        this.connections.replaceWaits(this.redisKey, 'a blocking read was to watch other streams');
    }
  }
}

/** Whether a read from these positions also finds what is waited for from those. */
function covers(watched: ReadonlyMap<string, Position>, positions: ReadonlyMap<string, Position>): boolean {
  for (const [redisKey, position] of positions) {
    const known = watched.get(redisKey);
    if (known === undefined || comparePositions(known, position) > 0) return false;
  }
  return true;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
