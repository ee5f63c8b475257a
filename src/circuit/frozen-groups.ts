import { instantText } from '../zset/instant-text.js';
import { type Due, DUE_MAX, type DueTimes } from './due-times.js';
import type { Ordered } from './operator.js';
import { type ColumnTime, columnWatermark, type Time } from './time.js';

/** At least so many members of a group go at once: what is due may be many groups with a few members each. */
const MEMBERS_PAGE_MIN = 8;

export interface FreezingOptions {
  /** Of the instants that groups are at. */
  readonly time: ColumnTime;
  /** The groups there are, each at its instant. */
  readonly due: DueTimes;
  /** Ordered state in which each group has members. */
  readonly members: readonly Ordered[];
}

/**
 * Which groups can no longer change, since the instant they are at is below its watermark; and the end of their state: of a
 * group with many members some in each tick, the group staying due until all are gone.
 */
export class FrozenGroups {
  /** More is due than one tick takes. */
  unfinished = false;
  #bound = '';
  #due: readonly Due[] = [];
  /** How many members of a group, in each state, one tick takes away. */
  #page = 0;

  constructor(readonly options: FreezingOptions) {}

  /**
   * Names what is due, and of each due group the members that go. The keys, as soon as they are known. `retractedMax`: how
   * many members of a group the tick takes away otherwise.
   */
  reads(time: Time, retractedMax: (key: string) => number): readonly string[] {
    const { due, members } = this.options;
    this.#bound = instantText(columnWatermark(time, this.options.time));
    this.discard();
    if (!due.wantDue(this.#bound)) return [];
    const found = due.due(this.#bound);
    this.#due = found.due;
    this.unfinished = found.more;
    this.#page = Math.max(MEMBERS_PAGE_MIN, Math.ceil(DUE_MAX / found.due.length));
    for (const { key } of found.due)
      for (const state of members) state.wantEnd(key, 'least', this.#page, retractedMax(key));
    return found.due.map(({ key }) => key);
  }

  /** What was due at the beginning of the tick. */
  get due(): readonly Due[] {
    return this.#due;
  }

  /** A group comes. Whether it is frozen at once and nothing of it need be kept. */
  add(key: string, at: string): boolean {
    const { due, members } = this.options;
    const frozen = at < this.#bound;
    if (frozen && members.length === 0) return true;
    due.addTo(0, at, key, 1);
    if (frozen) this.unfinished = true;
    return false;
  }

  /** A group goes before its time. */
  remove(key: string, at: string): void {
    this.options.due.addTo(1, at, key, -1);
  }

  /** A group is at another instant. */
  move(key: string, from: string, to: string): void {
    if (from === to) return;
    this.remove(key, from);
    this.options.due.addTo(0, to, key, 1);
    if (to < this.#bound) this.unfinished = true;
  }

  /** Whether a group that was due is so after the rows of the tick, which may have taken or moved it. */
  isStill({ at, key }: Due): boolean {
    return this.options.due.weight(at, key) > 0;
  }

  /** Takes a due group's members away, as many as a tick takes, and with the last the group from what is due. */
  free({ at, key }: Due): void {
    const { due, members } = this.options;
    let left = false;
    for (const state of members) {
      const found = state.end(key, 'least', this.#page);
      for (const [member, weight] of found) state.add(key, member, -weight);
      if (found.length === this.#page) left = true;
    }
    if (left) this.unfinished = true;
    else due.add(at, key, -1);
  }

  discard(): void {
    this.#due = [];
    this.unfinished = false;
  }
}
