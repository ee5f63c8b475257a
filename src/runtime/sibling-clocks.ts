import type { Clock } from './clock.js';
import type { Clocks } from './clocks.js';
import type { TaskStore } from './ports/task-store.js';
import type { TaskId } from './task-id.js';

/**
 * How far time is in the partitions of a view, as its tasks have committed it. All tasks of a worker share one question,
 * asked at most every so often.
 */
export class SiblingClocks {
  #asked = -Infinity;
  #answer: Promise<readonly (Clocks | null)[]> = Promise.resolve([]);

  constructor(
    readonly tasks: readonly TaskId[],
    readonly store: TaskStore,
    readonly clock: Clock,
    readonly everyMs: number,
  ) {}

  /** The store is elsewhere than it was: what they had learnt of time then they may not have now. */
  forget(): void {
    this.#asked = -Infinity;
  }

  /** Of each task that has committed; the last answer again while it is fresh. */
  async latest(): Promise<readonly Clocks[]> {
    const now = this.clock.monotonicMs();
    if (now - this.#asked >= this.everyMs) {
      this.#asked = now;
      // Without an answer nothing is learnt: the next question comes soon.
      this.#answer = this.store.clocks(this.tasks).catch(() => []);
    }
    return (await this.#answer).filter((clocks) => clocks !== null);
  }
}
