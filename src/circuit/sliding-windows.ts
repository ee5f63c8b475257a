import type { Row } from '../zset/value.js';
import { INSTANT_WIDTH, instantMs, instantText } from '../zset/instant-text.js';
import type { Ordered } from './operator.js';
import { memberOfRow, orderOfMember } from './ordered-rows.js';
import { type Span, united } from './spans.js';

/** When rows are, in ms: they are in windows that end from `openFrom` on. That is their own time, or later for those that came late. */
export interface RowTime {
  readonly at: number;
  readonly openFrom: number;
}

/** What a tick changes of the rows that are at one time, or of one of them. */
interface TimeChange extends RowTime {
  weight: number;
}

interface RowChange extends TimeChange {
  readonly row: Row;
}

/** A window of a group that a tick changes: it is there before, or after, or both. */
export interface ChangedWindow {
  /** The last moment that belongs to it. */
  readonly end: number;
  readonly was: boolean;
  readonly is: boolean;
}

/** A time as it lies in state: texts are in the order of the times. */
const textOfTime = ({ at, openFrom }: RowTime): string =>
  openFrom > at ? instantText(at) + instantText(openFrom) : instantText(at);

const timeOfText = (text: string): RowTime => {
  const at = instantMs(text);
  return { at, openFrom: text.length > INSTANT_WIDTH ? instantMs(text.slice(INSTANT_WIDTH)) : at };
};

/** Members whose time is one of these, first and last included. */
const membersAt = (first: number, last: number): Span => ({
  from: instantText(first),
  to: instantText(last + 1),
});

/**
 * The windows that rows at these times make, as far as they end in a range; by their ends. One ends with each row, and
 * one begins just behind it if there is any row in it. So every set of rows that a window of the size can hold is in one.
 */
function windowEnds(times: readonly RowTime[], sizeMs: number, from: number, to: number): number[] {
  const ends = new Set<number>();
  times.forEach(({ at, openFrom }, index) => {
    if (openFrom === at) ends.add(at);
    const behind = at + 1 + sizeMs;
    for (let next = index + 1; next < times.length && times[next]!.at <= behind; next++)
      if (times[next]!.at > at && times[next]!.openFrom <= behind) {
        ends.add(behind);
        break;
      }
  });
  return [...ends].filter((end) => from <= end && end <= to).sort((left, right) => left - right);
}

/** One group in one tick: the rows that come and go, and the windows that they change, make and unmake. */
export class GroupSlides {
  readonly #rows = new Map<string, RowChange>();
  readonly #times = new Map<string, TimeChange>();
  #windows: readonly ChangedWindow[] | null = null;
  #parsed = new Map<string, Row>();

  constructor(
    readonly group: string,
    readonly sizeMs: number,
  ) {}

  add(row: Row, json: string, time: RowTime, weight: number): void {
    const text = textOfTime(time);
    const member = memberOfRow(text, json);
    const change = this.#rows.get(member);
    if (change === undefined) this.#rows.set(member, { ...time, row, weight });
    else change.weight += weight;
    const atTime = this.#times.get(text);
    if (atTime === undefined) this.#times.set(text, { ...time, weight });
    else atTime.weight += weight;
  }

  /** How many members of a state may be gone when the tick is done. */
  get retracted(): number {
    let retracted = 0;
    for (const { weight } of this.#rows.values()) if (weight < 0) retracted++;
    return retracted;
  }

  /** Nothing of it is left: what came has gone again. */
  get isEmpty(): boolean {
    return [...this.#rows.values()].every(({ weight }) => weight === 0);
  }

  /** Names all that the changes need. */
  reads(rows: Ordered, times: Ordered): void {
    for (const [member, { weight }] of this.#rows) if (weight !== 0) rows.wantMember(this.group, member);
    for (const text of this.#times.keys()) times.wantMember(this.group, text);
    for (const { end, was, is } of this.#changed(times) ?? []) {
      const { from, to } = membersAt(end - this.sizeMs, end);
      if (was !== is) rows.wantBetween(this.group, from, to);
    }
  }

  /** Changes the states. Gives rows with their windows' ends, by how much their weights change. */
  apply(rows: Ordered, times: Ordered, give: (row: Row, end: number, weight: number) => void): void {
    const windows = this.#changed(times)!;
    for (const { end, was, is } of windows) if (was && !is) this.#giveAll(rows, end, -1, give);
    for (const [member, { weight }] of this.#rows) rows.add(this.group, member, weight);
    for (const [text, { weight }] of this.#times) times.add(this.group, text, weight);
    for (const { end, was, is } of windows) if (is && !was) this.#giveAll(rows, end, 1, give);
    this.#giveChanges(
      windows.filter(({ was, is }) => was && is),
      give,
    );
  }

  /** The windows that differ, by their ends; null while the times around the changes are not loaded. */
  #changed(times: Ordered): readonly ChangedWindow[] | null {
    if (this.#windows !== null) return this.#windows;
    const { group, sizeMs } = this;
    const touched: Span[] = [];
    for (const { at, openFrom, weight } of this.#rows.values())
      if (weight !== 0) touched.push(membersAt(openFrom, at + 1 + sizeMs));
    const spans = united(touched).map(({ from, to }) => ({ from: instantMs(from), to: instantMs(to) - 1 }));
    const needed = spans.map(({ from, to }) => membersAt(from - sizeMs - 1, to));
    const loaded = needed.map(({ from, to }) => times.wantBetween(group, from, to));
    if (loaded.includes(false)) return null;
    return (this.#windows = spans.flatMap(({ from, to }, index) => {
      const weights = new Map(times.between(group, needed[index]!.from, needed[index]!.to));
      const before = windowEnds([...weights.keys()].map(timeOfText), sizeMs, from, to);
      for (const [text, { weight }] of this.#times)
        if (needed[index]!.from <= text && text < needed[index]!.to)
          weights.set(text, (weights.get(text) ?? 0) + weight);
      const left = [...weights].filter(([, weight]) => weight > 0).map(([text]) => text);
      const after = windowEnds(left.sort().map(timeOfText), sizeMs, from, to);
      const [were, are] = [new Set(before), new Set(after)];
      const ends = [...new Set([...before, ...after])].sort((one, other) => one - other);
      return ends.map((end) => ({ end, was: were.has(end), is: are.has(end) }));
    }));
  }

  /** All rows of a window that comes or goes, as they are now. */
  #giveAll(
    rows: Ordered,
    end: number,
    sign: 1 | -1,
    give: (row: Row, end: number, weight: number) => void,
  ): void {
    const { from, to } = membersAt(end - this.sizeMs, end);
    for (const [member, weight] of rows.between(this.group, from, to))
      if (timeOfText(orderOfMember(member)).openFrom <= end) give(this.#rowOf(member), end, sign * weight);
  }

  /** The changed rows of windows that stay; both are in order, so that each window looks at its own. */
  #giveChanges(
    windows: readonly ChangedWindow[],
    give: (row: Row, end: number, weight: number) => void,
  ): void {
    const changes = [...this.#rows.values()].sort((left, right) => left.at - right.at);
    let first = 0;
    for (const { end } of windows) {
      while (first < changes.length && changes[first]!.at < end - this.sizeMs) first++;
      for (let at = first; at < changes.length && changes[at]!.at <= end; at++) {
        const { row, openFrom, weight } = changes[at]!;
        if (weight !== 0 && openFrom <= end) give(row, end, weight);
      }
    }
  }

  #rowOf(member: string): Row {
    let row = this.#rows.get(member)?.row ?? this.#parsed.get(member);
    if (row === undefined) {
      row = JSON.parse(member.slice(member.lastIndexOf('\0') + 1)) as Row;
      this.#parsed.set(member, row);
    }
    return row;
  }
}
