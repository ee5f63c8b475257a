import type { Row } from '../zset/value.js';
import { instantMs, instantText, INSTANT_WIDTH } from '../zset/instant-text.js';
import type { Ordered } from './operator.js';
import { membersOfOrder, orderOfMember } from './ordered-rows.js';
import { type Move, type Session, SessionList } from './session-list.js';

/** What a tick changes of a group's rows, by member: its row, its time, and its weights added up. */
export interface RowChange {
  readonly row: Row;
  readonly at: number;
  /** Of all copies. */
  weight: number;
  /** Of those that were not late. */
  onTime: number;
}

/** What a tick does to the sessions of a group. */
export interface SessionChanges {
  readonly before: SessionList;
  readonly after: SessionList;
  readonly moves: readonly Move[];
}

/** Above the beginning of every instant's text. */
const ABOVE_INSTANTS = ':';

/** At first so many members are read on one side of a time, and twice as many as long as none of them decides. */
const READ_MIN = 2;

export const sessionText = ({ start, last }: Session): string => instantText(start) + instantText(last);

const sessionOf = (text: string): Session => ({
  start: instantMs(text.slice(0, INSTANT_WIDTH)),
  last: instantMs(text.slice(INSTANT_WIDTH)),
});

/** The members of a session among its group's rows: from the first text up to but not including the second. */
export const membersOf = ({ start, last }: Session): readonly [from: string, to: string] => [
  membersOfOrder(instantText(start))[0],
  membersOfOrder(instantText(last))[1],
];

/**
 * One group in one tick: the rows that come and go, and how its sessions join, grow, shrink and fall apart.
 *
 * Rows come in the order of the log, for a late one depends on what was over by then; then rows go. What is read are the
 * sessions that each time touches, and the rows beside a time that none is left at.
 */
export class GroupSessions {
  readonly rows = new Map<string, RowChange>();
  readonly #arrivals: { readonly change: RowChange; readonly watermark: number }[] = [];
  #changes: SessionChanges | null = null;

  constructor(
    readonly group: string,
    readonly gapMs: number,
  ) {}

  /** `watermark`: which the row was late by; −Infinity for one that was not. */
  add(member: string, row: Row, at: number, weight: number, watermark: number): void {
    let change = this.rows.get(member);
    if (change === undefined) this.rows.set(member, (change = { row, at, weight: 0, onTime: 0 }));
    change.weight += weight;
    if (watermark === Number.NEGATIVE_INFINITY) change.onTime += weight;
    if (weight > 0) this.#arrivals.push({ change, watermark });
  }

  /** How many members may be gone when the tick is done. */
  get retracted(): number {
    let retracted = 0;
    for (const { weight } of this.rows.values()) if (weight < 0) retracted++;
    return retracted;
  }

  /** Names all that the changes need, and works them out as soon as it is there; null before. */
  reads(rows: Ordered, sessions: Ordered): SessionChanges | null {
    if (this.#changes !== null) return this.#changes;
    const before = this.#touched(sessions);
    const beside = this.#besideRemoved(rows);
    for (const member of this.rows.keys()) rows.wantMember(this.group, member);
    if (before === null || beside === null) return null;
    const after = new SessionList(this.gapMs, before.all);
    for (const { change, watermark } of this.#arrivals)
      if (watermark !== Number.NEGATIVE_INFINITY || change.onTime > 0) after.add(change.at, watermark);
    for (const [time, [left, right]] of beside) if (right !== time) after.remove(time, left, right);
    return (this.#changes = { before, after, moves: SessionList.moves(before, after) });
  }

  /** The sessions that the times of the rows touch; null while they are not loaded. */
  #touched(sessions: Ordered): SessionList | null {
    const found = new Map<number, Session>();
    let loaded = true;
    const times = new Set<number>();
    for (const { at } of this.rows.values()) times.add(at);
    /** All sessions that a time can touch which is greater than this, up to the times that were looked at: the last first. */
    let near: Session[] = [];
    let beyond = Infinity;
    for (const time of times.size === 1 ? times : [...times].sort((left, right) => right - left)) {
      if (time <= beyond) {
        const bound = instantText(time + this.gapMs) + ABOVE_INSTANTS;
        for (let count = READ_MIN; time <= beyond; count *= 2) {
          if (!sessions.wantFrom(this.group, bound, 'down', count, 0)) {
            loaded = false;
            break;
          }
          near = sessions.from(this.group, bound, 'down', count).map(([text]) => sessionOf(text));
          beyond = near.length < count ? -Infinity : near.at(-1)!.last + this.gapMs;
        }
      }
      for (const session of near)
        if (session.start <= time + this.gapMs && session.last + this.gapMs >= time)
          found.set(session.start, session);
    }
    if (!loaded) return null;
    return new SessionList(
      this.gapMs,
      [...found.values()].sort((left, right) => left.start - right.start),
    );
  }

  /** By each time at which rows go: the nearest before it at which there are any then, and the nearest from it on. */
  #besideRemoved(rows: Ordered): Map<number, [number | undefined, number | undefined]> | null {
    const removed = new Set<number>();
    const added: number[] = [];
    for (const { at, weight, onTime } of this.rows.values()) {
      if (onTime < 0) removed.add(at);
      if (weight > 0) added.push(at);
    }
    const beside = new Map<number, [number | undefined, number | undefined]>();
    if (removed.size === 0) return beside;
    added.sort((left, right) => left - right);
    let loaded = true;
    let next = 0;
    // Times with no row that stays between them have the same neighbours.
    let stays: { down: number | undefined; up: number | undefined } | null = null;
    for (const time of [...removed].sort((left, right) => left - right)) {
      if (stays === null || (stays.up !== undefined && stays.up < time)) {
        const down = this.#nearest(rows, time, 'down');
        const up = this.#nearest(rows, time, 'up');
        stays = down && up && { down: down.at, up: up.at };
      }
      while (next < added.length && added[next]! < time) next++;
      if (stays === null) loaded = false;
      else beside.set(time, [most(stays.down, added[next - 1]), least(stays.up, added[next])]);
    }
    return loaded ? beside : null;
  }

  /** The nearest time of a row that was there and stays; null while it is not loaded. */
  #nearest(rows: Ordered, time: number, direction: 'up' | 'down'): { at: number | undefined } | null {
    const start = instantText(time);
    for (let count = READ_MIN; ; count *= 2) {
      if (!rows.wantFrom(this.group, start, direction, count, 0)) return null;
      const near = rows.from(this.group, start, direction, count);
      const left = near.find(([member, weight]) => weight + (this.rows.get(member)?.weight ?? 0) > 0);
      if (left !== undefined) return { at: instantMs(orderOfMember(left[0])) };
      if (near.length < count) return { at: undefined };
    }
  }
}

const most = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined || right === undefined ? (left ?? right) : Math.max(left, right);
const least = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined || right === undefined ? (left ?? right) : Math.min(left, right);
