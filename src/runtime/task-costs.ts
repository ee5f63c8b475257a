import type { Clock } from './clock.js';

/** What costs less, in milliseconds of a second, is not told; and a cost is told anew when it differs by as much, and by a quarter. */
const WORTH_TELLING = 5;
const TOLD_AGAIN_AT = 1 / 4;
/** Tasks of which a worker tells what they cost, the dearest: all workers read what each says. */
const TOLD_MAX = 300;

interface Measured {
  readonly since: number;
  at: number;
  spentMs: number;
  /** Milliseconds of a second. */
  average: number;
  told: number;
}

/**
 * What the tasks of a worker cost it: milliseconds of work in a second. Averaged, so that a burst is not taken for a load,
 * and told in steps, so that nobody acts on what only trembles.
 */
export class TaskCosts {
  readonly #measured = new Map<string, Measured>();

  constructor(
    readonly clock: Clock,
    /** Over how long costs are averaged. */
    readonly averageMs: number,
  ) {}

  /** Takes down how long each task that runs has worked since it was taken. */
  measure(tasks: Iterable<readonly [name: string, spentMs: number]>): void {
    const now = this.clock.monotonicMs();
    const running = new Set<string>();
    for (const [name, spentMs] of tasks) {
      running.add(name);
      const known = this.#measured.get(name);
      // One with less than before is another one: it was let go, and taken again.
      if (known === undefined || spentMs < known.spentMs)
        this.#measured.set(name, { since: now, at: now, spentMs, average: 0, told: 0 });
      else this.#average(known, spentMs, now);
    }
    for (const name of this.#measured.keys()) if (!running.has(name)) this.#measured.delete(name);
  }

  #average(task: Measured, spentMs: number, now: number): void {
    const passed = now - task.at;
    if (passed <= 0) return;
    const share = (1_000 * (spentMs - task.spentMs)) / passed;
    // At first it is the mean of all that there is.
    task.average +=
      (share - task.average) * (passed / Math.max(passed, Math.min(this.averageMs, now - task.since)));
    task.at = now;
    task.spentMs = spentMs;
    if (Math.abs(task.average - task.told) >= Math.max(WORTH_TELLING, task.told * TOLD_AGAIN_AT))
      task.told = Math.round(task.average);
  }

  get told(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#measured]
        .filter(([, { told }]) => told > 0)
        .sort(([, left], [, right]) => right.told - left.told)
        .slice(0, TOLD_MAX)
        .map(([name, { told }]) => [name, told]),
    );
  }
}
