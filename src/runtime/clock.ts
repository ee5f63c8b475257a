/** Time and waiting, injected: tests and the simulation have their own. No result of a view depends on it but of `processingTime()`. */
export abstract class Clock {
  /** Milliseconds since 1970, for people and for `processingTime()`. */
  abstract now(): number;
  /** For durations. */
  abstract monotonicMs(): number;
  /** Ends early when the signal is aborted; never throws. */
  abstract sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Returns when what has come in meanwhile was taken up: at once where that is not of this process. */
  async breathe(): Promise<void> {}
}

export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  override breathe(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
