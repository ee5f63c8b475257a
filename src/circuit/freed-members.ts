import { compareText } from '../zset/text-order.js';
import { INSTANT_WIDTH, instantMs, instantText } from '../zset/instant-text.js';
import { type Due, DUE_MAX, type DueTimes } from './due-times.js';
import { END } from './neighbourhoods.js';
import type { Ordered } from './operator.js';
import type { Member } from './ordered-rows.js';
import { type ColumnTime, columnWatermark, type Time } from './time.js';

/** At least so many members of a group go at once: what is due may be many groups with a few members each. */
const MEMBERS_PAGE_MIN = 8;

export interface FreeingOptions {
  /** The watermark of the members' instants. */
  readonly time: ColumnTime;
  /** So long after it has passed them they are looked at. */
  readonly keptMs: number;
  /** So many members of a group are looked at that lie before those that may still come; none, if not said. */
  readonly keptMembers?: number;
  /**
   * So many members before those that may still come change with them, however far back their instants are, and look back so
   * far themselves. None, if not said.
   */
  readonly changing?: Changing;
  /** Where in a member its instant begins. At its beginning, if not said. */
  readonly instantAt?: number;
  /** The groups there are, each at its first member's instant. */
  readonly due: DueTimes;
}

/** Members that change with what comes behind them: how many, and how far back they look. */
export interface Changing {
  readonly count: number;
  readonly backMs: number;
}

/** What goes of a group, in order, and what is the first then, if there is any. */
export interface Gone {
  readonly members: readonly Member[];
  readonly next: string | null;
}

/**
 * The end of members that are in the order of instants, as soon as nobody will look at them any more: the first of each group first.
 * A group is due when the first of it may go: at its instant, or that of the member so many behind it as are kept; and not before so
 * many as change have come that do not look back to it.
 * Where groups have members in several states they go from all of them.
 */
export class FreedMembers {
  /** More is due than one tick takes. */
  unfinished = false;
  #bound = '';
  #due: readonly Due[] = [];
  /** How many members of a group one tick takes away. */
  #page = 0;
  readonly #kept: number;
  readonly #at: number;

  constructor(
    readonly members: readonly Ordered[],
    readonly options: FreeingOptions,
  ) {
    this.#kept = options.keptMembers ?? 0;
    this.#at = options.instantAt ?? 0;
  }

  /** Names what goes. `retractedMax`: how many members of a group the tick takes away otherwise. */
  reads(time: Time, retractedMax: (group: string) => number): void {
    const { due, keptMs } = this.options;
    this.#bound = instantText(columnWatermark(time, this.options.time) - keptMs);
    this.discard();
    if (!due.wantDue(this.#bound)) return;
    const found = due.due(this.#bound);
    this.#due = found.due;
    this.unfinished = found.more;
    this.#page = Math.max(MEMBERS_PAGE_MIN, Math.ceil(DUE_MAX / found.due.length));
    for (const { key } of found.due)
      for (const state of this.members)
        this.#want(state, key, this.#page + this.#kept + 1, retractedMax(key));
  }

  /** Of each due group the last member that is to go, of the state that is the only one; of those that are loaded. */
  *lastGoing(): Iterable<readonly [group: string, last: string]> {
    const [state] = this.members;
    for (const { key } of this.#due) {
      if (!this.#want(state!, key, this.#page + this.#kept + 1, 0)) continue;
      const last = this.#gone(state!, key).members.at(-1);
      if (last !== undefined) yield [key, last[0]];
    }
  }

  /** A group's first member will be asked for, before the tick changes it and after. */
  wantFirst(group: string, retractedMax: number): void {
    for (const state of this.members) this.#want(state, group, this.#kept + 1, retractedMax);
  }

  /** Asks for so many members and for all that says when they may go. Whether that is loaded. */
  #want(state: Ordered, group: string, count: number, retractedMax: number): boolean {
    if (!state.wantEnd(group, 'least', count, retractedMax)) return false;
    const { changing } = this.options;
    const last = changing && state.end(group, 'least', count + retractedMax).at(-1);
    if (!last) return true;
    const beyond = this.#behind(last[0], changing.backMs);
    const isLoaded = [
      state.wantBetween(group, '', beyond),
      state.wantFrom(group, beyond, 'up', changing.count, retractedMax),
    ];
    return !isLoaded.includes(false);
  }

  /** Changes a group's members, and when it is due. */
  change(group: string, apply: () => void): void {
    const before = this.#first(group);
    apply();
    const after = this.#first(group);
    if (before !== after) {
      const { due } = this.options;
      if (before !== null) due.addTo(1, before, group, -1);
      if (after !== null) due.addTo(0, after, group, 1);
    }
    if (after !== null && after < this.#bound) this.unfinished = true;
  }

  /** Takes away what was due, when all else is done. `before` is told of it; nothing behind `last` goes, where one is given. */
  free(before?: (group: string, gone: Gone) => void, last?: ReadonlyMap<string, string>): void {
    for (const { key } of this.#due)
      this.change(key, () => {
        for (const state of this.members) {
          const gone = this.#gone(state, key, last && (last.get(key) ?? ''));
          if (gone.members.length > 0) before?.(key, gone);
          for (const [member, weight] of gone.members) state.add(key, member, -weight);
        }
      });
    this.#due = [];
  }

  #gone(state: Ordered, group: string, last?: string): Gone {
    const found = state.end(group, 'least', this.#page + this.#kept + 1);
    let count = 0;
    while (
      count < Math.min(this.#page, found.length - this.#kept) &&
      (this.#goesAt(state, group, found, count) ?? this.#bound) < this.#bound &&
      (last === undefined || compareText(found[count]![0], last) <= 0)
    )
      count++;
    return { members: found.slice(0, count), next: found[count]?.[0] ?? null };
  }

  /** The instant behind which one of a group's first members may go; null where too few have followed it. */
  #goesAt(state: Ordered, group: string, first: readonly Member[], at: number): string | null {
    const kept = first[at + this.#kept];
    if (kept === undefined) return null;
    const instant = this.#instantOf(kept[0]);
    const { changing } = this.options;
    if (changing === undefined) return instant;
    const beyond = this.#behind(first[at]![0], changing.backMs);
    const other = state.from(group, beyond, 'up', changing.count)[changing.count - 1];
    if (other === undefined) return null;
    const otherInstant = this.#instantOf(other[0]);
    return otherInstant > instant ? otherInstant : instant;
  }

  /** A text behind all members that come no later than so long after one. */
  #behind(member: string, ms: number): string {
    return member.slice(0, this.#at) + instantText(instantMs(this.#instantOf(member)) + ms) + END;
  }

  discard(): void {
    this.#due = [];
    this.unfinished = false;
  }

  #first(group: string): string | null {
    let first: string | null = null;
    for (const state of this.members) {
      const instant = this.#goesAt(state, group, state.end(group, 'least', this.#kept + 1), 0);
      if (instant !== null && (first === null || instant < first)) first = instant;
    }
    return first;
  }

  #instantOf(member: string): string {
    return member.slice(this.#at, this.#at + INSTANT_WIDTH);
  }
}
