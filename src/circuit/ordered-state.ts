import { assert } from '../assert.js';
import { GroupWrites, type OrderedWrite } from './group-writes.js';
import { EVERYTHING, justAbove, KnownGroup, type TextRange } from './known-group.js';
import type { Ordered } from './operator.js';
import { type CacheBudget, TwoGenerations } from './two-generations.js';

/** What is to be read of one group: one member, or a range from one of its ends on. */
export type OrderedRead = { readonly group: string; readonly member: string } | OrderedRangeRead;

export interface OrderedRangeRead {
  readonly group: string;
  /** Texts from here on; '' is the beginning. */
  readonly from: string;
  /** Up to but not including this; null: to the end. */
  readonly to: string | null;
  /** Read from `from` upwards, or from `to` downwards. */
  readonly direction: 'up' | 'down';
  /** At most so many; Infinity for all. */
  readonly count: number;
}

type Member = [member: string, weight: number];

const NONE: readonly Member[] = [];

/** What is known of a group that is nowhere, where all that there are are here. Shared by these: never changed. */
const NO_MEMBERS = new KnownGroup('everything');

/** A group whose knowledge grows beyond this many members is forgotten when the tick is over. */
const GROUP_MEMBERS_MAX = 10_000;

/** By how much more is read each time that what was read does not do. */
const GROWTH = 4;

/**
 * Ordered state over a store that is fetched on demand. Changes are made in place, with the weights before
 * the tick remembered, so that a tick can be taken back; groups with changes that are not committed cannot be
 * evicted.
 *
 * Where the store was known to be empty, and no group has fallen out of the cache since, a group that is not here has no
 * members: of such a group everything is known from the beginning.
 */
export class OrderedState implements Ordered {
  readonly kind = 'ordered';
  readonly #groups: TwoGenerations<KnownGroup>;
  /** What the current and the sealed tick have changed, with each member's weight before the tick: these groups are not forgotten. */
  #current: GroupWrites[] = [];
  #pending: GroupWrites[] = [];
  /** How many members the current tick has changed. */
  #changed = 0;
  /** The group that was looked at last: it mostly is the next one too. */
  #latest: string | null = null;
  #latestKnown = NO_MEMBERS;
  #missing: OrderedRead[] = [];
  /** How often the tick that is being made has asked the store. */
  #rounds = 0;
  /** How many reads are under way, and what was committed meanwhile. */
  #asked = 0;
  #answered: readonly GroupWrites[] = [];
  /** All groups that have members are here, but for these. */
  #holdsAll = false;
  readonly #givenUp = new Set<string>();

  constructor(
    readonly name: string,
    readonly budget: CacheBudget,
  ) {
    this.#groups = new TwoGenerations(budget, ({ weights }) => 1 + weights.size);
  }

  // ---- the operator's side

  wantMember(group: string, member: string): void {
    if (!this.#known(group).knows(member)) this.#missing.push({ group, member });
  }

  wantEnd(group: string, end: 'least' | 'greatest', count: number, retracted: number): boolean {
    const direction = end === 'least' ? 'up' : 'down';
    return this.#wantRange(group, { ...EVERYTHING, direction }, count, retracted);
  }

  wantFrom(
    group: string,
    start: string,
    direction: 'up' | 'down',
    count: number,
    retracted: number,
    end: string | null = null,
  ): boolean {
    if (this.#known(group).isWhole) return true;
    const range = direction === 'up' ? { from: start, to: end } : { from: '', to: justAbove(start) };
    return this.#wantRange(group, { ...range, direction }, count, retracted);
  }

  wantBetween(group: string, from: string, to: string): boolean {
    return this.#wantWhole(group, { from, to });
  }

  wantAll(group: string): boolean {
    return this.#wantWhole(group, EVERYTHING);
  }

  weight(group: string, member: string): number {
    const weight = this.#known(group).weight(member);
    if (weight === undefined) this.#refuseMember(group);
    return weight;
  }

  add(group: string, member: string, weight: number): void {
    if (weight === 0) return;
    const known = this.#own(group);
    const met = known.weights.get(member);
    if (met === undefined && !known.isAbsent(member)) this.#refuseMember(group);
    const before = met ?? 0;
    this.#add(known, { group, member, before, after: before + weight }, met !== undefined);
  }

  addTo(before: number, group: string, member: string, weight: number): void {
    if (weight === 0) return;
    const known = this.#own(group);
    const met = known.weights.get(member);
    const was = met ?? before;
    this.#add(known, { group, member, before: was, after: was + weight }, met !== undefined);
  }

  /** A member that was not met was not changed in this tick. */
  #add(known: KnownGroup, change: OrderedWrite, isMet: boolean): void {
    const { member, before, after } = change;
    if (after < 0)
      assert(
        false,
        `A member of "${this.name}" would have the weight ${after}: a row was retracted that had not been inserted.`,
      );
    const write = isMet ? known.current?.of(member) : undefined;
    if (write !== undefined) write.after = after;
    else this.#write(known, change);
    if (after === 0) known.current!.anyWent = true;
    if (isMet) known.set(member, after, before);
    else {
      known.meet(member, after);
      this.#groups.grew(1);
    }
  }

  end(group: string, end: 'least' | 'greatest', count: number): readonly Member[] {
    return end === 'least' ? this.#up(group, EVERYTHING, count) : this.#down(group, null, count);
  }

  from(
    group: string,
    start: string,
    direction: 'up' | 'down',
    count: number,
    end: string | null = null,
  ): readonly Member[] {
    return direction === 'up'
      ? this.#up(group, { from: start, to: end }, count)
      : this.#down(group, justAbove(start), count);
  }

  count(group: string, start: string, most: number, end: string | null = null): number {
    return Math.min(most, this.#known(group).count({ from: start, to: end }, most));
  }

  *between(group: string, from: string, to: string): IterableIterator<Member> {
    const known = this.#known(group);
    if (!known.covers({ from, to })) this.#refuse(group, 'a range', 'part of it');
    for (const member of known.up({ from, to })) yield [member, known.weights.get(member)!];
  }

  *all(group: string): IterableIterator<Member> {
    const known = this.#known(group);
    if (!known.covers(EVERYTHING)) this.#refuse(group, 'all members', 'part of them');
    for (const member of known.up(EVERYTHING)) yield [member, known.weights.get(member)!];
  }

  // ---- the runtime's side

  beginEmpty(): void {
    this.#holdsAll = true;
  }

  /** What was wanted and is not loaded; each is to be answered by `load`. */
  takeMissing(): OrderedRead[] {
    const missing = this.#missing;
    if (missing.length > 0) {
      this.#missing = [];
      this.#rounds++;
    }
    this.#asked += missing.length;
    return missing;
  }

  load(read: OrderedRead, found: readonly (readonly [member: string, weight: number])[]): void {
    if (this.#asked > 0) this.#asked--;
    const known = this.#own(read.group);
    // What we have met is as new as the store or newer.
    for (const [member, weight] of found) if (!known.weights.has(member)) this.#set(known, member, weight);
    if ('member' in read) {
      if (!known.weights.has(read.member)) this.#set(known, read.member, 0);
    } else if (found.length < read.count) known.learn(read);
    else {
      const last = found[found.length - 1]![0];
      known.learn(
        read.direction === 'up' ? { from: read.from, to: justAbove(last) } : { from: last, to: read.to },
      );
    }
  }

  get changed(): number {
    return this.#changed;
  }

  /** Groups and their members. */
  get cached(): number {
    return this.#groups.size;
  }

  writes(): OrderedWrite[] {
    const changed: OrderedWrite[] = [];
    for (const { writes } of this.#current)
      for (const write of writes) if (write.after !== write.before) changed.push(write);
    return changed;
  }

  seal(): void {
    assert(this.#pending.length === 0, `State "${this.name}" has two unanswered commits.`);
    this.#forget();
    this.#pending = this.#takeCurrent();
    for (const touched of this.#pending) touched.known.pending = touched;
    this.#grow();
  }

  settle(): void {
    this.#forget();
    this.#grow();
  }

  /**
   * While the store is asked, its answers may be older than the commit: what that has changed is not forgotten before they
   * are there, or they would bring it back.
   */
  acknowledge(): void {
    this.#answered = this.#pending;
    this.#pending = [];
    for (const { known } of this.#answered) known.pending = null;
    if (this.#asked === 0) this.#forget();
  }

  /** Of what was committed only what the cache keeps is remembered. */
  #forget(): void {
    this.#asked = 0;
    const answered = this.#answered;
    this.#answered = [];
    for (const touched of answered) {
      if (touched.anyWent) this.#forgetAbsent(touched);
      this.#forgetLarge(touched);
    }
  }

  discard(): void {
    const given = this.#takeCurrent();
    for (const { known, writes } of given) for (const { member, before } of writes) known.set(member, before);
    this.#missing = [];
    this.#forget();
    for (const touched of given) this.#forgetLarge(touched);
    this.#grow();
  }

  drop(): void {
    this.#current = [];
    this.#pending = [];
    this.#answered = [];
    this.#changed = 0;
    this.#rounds = 0;
    this.#asked = 0;
    this.#missing = [];
    this.#latest = null;
    this.#groups.clear();
    this.#holdsAll = false;
    this.#givenUp.clear();
  }

  /** Lets the cache forget what is old, but nothing of which a change may not be in the store. */
  #grow(): void {
    this.#latest = null;
    this.#rounds = 0;
    if (this.#groups.settle() === null) return;
    for (const touched of [this.#answered, this.#pending, this.#current])
      for (const { group, known } of touched) this.#groups.set(group, known);
    if (this.#groups.hasForgotten) this.#holdsAll = false;
  }

  #write(known: KnownGroup, write: OrderedWrite): void {
    this.#changed++;
    if (known.current === null) this.#current.push((known.current = new GroupWrites(known, write)));
    else known.current.push(write);
  }

  #takeCurrent(): GroupWrites[] {
    const current = this.#current;
    for (const { known } of current) known.current = null;
    this.#current = [];
    this.#changed = 0;
    return current;
  }

  #wantWhole(group: string, range: TextRange): boolean {
    if (this.#known(group).covers(range)) return true;
    this.#missing.push({ group, ...range, direction: 'up', count: Infinity });
    return false;
  }

  #wantRange(
    group: string,
    range: Pick<OrderedRangeRead, 'from' | 'to' | 'direction'>,
    count: number,
    retracted: number,
  ): boolean {
    const known = this.#known(group);
    if (known.covers(range)) return true;
    const most = count + retracted;
    const reach =
      range.direction === 'up' ? known.reachUp(range.from, most) : known.reachDown(range.to, most);
    if (reach >= most) return true;
    // What this tick and the sealed one took away may still be in the store. Mostly it lies elsewhere: more is read for it only
    // where that was found, and then ever more.
    const takenAway = (known.pending?.writes.length ?? 0) + (known.current?.writes.length ?? 0);
    const wanted = most - reach;
    const more = this.#rounds === 0 ? 0 : Math.min(takenAway, wanted * GROWTH ** this.#rounds);
    this.#missing.push({ group, ...known.unknownOf(range), count: wanted + more });
    return false;
  }

  #up(group: string, range: TextRange, count: number): readonly Member[] {
    const known = this.#known(group);
    if (known === NO_MEMBERS) return NONE;
    const reach = known.isWhole ? Infinity : known.reachUp(range.from, count);
    if (reach < count && !known.covers(range)) this.#refuse(group, `${count} members`, String(reach));
    return known.up(range, count).map((member) => [member, known.weights.get(member)!]);
  }

  #down(group: string, end: string | null, count: number): Member[] {
    const known = this.#known(group);
    const range = { from: '', to: end };
    const reach = known.isWhole ? Infinity : known.reachDown(end, count);
    if (reach < count && !known.covers(range)) this.#refuse(group, `${count} members`, String(reach));
    return known.down(range, count).map((member) => [member, known.weights.get(member)!]);
  }

  #refuseMember(group: string): never {
    assert(
      false,
      `State "${this.name}" was asked for a member of ${JSON.stringify(group)} that was not loaded.`,
    );
  }

  #refuse(group: string, wanted: string, loaded: string): never {
    assert(
      false,
      `State "${this.name}" was asked for ${wanted} of ${JSON.stringify(group)}, of which ${loaded} are loaded.`,
    );
  }

  #forgetLarge({ group, known }: GroupWrites): void {
    if (known.current !== null || known.pending !== null || known.weights.size <= GROUP_MEMBERS_MAX) return;
    if (this.#holdsAll) this.#givenUp.add(group);
    this.#latest = null;
    this.#groups.delete(group);
  }

  /** Of a group in which much comes and goes only what is there is remembered. */
  #forgetAbsent({ known, writes }: GroupWrites): void {
    for (const { member } of writes)
      if (!known.current?.of(member) && known.forgetAbsent(member)) this.#groups.grew(-1);
  }

  #set(known: KnownGroup, member: string, weight: number, before?: number): void {
    const size = known.weights.size;
    known.set(member, weight, before);
    if (known.weights.size > size) this.#groups.grew(1);
  }

  #known(group: string): KnownGroup {
    if (this.#latest === group) return this.#latestKnown;
    let known = this.#groups.get(group);
    if (known === undefined) {
      if (this.#holdsAll && !this.#givenUp.has(group)) known = NO_MEMBERS;
      else this.#groups.set(group, (known = new KnownGroup()));
    }
    this.#latest = group;
    return (this.#latestKnown = known);
  }

  /** The same, to be changed. */
  #own(group: string): KnownGroup {
    let known = this.#known(group);
    if (known !== NO_MEMBERS) return known;
    this.#groups.set(group, (known = new KnownGroup('everything')));
    this.#latest = group;
    return (this.#latestKnown = known);
  }
}
