/**
 * How long to wait for a task that is behind what others have of it, until it finds out that its slot went back: so long from the
 * first commit on that it makes while it is. Where it makes none there may be nobody yet who could find out.
 */
export class RegainWait {
  /** At which commit it was seen to be behind, and since when it is known to make others. */
  #behind: { readonly tick: number; since: number | null } | null = null;

  constructor(
    readonly now: () => number,
    readonly regainMs: number,
  ) {}

  /** Whether it may still find out; `tick`: of its last commit. */
  goesOn(tick: number): boolean {
    const now = this.now();
    this.#behind ??= { tick, since: null };
    if (tick !== this.#behind.tick) this.#behind.since ??= now;
    return this.#behind.since === null || now - this.#behind.since < this.regainMs;
  }

  /** It is not behind any more. */
  over(): void {
    this.#behind = null;
  }
}
