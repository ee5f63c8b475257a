import type { MemoryClock } from '../memory/memory-redis.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** More timers are set at one moment by nobody but who waits for nothing. */
const TIMERS_OF_A_MOMENT_MAX = 200_000;

/**
 * Time that passes only when nothing is left to be done at the present: the same run has the same course, however fast the
 * machine is. Timers of one moment go off in the order in which they were set.
 */
export class VirtualTime implements MemoryClock {
  #now: number;
  #order = 0;
  /** A heap: the earliest first. */
  readonly #timers: Timer[] = [];
  /** How many timers were set since time last passed. */
  #set = 0;

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = {
      at: this.#now + Math.max(0, ms),
      order: this.#order++,
      callback,
      cancelled: false,
    };
    this.#push(timer);
    if (++this.#set >= TIMERS_OF_A_MOMENT_MAX) this.#stands();
    return () => {
      timer.cancelled = true;
    };
  }

  /** Lets time pass until `done`, for `ms` at most. Whether it was done. */
  async pass(ms: number, done: () => boolean = () => false): Promise<boolean> {
    const end = this.#now + ms;
    for (;;) {
      await everythingPending();
      if (done()) return true;
      const next = this.#timers[0];
      if (next === undefined || next.at > end) {
        this.#now = end;
        return false;
      }
      this.#pop();
      if (next.cancelled) continue;
      if (next.at > this.#now) this.#set = 0;
      this.#now = next.at;
      next.callback();
    }
  }

  /** Who spins lets nobody else run: it is thrown at him each time, so that he ends. */
  #stands(): never {
    const at = new Date(this.#now).toISOString();
    throw new Error(
      `Time does not pass: at ${at} ${TIMERS_OF_A_MOMENT_MAX} timers were set, and there is no end to it.`,
    );
  }

  #push(timer: Timer): void {
    const timers = this.#timers;
    let at = timers.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isEarlier(timers[at]!, timers[parent]!)) return;
      [timers[at], timers[parent]] = [timers[parent]!, timers[at]!];
      at = parent;
    }
  }

  #pop(): void {
    const timers = this.#timers;
    const last = timers.pop()!;
    if (timers.length === 0) return;
    timers[0] = last;
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < timers.length && isEarlier(timers[child]!, timers[least]!)) least = child;
      if (least === at) return;
      [timers[at], timers[least]] = [timers[least]!, timers[at]!];
      at = least;
    }
  }
}

const isEarlier = (left: Timer, right: Timer): boolean =>
  left.at < right.at || (left.at === right.at && left.order < right.order);

/**
 * All promises that can be settled without time passing are: Node runs what was put off like this when no other is left. It
 * must be put off by a promise: what a timer or a message put off would come before them.
 */
const everythingPending = (): Promise<void> =>
  Promise.resolve().then(() => new Promise((resolve) => process.nextTick(resolve)));
