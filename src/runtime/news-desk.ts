import { type Clock, SystemClock } from './clock.js';
import type { SourceLog } from './ports/source-log.js';
import type { Position } from './position.js';

/** Pause after a wait that failed: the reads that follow meet the same trouble, and report it. */
const FAILED_PAUSE_MS = 100;

/** Where logs were last seen to end, and waiting there for more. News are a hint: what is read afterwards decides. */
export class NewsDesk {
  readonly #heads = new Map<string, Position>();
  /** Logs of which it was heard that there is more, since one was seen to end. */
  readonly #grown = new Set<string>();

  constructor(
    readonly log: SourceLog,
    readonly waitMs: number,
    readonly clock: Clock = new SystemClock(),
  ) {}

  /** The last position at which a read found nothing more. */
  reachedHead(redisKey: string, position: Position): void {
    this.#heads.set(redisKey, position);
    this.#grown.delete(redisKey);
  }

  atHead(redisKey: string, position: Position): boolean {
    return this.#heads.get(redisKey) === position;
  }

  /** Whether a log was seen to end there, and nobody has heard since that it goes on. */
  isQuiet(redisKey: string, position: Position): boolean {
    return this.atHead(redisKey, position) && !this.#grown.has(redisKey);
  }

  /** Returns when there may be something after the position, after `waitMs` in any case. */
  async wait(redisKey: string, position: Position, signal: AbortSignal): Promise<void> {
    await this.waitForAny(new Map([[redisKey, position]]), signal);
  }

  /** The same for several logs: when any of them may have something. Which those are; none where time has passed and no more. */
  async waitForAny(
    positions: ReadonlyMap<string, Position>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    let news: readonly string[];
    try {
      news = await this.log.waitForNews(positions, this.waitMs, signal);
    } catch {
      await this.clock.sleep(FAILED_PAUSE_MS, signal);
      news = [...positions.keys()];
    }
    for (const redisKey of news) if (this.#heads.has(redisKey)) this.#grown.add(redisKey);
    return news;
  }
}
