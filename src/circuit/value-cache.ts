import type { Codec } from './operator.js';
import { PackedTexts } from './packed-texts.js';
import { type CacheBudget, TwoGenerations } from './two-generations.js';

/** A key that is known to hold nothing, as against one of which nothing is known. */
export const ABSENT = Symbol('absent');
export type Slot<V> = V | typeof ABSENT;

/** The bytes of an entry that counts as one. */
const ENTRY_BYTES = 1_000;

/**
 * To keep a value as an object pays where it is asked for again before it is forgotten. It is judged by as many readings as there
 * may be objects, of which this part at the least has to find one; and again, if it does not pay, when as many times more have passed.
 */
const FOUND_PART_MIN = 1 / 4;
const JUDGED_AGAIN_AFTER = 16;

/** What all caches of a budget keep as objects has a budget of its own. */
const budgets = new WeakMap<CacheBudget, CacheBudget>();

function budgetOfObjects(budget: CacheBudget): CacheBudget {
  let known = budgets.get(budget);
  if (known === undefined) {
    const { entriesMax, objectsMax = entriesMax } = budget;
    budgets.set(budget, (known = { entriesMax: Math.min(entriesMax, objectsMax) }));
  }
  return known;
}

/**
 * What is known of committed values: those that were used lately as objects, others as the texts they are stored as, packed.
 * Values are packed once the objects are more than they may be, and all from then on: what is forgotten as an object is there.
 * Where few are found again among the objects, none are kept: each would cost two maps and the garbage collector more than its decoding.
 */
export class ValueCache<V> {
  readonly #objects: TwoGenerations<Slot<V>>;
  #packed: TwoGenerations<string | null, PackedTexts> | null = null;
  /** As how many entries more than it has the young generation of what is packed counts. */
  #excess = 0;
  /** Whether objects are kept beside what is packed, and of how many readings since that was judged how many found one. */
  #keepsObjects = true;
  #readings = 0;
  #found = 0;
  /** Whether it has forgotten anything, ever. */
  #hasForgotten = false;

  constructor(
    readonly codec: Codec<V>,
    readonly budget: CacheBudget,
  ) {
    this.#objects = new TwoGenerations(budgetOfObjects(budget));
  }

  get hasForgotten(): boolean {
    return this.#hasForgotten || (this.#packed?.hasForgotten ?? false);
  }

  get size(): number {
    return this.#packed?.size ?? this.#objects.size;
  }

  /** Whether `get` would find it, which makes no object of it. */
  has(key: string): boolean {
    return (this.#keepsObjects && this.#objects.has(key)) || (this.#packed?.has(key) ?? false);
  }

  get(key: string): Slot<V> | undefined {
    this.#readings++;
    const slot = this.#keepsObjects ? this.#objects.get(key) : undefined;
    if (slot !== undefined) this.#found++;
    if (slot !== undefined || this.#packed === null) return slot;
    const text = this.#packed.get(key);
    if (text === undefined) return undefined;
    const made = this.#slotOf(text);
    if (this.#keepsObjects) this.#objects.set(key, made);
    return made;
  }

  /** The next `TOUCHED_MAX` of these keys, from that of an index on, will be asked for or set one after the other. */
  touch(keys: readonly string[], from: number): void {
    for (const packed of this.#packed?.generations ?? []) packed.touch(keys, from);
  }

  /** A value that is stored as this text; null where nothing is. */
  set(key: string, text: string | null, slot?: Slot<V>): void {
    if (this.#keepsObjects) this.#objects.set(key, slot ?? this.#slotOf(text));
    this.#packed?.set(key, text);
  }

  /** The value was changed in place, and that is not to count. Whether what is stored was known, and no longer is. */
  giveUp(key: string): boolean {
    const wasKnown = this.#objects.has(key);
    this.#objects.delete(key);
    return wasKnown && this.#packed?.get(key) === undefined;
  }

  /** Lets go of what was not used for long. Only between ticks: a tick keeps what it has loaded. */
  settle(): void {
    const forgotten = this.#objects.settle();
    if (this.#packed === null && forgotten !== null && forgotten.size > 0) this.#forget(forgotten);
    if (this.#packed === null) return;
    this.#judge();
    this.#settlePacked(this.#packed);
  }

  clear(): void {
    this.#objects.clear();
    this.#packed?.clear();
    this.#keepsObjects = true;
    this.#readings = this.#found = 0;
    this.#excess = 0;
    this.#hasForgotten = false;
  }

  #judge(): void {
    const { entriesMax } = this.#objects.budget;
    if (this.#readings < (this.#keepsObjects ? entriesMax : entriesMax * JUDGED_AGAIN_AFTER)) return;
    this.#keepsObjects = !this.#keepsObjects || this.#found >= this.#readings * FOUND_PART_MIN;
    if (!this.#keepsObjects) this.#objects.clear();
    this.#readings = this.#found = 0;
  }

  /** Long texts count as many: what is packed takes no more memory than it would have of short ones. */
  #settlePacked(packed: TwoGenerations<string | null, PackedTexts>): void {
    const [{ bytes, size }] = packed.generations;
    const excess = Math.max(0, Math.floor(bytes / ENTRY_BYTES) - size);
    packed.grew(excess - this.#excess);
    this.#excess = packed.settle() === null ? excess : 0;
  }

  /** Objects go that are packed nowhere: now all are, if there is more room for values than for objects. */
  #forget(forgotten: ReadonlyMap<string, Slot<V>>): void {
    if (this.budget.entriesMax <= this.#objects.budget.entriesMax) {
      this.#hasForgotten = true;
      return;
    }
    this.#packed = new TwoGenerations(this.budget, undefined, () => new PackedTexts());
    const [young, old] = this.#objects.generations;
    for (const entries of [forgotten, old, young])
      for (const [key, slot] of entries)
        this.#packed.set(key, slot === ABSENT ? null : this.codec.encode(slot));
  }

  #slotOf(text: string | null): Slot<V> {
    return text === null ? ABSENT : this.codec.decode(text);
  }
}
