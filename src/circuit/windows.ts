import { DAY_MS, type TimeZone, ZONE_OFFSET_MAX_MS } from './time-zone.js';

/** A window of time, in milliseconds: from `start` on, up to but not including `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Why a row is in no window: it has no time, or a time whose windows have edges that no instant is. */
export function windowless(column: string, at: string | null, kind: 'window' | 'session'): Error {
  return new Error(
    at === null
      ? `"${column}" is null: the row has no ${kind}.`
      : `"${column}" is ${at}: a ${kind} of the row reaches beyond the years 0000 to 9999.`,
  );
}

/** What windows there are: lengths in milliseconds, and where the first begins. */
export interface WindowShape {
  readonly kind: 'tumbling' | 'hopping' | 'cumulating';
  readonly sizeMs: number;
  /** How far apart windows begin (`hopping`) or end (`cumulating`); of a tumbling window its size. */
  readonly everyMs: number;
  readonly offsetMs: number;
  readonly timeZone: string | null;
}

/** In fewer windows than so many a row is folded and stored at less than panes cost, which are listed and merged. */
const WINDOWS_OF_ROW_MIN = 4;
export const hasManyWindows = ({ sizeMs, everyMs }: WindowShape): boolean =>
  sizeMs >= WINDOWS_OF_ROW_MIN * everyMs;

/** A line of boundaries in time, cut at which it falls into pieces of one length by some clock. */
interface Grid {
  /** The piece that a time is in. */
  pieceAt(ms: number): Span;
}

/** By UTC: every piece is as long as the others. */
export class FixedGrid implements Grid {
  constructor(
    readonly sizeMs: number,
    readonly offsetMs: number,
  ) {}

  pieceAt(ms: number): Span {
    const start = Math.floor((ms - this.offsetMs) / this.sizeMs) * this.sizeMs + this.offsetMs;
    return { start, end: start + this.sizeMs };
  }
}

/**
 * Whole days of a zone: boundaries are where its clocks first show the time of day, 23 to 25 hours apart. Days are
 * counted, in whole numbers, from the first of January 1970.
 */
export class DayGrid implements Grid {
  constructor(
    readonly zone: TimeZone,
    readonly days: number,
    readonly offsetMs: number,
  ) {}

  pieceAt(ms: number): Span {
    const number = this.numberAt(ms);
    return { start: this.startOf(number), end: this.startOf(number + 1) };
  }

  /** A clock that is put back shows a time of day twice: the first decides, and the day does not come back. */
  numberAt(ms: number): number {
    const number = Math.floor((ms + this.zone.spanAt(ms).offset - this.offsetMs) / (this.days * DAY_MS));
    return ms >= this.startOf(number + 1) ? number + 1 : number;
  }

  startOf(number: number): number {
    return this.zone.firstAt(number * this.days * DAY_MS + this.offsetMs);
  }
}

/**
 * Parts of a zone's days, a whole number of them a day. A boundary is where its clocks show a multiple of the size, or
 * jump over one: an hour that comes twice is two pieces, and a longer piece in which the clocks are changed is longer or
 * shorter by that.
 */
export class PartOfDayGrid implements Grid {
  constructor(
    readonly zone: TimeZone,
    readonly sizeMs: number,
    readonly offsetMs: number,
  ) {}

  pieceAt(ms: number): Span {
    return { start: this.#startBefore(ms), end: this.#endAfter(ms) };
  }

  #startBefore(ms: number): number {
    for (let at = ms; ;) {
      const { from, offset } = this.zone.spanAt(at);
      const start = this.#multipleAt(at + offset) - offset;
      if (start >= from || this.#isBoundary(from)) return Math.max(start, from);
      at = from - 1;
    }
  }

  #endAfter(ms: number): number {
    for (let at = ms; ;) {
      const { to, offset } = this.zone.spanAt(at);
      const end = this.#multipleAt(at + offset) + this.sizeMs - offset;
      if (end < to || this.#isBoundary(to)) return Math.min(end, to);
      at = to;
    }
  }

  /** Whether a piece begins where a span does. */
  #isBoundary(from: number): boolean {
    const local = from + this.zone.spanAt(from).offset;
    const before = from - 1 + this.zone.spanAt(from - 1).offset;
    const multiple = this.#multipleAt(local);
    return multiple === local || multiple !== this.#multipleAt(before);
  }

  #multipleAt(localMs: number): number {
    return Math.floor((localMs - this.offsetMs) / this.sizeMs) * this.sizeMs + this.offsetMs;
  }
}

/** The windows of a time, in the order of their starts and ends; all times from `from` up to `to` have the same. */
export interface Assigned {
  readonly windows: readonly Span[];
  readonly from: number;
  readonly to: number;
}

export type WindowsOf = (ms: number) => Assigned;

export function windowsOf(shape: WindowShape, zone: TimeZone | null): WindowsOf {
  const { kind, sizeMs, everyMs, offsetMs } = shape;
  const whole = gridOf(sizeMs, offsetMs, zone);
  const steps = gridOf(everyMs, offsetMs, zone);
  switch (kind) {
    case 'tumbling':
      return (ms) => {
        const window = whole.pieceAt(ms);
        return { windows: [window], from: window.start, to: window.end };
      };
    case 'cumulating':
      return (ms) => {
        const { start, end } = whole.pieceAt(ms);
        const step = steps.pieceAt(ms);
        const windows = [{ start, end: Math.min(step.end, end) }];
        for (let last = windows[0]!; last.end < end; windows.push(last))
          last = { start, end: Math.min(steps.pieceAt(last.end).end, end) };
        return { windows, from: Math.max(step.start, start), to: windows[0]!.end };
      };
    case 'hopping':
      return steps instanceof DayGrid
        ? hoppingDays(steps, sizeMs / everyMs)
        : hopping(new FixedGrid(everyMs, offsetMs), sizeMs);
  }
}

/** The greatest length a window can have: in a zone a day may be longer than others. */
export const longestMs = ({ sizeMs, timeZone }: WindowShape): number =>
  timeZone === null ? sizeMs : sizeMs + 2 * ZONE_OFFSET_MAX_MS;

function hopping(starts: FixedGrid, sizeMs: number): WindowsOf {
  return (ms) => {
    const last = starts.pieceAt(ms);
    const windows: Span[] = [];
    let start = last.start;
    for (; start + sizeMs > ms; start -= starts.sizeMs) windows.push({ start, end: start + sizeMs });
    windows.reverse();
    // Where windows are no multiple of a hop, one ends between two starts.
    return { windows, from: Math.max(last.start, start + sizeMs), to: Math.min(last.end, windows[0]!.end) };
  };
}

function hoppingDays(starts: DayGrid, hops: number): WindowsOf {
  return (ms) => {
    const last = starts.numberAt(ms);
    const all = Array.from({ length: hops }, (_, index) => {
      const number = last - hops + 1 + index;
      return { start: starts.startOf(number), end: starts.startOf(number + hops) };
    });
    // With a day that the zone skipped none begins: it would begin with the next.
    const windows = all.filter(({ start }, index) => start !== all[index + 1]?.start);
    return { windows, from: starts.startOf(last), to: starts.startOf(last + 1) };
  };
}

function gridOf(sizeMs: number, offsetMs: number, zone: TimeZone | null): Grid {
  if (zone === null) return new FixedGrid(sizeMs, offsetMs);
  return sizeMs % DAY_MS === 0
    ? new DayGrid(zone, sizeMs / DAY_MS, offsetMs)
    : new PartOfDayGrid(zone, sizeMs, offsetMs);
}
