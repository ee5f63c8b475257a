import type { Clock } from './clock.js';

/**
 * For how long something kept the thread: decoding, stepping, encoding. What it only waited for does not count, for others work
 * meanwhile; so a figure does not rise because its process is busy.
 */
export class TimeSpent {
  #ms = 0;

  constructor(readonly clock: Clock) {}

  get ms(): number {
    return this.#ms;
  }

  /** Counts a piece of work up to where it returns, which of an asynchronous one is where it first waits. */
  on<T>(work: () => T): T {
    const started = this.clock.monotonicMs();
    try {
      return work();
    } finally {
      this.#ms += this.clock.monotonicMs() - started;
    }
  }
}
