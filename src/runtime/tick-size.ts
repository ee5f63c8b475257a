/** How many more entries than planned the first tick of a view may take, before it is known what an entry writes. */
export const FIRST_ENTRIES = 500;

/**
 * By how much of a tick the last part may be greater than planned, rather than cut in two. Entries that meet in a group
 * write once: the greater the tick, the less an entry writes, and the plan is mostly too small.
 */
const SURPLUS = 0.4;

/** How many entries a tick takes, so that it writes about `writesMax`. Follows what entries have written so far. */
export class TickSize {
  #writesPerEntry: number | null = null;

  constructor(readonly writesMax: number) {}

  /** Where a tick that begins at `from` ends; runs are cut into parts of equal size. */
  next(from: number, size: number): number {
    const left = size - from;
    const fitting =
      this.#writesPerEntry === null
        ? FIRST_ENTRIES
        : Math.max(1, Math.floor(this.writesMax / this.#writesPerEntry));
    return from + Math.ceil(left / Math.max(1, Math.ceil(left / fitting - SURPLUS)));
  }

  saw(entries: number, writes: number): void {
    const now = Math.max(writes / entries, 1e-3);
    this.#writesPerEntry = this.#writesPerEntry === null ? now : this.#writesPerEntry * 0.7 + now * 0.3;
  }
}
