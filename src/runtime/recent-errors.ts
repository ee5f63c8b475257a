/** How many of a task's last entries failed. */
export class RecentErrors {
  /** Of the ticks that make up the last `windowMax` entries: [entries, errors]. */
  readonly #ticks: [entries: number, errors: number][] = [];

  constructor(readonly windowMax: number) {}

  add(entries: number, errors: number): void {
    this.#ticks.push([entries, Math.max(0, errors)]);
    let window = this.window;
    while (this.#ticks.length > 1 && window - this.#ticks[0]![0] >= this.windowMax)
      window -= this.#ticks.shift()![0];
  }

  /** Of so many entries … */
  get window(): number {
    return this.#ticks.reduce((sum, [entries]) => sum + entries, 0);
  }

  /** … so many failed. */
  get failed(): number {
    return this.#ticks.reduce((sum, [, errors]) => sum + errors, 0);
  }
}
