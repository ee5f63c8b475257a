/** How many more entries than planned the first tick of a view may take, before it is known what an entry writes. */
const FIRST_ENTRIES = 500;

/**
 * How many entries a tick takes, so that it writes about `writesMax`. Follows what entries have written so far. Where a
 * task keeps ending its owners (`grants`), ticks are small, in the end of one entry, so that the culprit shows.
 */
export class TickSize {
  #writesPerEntry: number | null = null;

  constructor(
    readonly writesMax: number,
    readonly grants: number,
  ) {}

  /** Where a tick that begins at `from` ends; runs are cut into parts of equal size. */
  next(from: number, size: number): number {
    const left = size - from;
    if (this.grants >= 3) return from + Math.max(1, Math.min(left, 64 >> ((this.grants - 3) * 3)));
    const fitting = this.#writesPerEntry === null ? FIRST_ENTRIES : Math.max(1, Math.floor(this.writesMax / this.#writesPerEntry));
    return from + Math.ceil(left / Math.ceil(left / fitting));
  }

  saw(entries: number, writes: number): void {
    const now = Math.max(writes / entries, 1e-3);
    this.#writesPerEntry = this.#writesPerEntry === null ? now : this.#writesPerEntry * 0.7 + now * 0.3;
  }
}
