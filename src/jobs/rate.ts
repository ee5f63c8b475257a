/** Over how long a rate is taken, and from how long on it is told. */
const WINDOW_MS = 5_000;
const TELL_AFTER_MS = 1_000;
const SAMPLES_MAX = 64;

/** How fast something goes of late: what was done over the last seconds. */
export class Rate {
  readonly #samples: { at: number; done: number }[] = [];

  /** @param at milliseconds of a clock that never goes back */
  note(at: number, done: number): void {
    const last = this.#samples.at(-1);
    // What was done went down: a replay began anew, and what was before it says nothing.
    if (last && done < last.done) this.#samples.length = 0;
    this.#samples.push({ at, done });
    while (
      this.#samples.length > SAMPLES_MAX ||
      (this.#samples.length > 2 && at - this.#samples[1]!.at >= WINDOW_MS)
    )
      this.#samples.shift();
  }

  /** Null while too little has been seen. */
  get perSecond(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < TELL_AFTER_MS) return null;
    return Math.round(((last.done - first.done) * 1_000) / (last.at - first.at));
  }

  /** How long the rest takes at this rate; null where it does not move. */
  remainingMs(rest: number): number | null {
    const rate = this.perSecond;
    if (rest <= 0) return 0;
    return rate === null || rate <= 0 ? null : Math.round((rest * 1_000) / rate);
  }
}
