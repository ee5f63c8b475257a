import { assert } from '../assert.js';
import { retractionsIn } from './arrangement.js';
import type { PairWork, SideName } from './pair-work.js';
import type { WorkQueue } from './work-queue.js';

/** How much one step does of what is to be done. */
export interface PageLimits {
  /** About how many pairs it makes; more of a key wait for the next steps. */
  readonly pairsMax: number;
  /** So many are made of each key, however many keys a tick changes: it is the tick that is too great then. */
  readonly pairsMin: number;
  /** So many of the works that wait are gone on with together. */
  readonly worksMax: number;
}

export const PAGE_LIMITS: PageLimits = { pairsMax: 2_000, pairsMin: 64, worksMax: 32 };

/**
 * The works of one tick: those that wait in the queue, or else those that its rows make, the right side's first. What is
 * left of them when each has been gone on with by a page waits for the next tick; the left's of a key until none of the
 * right's is left, for they are paired with what the right's have made of it.
 */
export class PairWorks {
  /** `number`: its place in the queue, where it waited there. */
  #works: { work: PairWork; number: string | null }[] = [];
  /** How many rows the tick takes away from the right side of a key. */
  readonly #retracted = new Map<string, number>();

  constructor(
    /** Null: every tick does all that it makes. */
    readonly queue: WorkQueue<PairWork> | null,
    readonly limits: PageLimits = PAGE_LIMITS,
  ) {}

  /** Asks for the works that wait. Whether they are loaded. */
  want(): boolean {
    return this.queue === null || this.queue.want(this.limits.worksMax);
  }

  /** Begins a tick. */
  begin(make: () => Iterable<PairWork>): void {
    this.discard();
    const waiting = this.queue?.take(this.limits.worksMax) ?? [];
    const made = make();
    if (waiting.length > 0) this.#works = waiting.map(([number, work]) => ({ number, work: copyOf(work) }));
    for (const work of made) {
      assert(waiting.length === 0, 'A join was given rows before it had finished with those before.');
      this.#works.push({ work, number: null });
    }
    for (const { work } of this.#works) {
      const retracted = work.side === 'right' ? retractionsIn(work.changes) : 0;
      if (retracted > 0) this.#retracted.set(work.key, this.retracted('right', work.key) + retracted);
    }
  }

  *[Symbol.iterator](): IterableIterator<PairWork> {
    for (const { work } of this.#works) yield work;
  }

  /** How many rows of a side's key the tick will have taken away before the other side's changes are paired with it. */
  retracted(side: SideName, key: string): number {
    return side === 'right' && this.#retracted.size > 0 ? (this.#retracted.get(key) ?? 0) : 0;
  }

  /** How many rows of the other side, and about how many pairs, a page has. */
  get count(): number {
    if (this.queue === null) return Infinity;
    const { pairsMin, pairsMax } = this.limits;
    return Math.max(pairsMin, Math.floor(pairsMax / this.#works.length));
  }

  /** Goes on with each by a page; `advance` gives what is left of it, null when it is done. */
  step(advance: (work: PairWork) => PairWork | null): void {
    const waiting = new Set<string>();
    for (const { work, number } of this.#works) {
      const left = waiting.has(work.key) && work.side === 'left' ? work : advance(work);
      if (left !== null && work.side === 'right') waiting.add(work.key);
      if (left !== null && number === null) this.#later(left);
      else if (left === null && number !== null) this.queue!.done(number);
      else if (left !== null && left !== work) this.queue!.put(number!, left);
    }
    this.queue?.settle(this.limits.worksMax);
  }

  /** Whether works wait for the next tick. */
  get areLeft(): boolean {
    return this.queue !== null && !this.queue.isEmpty;
  }

  /** Where this was a tick of what had waited: there is to be another one, though nothing waits to be paired. */
  comeBack(): void {
    if (this.#works.some(({ number }) => number !== null))
      this.#later({ side: 'right', key: '', changes: new Map(), from: '', to: '' });
  }

  discard(): void {
    this.#works = [];
    this.#retracted.clear();
  }

  #later(work: PairWork): void {
    assert(this.queue !== null, 'A join left work that nothing keeps.');
    this.queue.push(work);
  }
}

/** As the tick's own: what waits in the queue stays as it is until it is put back. */
const copyOf = (work: PairWork): PairWork => ({
  ...work,
  changes: new Map([...work.changes].map(([text, change]) => [text, { ...change }])),
});
