import { assert } from '../assert.js';
import { retractionsIn } from './arrangement.js';
import type { PairWork, SideName } from './pair-work.js';
import type { WorkQueue } from './work-queue.js';

/** How much one step does of what is to be done. */
export interface PageLimits {
  /** About how many pairs it makes; more wait for the next steps. */
  readonly pairsMax: number;
  /** So many may be made of each key, however many keys a tick changes: it is the tick that is too great then. */
  readonly pairsMin: number;
  /** So many of the works that wait are gone on with together. */
  readonly worksMax: number;
}

export const PAGE_LIMITS: PageLimits = { pairsMax: 2_500, pairsMin: 64, worksMax: 32 };

/**
 * The works of one tick: those that wait in the queue, or else those that its rows make, the right side's first. What is
 * left of them when each has been gone on with by a page waits for the next tick; the left's of a key until none of the
 * right's is left, for they are paired with what the right's have made of it.
 */
export class PairWorks {
  #works: readonly PairWork[] = [];
  /** Their places in the queue, where they waited there. */
  #numbers: readonly string[] | null = null;
  /** How many rows the tick takes away from the right side of a key. */
  readonly #retracted = new Map<string, number>();
  #count = Infinity;
  /** Whether it is known how many pairs the works have, and `count` goes by that. */
  #isShared = false;

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
  begin(make: () => readonly PairWork[]): void {
    this.discard();
    const waiting = this.queue?.take(this.limits.worksMax) ?? [];
    this.#works = make();
    if (waiting.length > 0) {
      assert(this.#works.length === 0, 'A join was given rows before it had finished with those before.');
      this.#works = waiting.map(([, work]) => copyOf(work));
      this.#numbers = waiting.map(([number]) => number);
    }
    for (const { side, key, changes } of this.#works) {
      const retracted = side === 'right' ? retractionsIn(changes) : 0;
      if (retracted > 0) this.#retracted.set(key, this.retracted('right', key) + retracted);
    }
    if (this.queue === null) return;
    const { pairsMin, pairsMax } = this.limits;
    this.#count = Math.max(pairsMin, Math.floor(pairsMax / this.#works.length));
  }

  [Symbol.iterator](): IterableIterator<PairWork> {
    return this.#works.values();
  }

  /**
   * Has `want` ask for a page of each work, and say how many pairs it gives; null while that is not loaded. Mostly few works
   * fill a page: then pages are greater, so that these make what the others leave of the tick's pairs.
   */
  wantPages(want: (work: PairWork, count: number) => number | null): void {
    let pairs = 0;
    let loaded = true;
    const full: PairWork[] = [];
    for (const work of this.#works) {
      const found = want(work, this.#count);
      if (found === null) loaded = false;
      else pairs += Math.min(found, this.#count);
      if (found !== null && found >= this.#count) full.push(work);
    }
    if (!loaded || this.#isShared) return;
    this.#isShared = true;
    if (full.length === 0) return;
    this.#count += Math.max(0, Math.floor((this.limits.pairsMax - pairs) / full.length));
    for (const work of full) want(work, this.#count);
  }

  /** How many rows of a side's key the tick will have taken away before the other side's changes are paired with it. */
  retracted(side: SideName, key: string): number {
    return side === 'right' && this.#retracted.size > 0 ? (this.#retracted.get(key) ?? 0) : 0;
  }

  /** How many rows of the other side, and about how many pairs, a page has. */
  get count(): number {
    return this.#count;
  }

  /** Goes on with each by a page; `advance` gives what is left of it, null when it is done. */
  step(advance: (work: PairWork) => PairWork | null): void {
    const waiting = new Set<string>();
    for (let index = 0; index < this.#works.length; index++) {
      const work = this.#works[index]!;
      const number = this.#numbers?.[index];
      const waits = waiting.size > 0 && work.side === 'left' && waiting.has(work.key);
      const left = waits ? work : advance(work);
      if (left !== null && work.side === 'right') waiting.add(work.key);
      if (left !== null && number === undefined) this.#later(left);
      else if (left === null && number !== undefined) this.queue!.done(number);
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
    if (this.#numbers !== null) this.#later({ side: 'right', key: '', changes: [], from: '', to: '' });
  }

  discard(): void {
    this.#works = [];
    this.#numbers = null;
    this.#retracted.clear();
    this.#count = Infinity;
    this.#isShared = false;
  }

  #later(work: PairWork): void {
    assert(this.queue !== null, 'A join left work that nothing keeps.');
    this.queue.push(work);
  }
}

/** As the tick's own: what waits in the queue stays as it is until it is put back. */
const copyOf = (work: PairWork): PairWork => ({
  ...work,
  changes: work.changes.map((change) => ({ ...change })),
});
