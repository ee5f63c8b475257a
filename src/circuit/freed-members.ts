import { INSTANT_WIDTH, instantText } from '../zset/instant-text.js';
import { type Due, DUE_MAX, type DueTimes } from './due-times.js';
import type { Ordered } from './operator.js';
import { type ColumnTime, columnWatermark, type Time } from './time.js';

/** At least so many members of a group go at once: what is due may be many groups with a few members each. */
const MEMBERS_PAGE_MIN = 8;

export interface FreeingOptions {
  /** The watermark of the members' instants. */
  readonly time: ColumnTime;
  /** So long after it has passed them they are looked at. */
  readonly keptMs: number;
  /** The groups there are, each at its first member's instant. */
  readonly due: DueTimes;
}

/**
 * The end of members that begin with an instant, as soon as nobody will look at them any more: the first of each group first.
 * Where groups have members in several states they go from all of them.
 */
export class FreedMembers {
  /** More is due than one tick takes. */
  unfinished = false;
  #bound = '';
  #due: readonly Due[] = [];
  /** How many members of a group one tick takes away. */
  #page = 0;

  constructor(
    readonly members: readonly Ordered[],
    readonly options: FreeingOptions,
  ) {}

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
      for (const state of this.members) state.wantEnd(key, 'least', this.#page + 1, retractedMax(key));
  }

  /** A group's first member will be asked for, before the tick changes it and after. */
  wantFirst(group: string, retractedMax: number): void {
    for (const state of this.members) state.wantEnd(group, 'least', 1, retractedMax);
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

  /** Takes away what was due, when all else is done. */
  free(): void {
    for (const { key } of this.#due)
      this.change(key, () => {
        for (const state of this.members)
          for (const [member, weight] of state.end(key, 'least', this.#page))
            if (member < this.#bound) state.add(key, member, -weight);
      });
    this.#due = [];
  }

  discard(): void {
    this.#due = [];
    this.unfinished = false;
  }

  #first(group: string): string | null {
    let first: string | null = null;
    for (const state of this.members) {
      const instant = state.end(group, 'least', 1)[0]?.[0].slice(0, INSTANT_WIDTH) ?? null;
      if (instant !== null && (first === null || instant < first)) first = instant;
    }
    return first;
  }
}
