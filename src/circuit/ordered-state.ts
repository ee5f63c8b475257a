import { assert } from '../assert.js';
import { compareText } from '../zset/text-order.js';
import type { Ordered } from './operator.js';
import { type CacheBudget, TwoGenerations } from './two-generations.js';

/** What is to be read of one group: one member, the whole group, or so many from an end. */
export type OrderedRead =
  | { group: string; member: string }
  | { group: string; all: true }
  | { group: string; end: 'least' | 'greatest'; count: number };

/** One change to store: the member's weight before the tick and after it; 0 is absence. */
export interface OrderedWrite {
  group: string;
  member: string;
  before: number;
  after: number;
}

/** A group whose knowledge grows beyond this many members is forgotten when the tick is over. */
const GROUP_MEMBERS_MAX = 10_000;

/**
 * What is known of one group. `weights` holds every member we have met, with 0 for one known to be absent;
 * `sorted` those of positive weight. All members up to `leastBound` and from `greatestBound` on are known;
 * where `complete`, all.
 */
class Known {
  readonly weights = new Map<string, number>();
  readonly sorted: string[] = [];
  leastBound: string | null = null;
  greatestBound: string | null = null;
  complete = false;

  set(member: string, weight: number): void {
    const before = this.weights.get(member) ?? 0;
    this.weights.set(member, weight);
    if (before === 0 && weight > 0) this.sorted.splice(this.#indexOf(member), 0, member);
    else if (before > 0 && weight === 0) this.sorted.splice(this.#indexOf(member), 1);
  }

  /** The index of `member`, or where it would be. */
  #indexOf(member: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareText(this.sorted[middle]!, member) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many members from an end are known without a gap. */
  reach(end: 'least' | 'greatest'): number {
    if (this.complete) return this.sorted.length;
    const bound = end === 'least' ? this.leastBound : this.greatestBound;
    if (bound === null) return 0;
    const at = this.#indexOf(bound);
    if (end === 'greatest') return this.sorted.length - at;
    return this.sorted[at] === bound ? at + 1 : at;
  }
}

/**
 * Ordered state over a store that is fetched on demand. Changes are made in place, with the weights before
 * the tick remembered, so that a tick can be taken back; groups with changes that are not committed cannot be
 * evicted.
 */
export class OrderedState implements Ordered {
  readonly kind = 'ordered';
  readonly #groups: TwoGenerations<Known>;
  /** Groups touched by the current and by the sealed tick: pinned, with each member's weight before the tick. */
  #current = new Map<string, Map<string, number>>();
  #pending = new Map<string, Map<string, number>>();
  readonly #pinned = new Map<string, Known>();
  #missing: OrderedRead[] = [];

  constructor(
    readonly name: string,
    budget: CacheBudget,
  ) {
    this.#groups = new TwoGenerations(budget, ({ weights }) => 1 + weights.size);
  }

  // ---- the operator's side

  wantMember(group: string, member: string): void {
    const known = this.#known(group);
    if (!known.complete && !known.weights.has(member)) this.#missing.push({ group, member });
  }

  wantEnd(group: string, end: 'least' | 'greatest', count: number, retracted: number): void {
    const known = this.#known(group);
    if (known.complete || known.reach(end) >= count + retracted) return;
    // The sealed tick's retractions may or may not be in the store yet.
    const unanswered = this.#pending.get(group)?.size ?? 0;
    const own = this.#current.get(group)?.size ?? 0;
    this.#missing.push({ group, end, count: count + retracted + unanswered + own });
  }

  wantAll(group: string): void {
    if (!this.#known(group).complete) this.#missing.push({ group, all: true });
  }

  weight(group: string, member: string): number {
    const known = this.#known(group);
    const weight = known.weights.get(member);
    if (weight === undefined && !known.complete)
      assert(
        false,
        `State "${this.name}" was asked for a member of ${JSON.stringify(group)} that was not loaded.`,
      );
    return weight ?? 0;
  }

  add(group: string, member: string, weight: number): void {
    if (weight === 0) return;
    const before = this.weight(group, member);
    if (before + weight < 0)
      assert(
        false,
        `A member of "${this.name}" would have the weight ${before + weight}: a row was retracted that had not been inserted.`,
      );
    let touched = this.#current.get(group);
    if (touched === undefined) this.#current.set(group, (touched = new Map()));
    if (!touched.has(member)) touched.set(member, before);
    const known = this.#known(group);
    this.#pinned.set(group, known);
    this.#set(known, member, before + weight);
  }

  end(group: string, end: 'least' | 'greatest', count: number): [member: string, weight: number][] {
    const known = this.#known(group);
    const reach = known.reach(end);
    if (!known.complete && reach < count)
      assert(
        false,
        `State "${this.name}" was asked for ${count} members of ${JSON.stringify(group)}, of which ${reach} are loaded.`,
      );
    const out: [string, number][] = [];
    for (let index = 0; index < Math.min(count, reach); index++) {
      const member = known.sorted[end === 'least' ? index : known.sorted.length - 1 - index]!;
      out.push([member, known.weights.get(member)!]);
    }
    return out;
  }

  *all(group: string): IterableIterator<[member: string, weight: number]> {
    const known = this.#known(group);
    assert(
      known.complete,
      `State "${this.name}" was asked for all of ${JSON.stringify(group)}, which is not loaded.`,
    );
    for (const member of known.sorted) yield [member, known.weights.get(member)!];
  }

  // ---- the runtime's side

  /** What was wanted and is not loaded; each is to be answered by `load`. */
  takeMissing(): OrderedRead[] {
    const missing = this.#missing;
    if (missing.length > 0) this.#missing = [];
    return missing;
  }

  load(read: OrderedRead, found: readonly (readonly [member: string, weight: number])[]): void {
    const known = this.#known(read.group);
    // What we have met is as new as the store or newer.
    for (const [member, weight] of found) if (!known.weights.has(member)) this.#set(known, member, weight);
    if ('member' in read) {
      if (!known.weights.has(read.member)) this.#set(known, read.member, 0);
    } else if ('all' in read || found.length < read.count) known.complete = true;
    else {
      const last = found[found.length - 1]![0];
      if (read.end === 'least') known.leastBound = last;
      else known.greatestBound = last;
    }
  }

  get changed(): number {
    let changed = 0;
    for (const touched of this.#current.values()) changed += touched.size;
    return changed;
  }

  /** Groups and their members. */
  get cached(): number {
    return this.#groups.size;
  }

  *writes(): IterableIterator<OrderedWrite> {
    for (const [group, touched] of this.#current) {
      const known = this.#known(group);
      for (const [member, before] of touched) {
        const after = known.weights.get(member)!;
        if (after !== before) yield { group, member, before, after };
      }
    }
  }

  seal(): void {
    assert(this.#pending.size === 0, `State "${this.name}" has two unanswered commits.`);
    this.#pending = this.#current;
    this.#current = new Map();
    this.#groups.settle();
  }

  settle(): void {
    this.#groups.settle();
  }

  acknowledge(): void {
    const settled = this.#pending;
    this.#pending = new Map();
    for (const group of settled.keys()) this.#unpin(group);
  }

  discard(): void {
    for (const [group, touched] of this.#current)
      for (const [member, before] of touched) this.#known(group).set(member, before);
    const given = this.#current;
    this.#current = new Map();
    this.#missing = [];
    for (const group of given.keys()) this.#unpin(group);
    this.#groups.settle();
  }

  drop(): void {
    this.#current = new Map();
    this.#pending = new Map();
    this.#pinned.clear();
    this.#missing = [];
    this.#groups.clear();
  }

  #unpin(group: string): void {
    if (this.#current.has(group) || this.#pending.has(group)) return;
    const known = this.#pinned.get(group);
    this.#pinned.delete(group);
    if (known && known.weights.size > GROUP_MEMBERS_MAX) this.#groups.delete(group);
    else if (known) this.#groups.set(group, known);
  }

  #set(known: Known, member: string, weight: number): void {
    const before = known.weights.size;
    known.set(member, weight);
    if (known.weights.size > before) this.#groups.grew(1);
  }

  #known(group: string): Known {
    let known = this.#pinned.get(group) ?? this.#groups.get(group);
    if (known === undefined) this.#groups.set(group, (known = new Known()));
    return known;
  }
}
