import type { Codec, Keyed } from './operator.js';

/** What lies under `''`: the number of the oldest work that is left, and the one that the next work gets. */
interface Ends {
  readonly first: number;
  readonly end: number;
}

/**
 * Work that a tick leaves for the ones after it, in its order, as state: who takes over goes on with it. Several of the
 * oldest are taken at a time, and each is done or put back. An empty queue leaves nothing.
 *
 * One value of a keyed state for each work, so that a page rewrites no more than what it went on with.
 */
export class WorkQueue<W> {
  constructor(readonly state: Keyed<Ends | W>) {}

  /** Asks for the `count` oldest works; whether they are loaded. */
  want(count: number): boolean {
    if (!this.state.want('')) return false;
    let loaded = true;
    for (const number of this.#oldest(count)) if (!this.state.want(number)) loaded = false;
    return loaded;
  }

  /** Those of the `count` oldest works that are not done, with their numbers. */
  take(count: number): (readonly [number: string, work: W])[] {
    return this.#oldest(count).flatMap((number) => {
      const work = this.state.get(number) as W | undefined;
      return work === undefined ? [] : [[number, work] as const];
    });
  }

  get isEmpty(): boolean {
    return this.state.get('') === undefined;
  }

  push(work: W): void {
    const { first, end } = this.#ends;
    this.state.set(String(end), work);
    this.state.set('', { first, end: end + 1 });
  }

  put(number: string, work: W): void {
    this.state.set(number, work);
  }

  done(number: string): void {
    this.state.delete(number);
  }

  /** After works that were taken are done: forgets the numbers before the oldest that is left of them. */
  settle(count: number): void {
    const { first, end } = this.#ends;
    let next = first;
    for (const number of this.#oldest(count)) {
      if (this.state.get(number) !== undefined) break;
      next++;
    }
    if (next === end) {
      if (!this.isEmpty) this.state.delete('');
    } else if (next !== first) this.state.set('', { first: next, end });
  }

  get #ends(): Ends {
    return (this.state.get('') as Ends | undefined) ?? { first: 0, end: 0 };
  }

  #oldest(count: number): string[] {
    const { first, end } = this.#ends;
    return Array.from({ length: Math.min(count, end - first) }, (_, index) => String(first + index));
  }
}

export const queueCodec = <W>(work: Codec<W>): Codec<Ends | W> => ({
  encode: (value) => ('first' in (value as object) ? JSON.stringify(value) : `w${work.encode(value as W)}`),
  decode: (text) => (text.startsWith('w') ? work.decode(text.slice(1)) : (JSON.parse(text) as Ends)),
});
