/**
 * What was known a while ago: who asks for something again that it had, as one does whose slot went back, asks for nothing that was
 * before that.
 */
export class KnownBefore<T> {
  /** What was known and when, the oldest first: the last that is old enough, and all that are younger. */
  #known: { readonly at: number; readonly what: T }[] = [];

  constructor(readonly keepMs: number) {}

  add(at: number, what: T): void {
    this.#known.push({ at, what });
    while (this.#known.length > 1 && at - this.#known[1]!.at >= this.keepMs) this.#known.shift();
  }

  /** What was known so long ago, and what was known last; null where nothing was yet. */
  at(now: number): { readonly before: T; readonly last: T } | null {
    const [oldest] = this.#known;
    if (oldest === undefined || now - oldest.at < this.keepMs) return null;
    return { before: oldest.what, last: this.#known.at(-1)!.what };
  }

  forget(): void {
    this.#known = [];
  }
}
