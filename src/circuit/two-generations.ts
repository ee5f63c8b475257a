/** How many entries all caches that are given this budget hold together, about. */
export interface CacheBudget {
  readonly entriesMax: number;
  /** How many of their values are objects, others being packed; all where it is not said. */
  readonly objectsMax?: number;
}

/** A map, as far as a generation is one. */
interface Generation<V> {
  readonly size: number;
  has(key: string): boolean;
  get(key: string): V | undefined;
  set(key: string, value: V): unknown;
  delete(key: string): boolean;
  clear(): void;
}

/** The caches that share a budget: how much their young generations hold, and how often all were told to grow old. */
class Pool {
  young = 0;
  turn = 0;
}

const pools = new WeakMap<CacheBudget, Pool>();

function poolOf(budget: CacheBudget): Pool {
  let pool = pools.get(budget);
  if (pool === undefined) pools.set(budget, (pool = new Pool()));
  return pool;
}

/**
 * A bounded map that forgets what was not used for long: two generations instead of an exact order of use,
 * which costs a deletion and an insertion at every reading (measured: three times as slow).
 *
 * Caches share a budget by need: when the young generations of all of them have filled half of it, each makes its young
 * generation the old one when it settles next.
 */
export class TwoGenerations<V, G extends Generation<V> = Map<string, V>> {
  #young: G;
  #old: G;
  readonly #pool: Pool;
  #turn: number;
  /** For how many entries the young and the old generation count. */
  #youngSize = 0;
  #oldSize = 0;
  /** Whether it has forgotten anything, ever. */
  hasForgotten = false;

  constructor(
    readonly budget: CacheBudget,
    /** For how many entries a value counts. */
    readonly sizeOf: (value: V) => number = () => 1,
    readonly generation: () => G = () => new Map() as Generation<V> as G,
  ) {
    this.#young = generation();
    this.#old = generation();
    this.#pool = poolOf(budget);
    this.#turn = this.#pool.turn;
  }

  /** Whether it is there, which is no use of it. */
  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    if (this.#old.size === 0) return undefined;
    const old = this.#old.get(key);
    // It stays in the old one too: taking it out costs more than forgetting it with the rest.
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    const before = this.#young.size;
    this.#young.set(key, value);
    if (this.#young.size > before) this.grew(this.sizeOf(value));
  }

  /** A value held here counts for so many entries more. */
  grew(entries: number): void {
    this.#youngSize += entries;
    if (this.#turn === this.#pool.turn) this.#pool.young += entries;
  }

  /** Both, the young one first; what is in both is the same. */
  get generations(): readonly [young: G, old: G] {
    return [this.#young, this.#old];
  }

  /** Forgets the old generation if it is time to, and gives it. Only between ticks: a tick keeps what it has loaded. */
  settle(): G | null {
    const pool = this.#pool;
    if (pool.young * 2 > this.budget.entriesMax) {
      pool.young = 0;
      pool.turn++;
    }
    if (this.#turn === pool.turn) return null;
    this.#turn = pool.turn;
    const forgotten = this.#old;
    if (forgotten.size > 0) this.hasForgotten = true;
    this.#oldSize = this.#youngSize;
    this.#youngSize = 0;
    this.#old = this.#young;
    this.#young = this.generation();
    return forgotten;
  }

  delete(key: string): void {
    const young = this.#young.get(key);
    if (young !== undefined) {
      this.#young.delete(key);
      this.grew(-this.sizeOf(young));
    }
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.#old.delete(key);
      this.#oldSize -= this.sizeOf(old);
    }
  }

  clear(): void {
    this.grew(-this.#youngSize);
    this.#oldSize = 0;
    this.hasForgotten = false;
    this.#young.clear();
    this.#old.clear();
  }

  /** For how many entries all that is held counts; what is in both generations twice. */
  get size(): number {
    return this.#youngSize + this.#oldSize;
  }
}
