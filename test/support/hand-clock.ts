import { Clock } from '../../src/runtime/clock.js';

/** Time that stands still but for who sets it. */
export class HandClock extends Clock {
  ms = 0;
  now(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
  async sleep(): Promise<void> {}
}
