import { Clock } from '../../runtime/clock.js';
import type { VirtualTime } from './virtual-time.js';

/**
 * A process that can be paused and killed. Nothing reaches it while it is paused (it all comes afterwards, in order), and
 * nothing ever again when it is dead; what it had sent before is on its way all the same.
 */
export class SimulatedProcess {
  #dead = false;
  #paused = false;
  #waiting: (() => void)[] = [];
  readonly clock: Clock;

  constructor(
    readonly name: string,
    readonly time: VirtualTime,
    /** By how much its clock is wrong. */
    skewMs: number,
  ) {
    this.clock = new ProcessClock(this, skewMs);
  }

  get dead(): boolean {
    return this.#dead;
  }

  get paused(): boolean {
    return this.#paused;
  }

  kill(): void {
    this.#dead = true;
    this.#waiting = [];
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) this.reach(callback);
  }

  /** Something happens in the process, as soon as it can. */
  reach(callback: () => void): void {
    if (this.#dead) return;
    if (this.#paused) this.#waiting.push(callback);
    else callback();
  }

  after(ms: number, callback: () => void): () => void {
    return this.time.after(ms, () => this.reach(callback));
  }
}

class ProcessClock extends Clock {
  constructor(
    readonly process: SimulatedProcess,
    readonly skewMs: number,
  ) {
    super();
  }

  now(): number {
    return this.process.time.now() + this.skewMs;
  }

  monotonicMs(): number {
    return this.process.time.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.process.after(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
