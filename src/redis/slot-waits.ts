import { connectionLimits } from './connection-limits.js';
import type { Position } from '../runtime/position.js';
import type { RedisConnections } from './connections.js';
import { NewsWait } from './news-wait.js';
import { slotOn } from './slots.js';

/** How often what lies in slots beyond `waitedSlotsMax` is looked at. */
const LOOK_MS = 100;

/**
 * Waits for entries in streams, wherever they lie. Redis blocks a connection for keys of one slot only: on a cluster there
 * is one for each slot that is waited on, and it goes when nobody has waited there for a while.
 */
export class SlotWaits {
  readonly #waits = new Map<number, NewsWait>();

  constructor(readonly connections: RedisConnections) {}

  async wait(
    positions: ReadonlyMap<string, Position>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const bySlot = new Map<number, Map<string, Position>>();
    for (const [redisKey, position] of positions) {
      const slot = slotOn(this.connections.control, redisKey);
      const some = bySlot.get(slot);
      if (some) some.set(redisKey, position);
      else bySlot.set(slot, new Map([[redisKey, position]]));
    }
    const [first] = bySlot;
    if (first === undefined) return [];
    if (bySlot.size === 1) return this.#at(...first).wait(first[1], timeoutMs, signal);

    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      // Whoever has news first ends the waiting of all.
      return await new Promise<readonly string[]>((resolve, reject) => {
        let left = bySlot.size;
        for (const [slot, some] of bySlot)
          this.#at(slot, some)
            .wait(some, timeoutMs, over.signal)
            .then((news) => {
              left -= 1;
              if (news.length > 0 || left === 0) resolve(news);
            }, reject);
      });
    } finally {
      signal.removeEventListener('abort', stop);
      over.abort();
    }
  }

  #at(slot: number, positions: ReadonlyMap<string, Position>): Pick<NewsWait, 'wait'> {
    const known = this.#waits.get(slot);
    if (known !== undefined) return known;
    const [redisKey] = positions.keys();
    if (this.#waits.size >= connectionLimits.waitedSlotsMax) return { wait: looksAgain };
    const wait = new NewsWait(this.connections, redisKey!, () => {
      this.#waits.delete(slot);
      this.connections.endWaits(redisKey!);
    });
    this.#waits.set(slot, wait);
    return wait;
  }
}

/** There may be news after a while: who asks reads, and sees. */
function looksAgain(
  positions: ReadonlyMap<string, Position>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve(signal.aborted ? [] : [...positions.keys()]);
    };
    const timer = setTimeout(done, Math.min(timeoutMs, LOOK_MS));
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
