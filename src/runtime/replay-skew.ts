import type { InputBatch, TaskInput } from './input.js';
import type { TaskRecord } from './ports/task-store.js';
import type { TaskOptions } from './task-options.js';

/**
 * Keeps logs that are replayed together near each other in the time of their events:
 *
 *     events:0  ──jan──feb──mar──▶ waits
 *     events:1  ──jan──▶             has still to read
 *
 * Nothing closes before all have come there. So what one is ahead of another is held open: windows, and rows that wait for what
 * may match them. A log whose clock is more than `replaySkewMsMax` ahead of that of any other which has still something to read is
 * not read on.
 *
 * The one that is behind all others is never held, whatever time its next entry is of. What has nothing to read, cannot go on, or
 * stands where the task is to stop, holds nobody back. And a log that was read to its end is live from then on: what comes there waits for nobody.
 *
 * It decides when entries are read, and nothing else.
 */
export class ReplaySkew {
  /** Inputs that were read to their ends. */
  readonly #live = new Set<TaskInput>();
  /** Inputs that stand where the task is to stop. */
  readonly #stopped = new Set<TaskInput>();

  constructor(readonly options: Pick<TaskOptions, 'id' | 'inputs' | 'limits' | 'laggards'>) {}

  reachedEnd(input: TaskInput): void {
    this.#live.add(input);
  }

  standsStill(input: TaskInput): void {
    this.#stopped.add(input);
  }

  /** How far of the entries [from, to) of a batch may be taken in now. */
  async upTo(
    input: TaskInput,
    batch: InputBatch,
    [from, to]: readonly [from: number, to: number],
    record: Pick<TaskRecord, 'clocks'>,
  ): Promise<number> {
    const { id, limits, laggards } = this.options;
    this.#stopped.delete(input);
    if (this.#live.has(input) || !isTimed(input, record)) return to;
    const clockBefore = (entry: number): number =>
      entry === from ? clockOf(input, record) : (batch.clocksAfter!(entry)[input.redisKey!] ?? -Infinity);
    const ahead = clockBefore(to - 1) - limits.replaySkewMsMax;
    const own = this.#leastOfOthers(input, record);
    // What was last heard of other tasks is enough where it is near: they only come nearer.
    if (ahead <= Math.min(own, laggards?.heardOf(id, record) ?? Infinity)) return to;
    const least = Math.min(own, (await laggards?.leastBut(id)) ?? Infinity) + limits.replaySkewMsMax;
    // Clocks only rise: the last entry before which it is not beyond is found by halves.
    let [before, beyond] = [from, to + 1];
    while (beyond - before > 1) {
      const middle = (before + beyond) >> 1;
      if (clockBefore(middle - 1) > least) beyond = middle;
      else before = middle;
    }
    return before;
  }

  /** Of what the task reads itself and has still to read. */
  #leastOfOthers(input: TaskInput, record: Pick<TaskRecord, 'clocks'>): number {
    let least = Infinity;
    for (const other of this.options.inputs)
      if (other !== input && !this.#live.has(other) && !this.#stopped.has(other) && isTimed(other, record))
        least = Math.min(least, clockOf(other, record));
    return least;
  }
}

/** A log, on whose time the view acts. */
const isTimed = ({ name, redisKey }: TaskInput, { clocks }: Pick<TaskRecord, 'clocks'>): boolean =>
  redisKey !== undefined && clocks[name] !== undefined;

const clockOf = ({ name, redisKey }: TaskInput, { clocks }: Pick<TaskRecord, 'clocks'>): number =>
  clocks[name]?.[redisKey!] ?? -Infinity;
