import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';

/** What else an attempt to connect may take until it is under way. */
const ATTEMPT_MS = 20;

/** Says to everything about jobs that the process stops. */
export class JobsShutdown implements BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #stopping = new AbortController();
  readonly #last: (() => void)[] = [];
  /** When the last attempt to connect again is due that was put off. */
  #attemptAt = 0;

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  beforeApplicationShutdown(): void {
    this.begin();
  }

  /** What is done when jobs were handed back and queues are closed. */
  closeLast(close: () => void): void {
    this.#last.push(close);
  }

  onApplicationShutdown(): void {
    for (const close of this.#last.splice(0)) close();
  }

  /** Nest runs the hooks of a phase in an order of its own: whoever comes first begins. */
  begin(): void {
    this.#stopping.abort();
  }

  /** A connection is lost: when to try again, in ms. Null: not any more. */
  attemptAfter(ms: number): number | null {
    if (this.signal.aborted) return null;
    this.#attemptAt = Math.max(this.#attemptAt, performance.now() + ms);
    return ms;
  }

  /**
   * Returns when no connection rests before its next attempt. ioredis never ends one that does if it is told to while it
   * rests, and BullMQ waits for that end.
   */
  async attempted(): Promise<void> {
    const ms = this.#attemptAt + ATTEMPT_MS - performance.now();
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  }
}
