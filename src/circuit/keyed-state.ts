import { assert } from '../assert.js';
import type { Codec, Keyed } from './operator.js';
import { TOUCHED_MAX } from './packed-texts.js';
import type { CacheBudget } from './two-generations.js';
import { ABSENT, type Slot, ValueCache } from './value-cache.js';

/** What is stored under keys; null where nothing is any more. */
export type Texts = ReadonlyMap<string, string | null>;

const NO_TEXTS: Texts = new Map();

/**
 * Keyed state over a store that is fetched on demand.
 *
 *   current    what this tick has changed
 *   pending    what the tick before has changed, while its commit is not answered
 *   cache      what is committed or pending, as far as it is loaded; bounded, and nothing but a cache (`value-cache.ts`)
 *
 * Readings look there in this order. Neither overlay can be evicted: an unanswered change that fell out of
 * the cache would be read back old. At most one commit is unanswered at a time.
 *
 * Where the store was known to be empty, and nothing has fallen out of the cache since, all that it holds is here: what is
 * not, it does not hold, and need not be asked for it.
 *
 * Values are changed in place, wherever they were found. A tick that is given up is taken back from texts: what is
 * pending is made again of what is being committed, what was only cached is read again when it is wanted.
 */
export class KeyedState<V> implements Keyed<V> {
  readonly kind = 'keyed';
  #current = new Map<string, Slot<V>>();
  #pending = new Map<string, Slot<V>>();
  readonly #cache: ValueCache<V>;
  #missing = new Set<string>();
  /** What the current tick only writes. */
  #written = new Map<string, string | null>();
  /** As how many more writes they count than they are. */
  #surplus = 0;
  /** What the current tick stores, once asked for; what the pending one does. */
  #writes: Texts | null = null;
  #sealed: Texts = NO_TEXTS;
  /** All that the store holds is here, but for what was given up of these keys. */
  #holdsAll = false;
  readonly #givenUp = new Set<string>();

  constructor(
    readonly name: string,
    readonly codec: Codec<V>,
    budget: CacheBudget,
  ) {
    this.#cache = new ValueCache(codec, budget);
  }

  // ---- the operator's side

  want(key: string): boolean {
    // Whether it is there or absent: where all is here, that need not be found out to say that it is known.
    if (this.#isHere(key)) return true;
    if (this.#current.has(key) || this.#pending.has(key) || this.#cache.has(key)) return true;
    this.#missing.add(key);
    return false;
  }

  wantEach(keys: readonly string[]): boolean {
    let loaded = true;
    for (let index = 0; index < keys.length; index++) {
      if (index % TOUCHED_MAX === 0) this.#cache.touch(keys, index);
      if (!this.want(keys[index]!)) loaded = false;
    }
    return loaded;
  }

  get(key: string): V | undefined {
    const slot = this.#find(key);
    if (slot === undefined) this.#refuse(key);
    return slot === ABSENT ? undefined : slot;
  }

  edit(key: string): V | undefined {
    const changed = this.#current.get(key);
    if (changed !== undefined) return changed === ABSENT ? undefined : changed;
    const slot = this.#committed(key);
    if (slot === undefined) this.#refuse(key);
    if (slot === ABSENT) return undefined;
    this.#current.set(key, slot);
    return slot;
  }

  set(key: string, value: V): void {
    this.#current.set(key, value);
  }

  delete(key: string): void {
    this.#current.set(key, ABSENT);
  }

  /** Stores a text under a key that nobody asks for: it is written and forgotten. A large one counts as several writes. */
  put(key: string, text: string, writes = 1): void {
    this.#written.set(key, text);
    this.#surplus += writes - 1;
  }

  // ---- the runtime's side

  beginEmpty(): void {
    this.#holdsAll = true;
  }

  /** The wanted keys that are not loaded; each is to be answered by `load`. */
  takeMissing(): string[] {
    if (this.#missing.size === 0) return [];
    const missing = [...this.#missing];
    this.#missing.clear();
    return missing;
  }

  load(key: string, text: string | null | undefined): void {
    // What an overlay holds is newer than anything that was read.
    if (this.#current.has(key) || this.#pending.has(key)) return;
    this.#givenUp.delete(key);
    this.#cache.set(key, text ?? null);
  }

  get changed(): number {
    return this.#current.size + this.#written.size + this.#surplus;
  }

  get cached(): number {
    return this.#cache.size;
  }

  /** What the current tick stores: of each key a text, or null where it goes. */
  writes(): Texts {
    const texts = this.#written;
    for (const [key, slot] of this.#current) texts.set(key, slot === ABSENT ? null : this.codec.encode(slot));
    return (this.#writes = texts);
  }

  /**
   * The tick is being committed: its changes stay until the answer. The cache has them at once, while a processor still has what
   * was read of them: if they are not committed, it is dropped.
   */
  seal(): void {
    assert(this.#pending.size === 0, `State "${this.name}" has two unanswered commits.`);
    this.#sealed = this.#writes ?? this.writes();
    this.#writes = null;
    this.#pending = this.#current;
    const keys = [...this.#pending.keys()];
    let index = 0;
    for (const [key, slot] of this.#pending) {
      if (index % TOUCHED_MAX === 0) this.#cache.touch(keys, index);
      index++;
      this.#cache.set(key, this.#sealed.get(key) ?? null, slot);
    }
    this.#current = new Map();
    this.#written = new Map();
    this.#surplus = 0;
    this.settle();
  }

  settle(): void {
    this.#cache.settle();
    if (this.#cache.hasForgotten) this.#holdsAll = false;
  }

  /** The sealed tick was committed. */
  acknowledge(): void {
    this.#pending = new Map();
    this.#sealed = NO_TEXTS;
  }

  /** The current tick is given up; what was sealed before it stays. */
  discard(): void {
    for (const key of this.#current.keys()) {
      const sealed = this.#sealed.get(key);
      if (sealed === undefined) {
        this.#giveUp(key);
        continue;
      }
      const slot = this.#slotOf(sealed);
      this.#pending.set(key, slot);
      this.#cache.set(key, sealed, slot);
    }
    this.#current = new Map();
    this.#written = new Map();
    this.#surplus = 0;
    this.#writes = null;
    this.#missing.clear();
    this.settle();
  }

  /** Everything is forgotten: what is in the store decides. */
  drop(): void {
    this.#current = new Map();
    this.#pending = new Map();
    this.#written = new Map();
    this.#surplus = 0;
    this.#writes = null;
    this.#sealed = NO_TEXTS;
    this.#missing.clear();
    this.#cache.clear();
    this.#holdsAll = false;
    this.#givenUp.clear();
  }

  #giveUp(key: string): void {
    if (this.#cache.giveUp(key) && this.#holdsAll) this.#givenUp.add(key);
  }

  // Apart from its condition: the text is not made for every reading.
  #refuse(key: string): never {
    assert(false, `State "${this.name}" was asked for the key ${JSON.stringify(key)}, which was not loaded.`);
  }

  #find(key: string): Slot<V> | undefined {
    if (this.#current.size > 0) {
      const current = this.#current.get(key);
      if (current !== undefined) return current;
    }
    return this.#committed(key);
  }

  #slotOf(text: string | null): Slot<V> {
    return text === null ? ABSENT : this.codec.decode(text);
  }

  /** What the ticks before this one have left. */
  #committed(key: string): Slot<V> | undefined {
    if (this.#pending.size > 0) {
      const pending = this.#pending.get(key);
      if (pending !== undefined) return pending;
    }
    return this.#cache.get(key) ?? (this.#isHere(key) ? ABSENT : undefined);
  }

  /** Whether the key is among those of which all is here: what neither an overlay nor the cache holds of them is absent. */
  #isHere(key: string): boolean {
    return this.#holdsAll && !this.#givenUp.has(key);
  }
}
