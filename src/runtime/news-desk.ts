import { comparePositions, type Position } from './position.js';
import type { SourceLog } from './ports/source-log.js';

/** Pause after a blocking read that failed. */
const RETRY_MS = 100;

interface Waiting {
  redisKey: string;
  position: Position;
  resolve: () => void;
}

/**
 * Waits for new entries in many streams at once, for all tasks of a worker, with one blocking read at a time. News are a
 * hint: what is read afterwards decides. A wait ends after `waitMs` in any case, and a checked read follows it.
 */
export class NewsDesk {
  readonly #waiting = new Set<Waiting>();
  readonly #heads = new Map<string, Position>();
  #interrupt = new AbortController();
  #watched: ReadonlyMap<string, Position> = new Map();
  #running = false;
  #closed = false;

  constructor(
    readonly log: SourceLog,
    readonly waitMs: number,
  ) {}

  /** The last position at which a read found nothing more. */
  reachedHead(redisKey: string, position: Position): void {
    this.#heads.set(redisKey, position);
  }

  atHead(redisKey: string, position: Position): boolean {
    return this.#heads.get(redisKey) === position;
  }

  wait(redisKey: string, position: Position, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting: Waiting = {
        redisKey,
        position,
        resolve: () => {
          if (!this.#waiting.delete(waiting)) return;
          clearTimeout(timer);
          signal.removeEventListener('abort', waiting.resolve);
          resolve();
        },
      };
      const timer = setTimeout(waiting.resolve, this.waitMs);
      this.#waiting.add(waiting);
      signal.addEventListener('abort', waiting.resolve, { once: true });
      // A blocking read that does not watch this stream is begun again.
      if (!this.#watched.has(redisKey)) this.#interrupt.abort();
      void this.#run();
    });
  }

  close(): void {
    this.#closed = true;
    this.#interrupt.abort();
    for (const waiting of [...this.#waiting]) waiting.resolve();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#waiting.size > 0 && !this.#closed) {
        // Tasks that come to their end in the same turn are waited for together.
        await new Promise((resolve) => setImmediate(resolve));
        this.#interrupt = new AbortController();
        const positions = new Map<string, Position>();
        for (const { redisKey, position } of this.#waiting) {
          const known = positions.get(redisKey);
          if (known === undefined || comparePositions(position, known) < 0) positions.set(redisKey, position);
        }
        if (positions.size === 0) break;
        this.#watched = positions;
        let news: readonly string[] = [];
        try {
          news = await this.log.waitForNews(positions, this.waitMs, this.#interrupt.signal);
        } catch {
          // The reads that follow meet the same trouble, and report it.
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
          news = [...positions.keys()];
        }
        this.#watched = new Map();
        for (const waiting of [...this.#waiting]) if (news.includes(waiting.redisKey)) waiting.resolve();
      }
    } finally {
      this.#running = false;
    }
  }
}
