import { INSTANT_WIDTH, instantText } from '../zset/instant-text.js';
import type { Row } from '../zset/value.js';
import { DUE_MAX, type DueTimes } from './due-times.js';
import type { Ordered } from './operator.js';
import { sameRow } from './same-row.js';
import { BEHIND, instantOf } from './timed-rows.js';

/** What a record says of a key: its row since a time, or (null) that there is none since then. */
export interface VersionRecord {
  readonly at: string;
  readonly row: Row | null;
  /** The watermark of its partition when it came, where it lay before that. */
  readonly late: string | null;
}

/** Rows of times from `from` on up to but not including `to` (null: all after) have another version than before. */
export interface VersionChange {
  readonly from: string;
  readonly to: string | null;
  readonly before: Row | null;
  readonly after: Row | null;
}

/** A version, and the one of the same time whose place it takes. */
export interface NewVersion {
  readonly member: string;
  readonly replaced: string | null;
}

export interface VersionChanges {
  readonly versions: readonly NewVersion[];
  readonly changes: readonly VersionChange[];
}

/** Behind a deletion's instant; below the `{` of a row. */
const DELETED = '!';

/** At least so many versions of a key are forgotten at once. */
const FORGOTTEN_MIN = 8;

/**
 * The versions that the rows of a table have had: of each key a member for each time, its instant and then the row, or a
 * sign that there is none. The version of a time is the newest at or before it; of equal times the last record decides.
 *
 * A late record says nothing of the times before the watermark that it came behind: what was made of those is finished. It
 * is a version from that watermark on, unless a newer one is known for it. So what it changes follows from the log of its
 * partition, and not from what is still kept.
 *
 * Versions are forgotten down to the newest at or before the time that nobody asks behind; a time-ordered index finds what
 * can be. That newest one stays, a deletion too: an older record that comes late must not take its place.
 */
export class Versions {
  #bound = '';
  #due: readonly string[] = [];
  #more = false;
  #page = 0;

  constructor(
    readonly state: Ordered,
    /** The versions behind the first of their key, by their times; null where none is ever forgotten. */
    readonly due: DueTimes | null,
  ) {}

  /** The version of a time will be asked for. Whether it is loaded already. */
  wantAt(key: string, at: string): boolean {
    return this.state.wantFrom(key, at + BEHIND, 'down', 1, 0);
  }

  at(key: string, at: string): Row | null {
    const newest = this.#newest(key, at);
    return newest === null ? null : rowOf(newest);
  }

  /** Records will be applied. Whether all that takes is loaded. */
  want(key: string, records: readonly VersionRecord[]): boolean {
    let loaded = true;
    for (const { at, late } of records)
      for (const time of late === null ? [at] : [at, late]) {
        this.due?.want(time, key);
        if (!this.wantAt(key, time)) loaded = false;
        if (!this.state.wantFrom(key, time + BEHIND, 'up', 1, 0)) loaded = false;
      }
    return loaded;
  }

  /** What records, in the order of the log, change; nothing is applied yet. */
  changesOf(key: string, records: readonly VersionRecord[]): VersionChanges {
    const given = new Map<string, Row | null>();
    for (const { at, row, late } of records) {
      if (late !== null && this.#isSuperseded(key, at, late, given)) continue;
      given.set(late ?? at, row);
    }
    const times = [...given.keys()].sort();
    const versions: NewVersion[] = [];
    const changes: VersionChange[] = [];
    times.forEach((from, index) => {
      const newest = this.#newest(key, from);
      const before = newest === null ? null : rowOf(newest);
      const after = given.get(from)!;
      const replaced = newest !== null && instantOf(newest) === from ? newest : null;
      versions.push({ member: memberOf(from, after), replaced });
      if (sameRow(before, after)) return;
      const known = this.state.from(key, from + BEHIND, 'up', 1)[0];
      const next = known === undefined ? null : instantOf(known[0]);
      const following = times[index + 1] ?? null;
      const isNearer = following !== null && (next === null || following < next);
      changes.push({ from, to: isNearer ? following : next, before, after });
    });
    return { versions, changes };
  }

  apply(key: string, versions: readonly NewVersion[]): void {
    for (const { member, replaced } of versions) {
      if (replaced !== null) this.state.add(key, replaced, -1);
      this.state.addTo(0, key, member, 1);
      const at = instantOf(member);
      if (this.due !== null && this.due.weight(at, key) === 0) this.due.add(at, key, 1);
    }
  }

  /** Nobody will ask for times before this any more. Asks for what can be forgotten, `made` in this tick or before. */
  wantForgotten(boundMs: number, made: ReadonlyMap<string, readonly NewVersion[]>): void {
    const { due } = this;
    if (due === null) return;
    // The version at the bound itself is the newest that is needed.
    this.#bound = instantText(boundMs + 1);
    if (!due.wantDue(this.#bound)) return;
    const over = due.due(this.#bound);
    const keys = new Set(over.due.map(({ key }) => key));
    let madeMost = 0;
    for (const [key, versions] of made) {
      if (!versions.some(({ member }) => member < this.#bound)) continue;
      keys.add(key);
      madeMost = Math.max(madeMost, versions.length);
    }
    this.#due = [...keys];
    this.#more = over.more;
    // So that what was made is among them.
    this.#page = Math.max(FORGOTTEN_MIN + madeMost, Math.ceil(DUE_MAX / this.#due.length));
    for (const key of this.#due) {
      if (!this.state.wantFrom(key, '', 'up', this.#page, 0, this.#bound)) continue;
      for (const [member] of this.state.from(key, '', 'up', this.#page, this.#bound))
        due.want(instantOf(member), key);
    }
  }

  /** Whether there is more to be forgotten. */
  forget(): boolean {
    let more = this.#more;
    for (const key of this.#due) {
      const found = this.state.from(key, '', 'up', this.#page, this.#bound);
      if (found.length === this.#page) more = true;
      found.forEach(([member], index) => {
        const at = instantOf(member);
        // The last of them is needed still; of a page it may be, and what follows it is taken next.
        if (index < found.length - 1) this.state.add(key, member, -1);
        const weight = this.due!.weight(at, key);
        if (weight > 0 && (index < found.length - 1 || found.length < this.#page))
          this.due!.add(at, key, -weight);
      });
    }
    return more;
  }

  discard(): void {
    this.#due = [];
    this.#more = false;
  }

  /** Whether a newer version is known for the time from which a late record could be one. */
  #isSuperseded(key: string, at: string, late: string, given: ReadonlyMap<string, Row | null>): boolean {
    const newest = this.#newest(key, late);
    if (newest !== null && instantOf(newest) > at) return true;
    for (const time of given.keys()) if (time > at && time <= late) return true;
    return false;
  }

  #newest(key: string, at: string): string | null {
    return this.state.from(key, at + BEHIND, 'down', 1)[0]?.[0] ?? null;
  }
}

const memberOf = (at: string, row: Row | null): string => at + (row === null ? DELETED : JSON.stringify(row));
const rowOf = (member: string): Row | null =>
  member[INSTANT_WIDTH] === DELETED ? null : (JSON.parse(member.slice(INSTANT_WIDTH)) as Row);
