import { DAY_MS, TimeZone } from '../circuit/time-zone.js';
import type { WindowShape } from '../circuit/windows.js';
import type { Build } from './build.js';
import { DURATION_EXAMPLES, durationMs, type Duration } from './duration.js';
import type { GroupWindow } from './group-windows.js';
import { noteOptions } from './options.js';

declare const identifies: unique symbol;

/** Windows that can be told of each row by itself. `Identifies`: the columns that tell one window from another. */
export interface AssignedWindow<out Identifies extends string> {
  readonly [identifies]: Identifies;
}

declare const gap: unique symbol;

/** Windows that follow from which rows there are, within each group: what they belong to is told by their neighbours. */
export interface SessionWindow {
  readonly [gap]: true;
}

declare const size: unique symbol;

/** Windows of one size that are where a group's rows are. */
export interface SlidingWindow {
  readonly [size]: true;
}

/**
 * What rows in windows have beside their own columns: the window from `windowStart` up to but not including `windowEnd`. The end
 * of windows within groups belongs to them.
 */
export interface WindowColumns {
  windowStart: string;
  windowEnd: string;
}

/** What the functions below really give. */
export interface WindowRequest {
  readonly kind: WindowShape['kind'] | GroupWindow['kind'];
  readonly size: unknown;
  readonly every: unknown;
  readonly offset: unknown;
  readonly timeZone: unknown;
  /** All options, as they were given. */
  readonly given: unknown;
}

export interface WindowOptions {
  /** Windows begin so much later than at midnight of the first of January 1970, or multiples of their size from there. */
  readonly offset?: Duration;
  /** Days are those of this zone, through its changes of clocks: `'America/New_York'`. Of UTC, if not said. */
  readonly timeZone?: string;
}

/** One window after another: every row is in one. */
export const tumbling = (size: Duration, options: WindowOptions = {}): AssignedWindow<'windowStart'> =>
  request('tumbling', size, size, options);

/** A window of the size begins at `every` step: a row is in all that overlap at its time. */
export const hopping = (
  size: Duration,
  options: WindowOptions & { readonly every: Duration },
): AssignedWindow<'windowStart'> => request('hopping', size, options?.every, options);

/** Windows that begin together and end one step after another, up to the size: the day so far, hour by hour. */
export const cumulating = (
  size: Duration,
  options: WindowOptions & { readonly every: Duration },
): AssignedWindow<'windowStart' | 'windowEnd'> => request('cumulating', size, options?.every, options);

/** Rows of a group that follow one another by no more than the gap: from the first of them until so long after the last. */
export const session = (gapBetween: Duration): SessionWindow => ofGroups('session', gapBetween);

/**
 * Windows wherever rows of a group are: one that ends with each row, and one that begins just behind it where others follow.
 * Rows that are at most so long apart are in one together.
 */
export const sliding = (sizeOfEach: Duration): SlidingWindow => ofGroups('sliding', sizeOfEach);

const ofGroups = (kind: GroupWindow['kind'], ms: unknown): never =>
  ({
    kind,
    size: ms,
    every: ms,
    offset: '0ms',
    timeZone: undefined,
    given: {},
  }) satisfies WindowRequest as never;

const request = (
  kind: WindowShape['kind'],
  size: unknown,
  every: unknown,
  given: WindowOptions,
): AssignedWindow<any> => {
  const { offset = '0ms', timeZone } = given ?? {};
  return { kind, size, every, offset, timeZone, given } satisfies WindowRequest as never;
};

/** In how many windows one row can be. */
const WINDOWS_OF_ROW_MAX = 1_000;

const STAND_IN: WindowShape = {
  kind: 'tumbling',
  sizeMs: DAY_MS,
  everyMs: DAY_MS,
  offsetMs: 0,
  timeZone: null,
};

/** The windows within groups that were asked for, and what is wrong with them noted; null where other windows were. */
export function groupWindowOf(window: unknown, build: Build): Omit<GroupWindow, 'column'> | null {
  const { kind, size: ms } = (window ?? {}) as Partial<WindowRequest>;
  if (kind === 'session') return { kind, ms: durationOf(ms, 'the gap of session()', build) };
  if (kind === 'sliding') return { kind, ms: durationOf(ms, 'the size of sliding()', build) };
  return null;
}

/** The windows that were asked for; what is wrong with them is noted, and any others stand in. */
export function shapeOf(window: unknown, build: Build): WindowShape {
  const { kind, ...asked } = (window ?? {}) as WindowRequest;
  if (kind === undefined || kind === 'session' || kind === 'sliding') {
    build.note({
      code: 'bad-window',
      what: 'What is given to window() is not a window.',
      evidence: { given: typeof window },
      remedy: `Give tumbling('1h'), hopping('10m', { every: '2m' }), cumulating('1d', { every: '1h' }), sliding('10m') or session('30m').`,
      place: build.place,
    });
    return STAND_IN;
  }
  noteOptions(asked.given, kind, build);
  const problems = build.problems.length;
  const sizeMs = durationOf(asked.size, `the size of ${kind}()`, build);
  const everyMs = kind === 'tumbling' ? sizeMs : durationOf(asked.every, `\`every\` of ${kind}()`, build);
  const offsetMs = durationMs(asked.offset);
  if (offsetMs === null) noteDuration(asked.offset, `\`offset\` of ${kind}()`, build);
  if (build.problems.length > problems) return STAND_IN;
  const shape = { kind, sizeMs, everyMs, timeZone: zoneOf(asked.timeZone, build) };
  const problem = problemOf(shape);
  if (problem !== null)
    build.note({
      code: 'bad-window',
      what: `There are no such windows: ${problem.what}.`,
      evidence: {
        [kind]: String(asked.size),
        ...(kind === 'tumbling' ? {} : { every: String(asked.every) }),
        ...(shape.timeZone === null ? {} : { timeZone: shape.timeZone }),
      },
      remedy: problem.remedy,
      place: build.place,
    });
  if (build.problems.length > problems) return STAND_IN;
  return { ...shape, offsetMs: offsetMs! % (kind === 'hopping' ? everyMs : sizeMs) };
}

function problemOf({
  kind,
  sizeMs,
  everyMs,
  timeZone,
}: Omit<WindowShape, 'offsetMs'>): { what: string; remedy: string } | null {
  if (everyMs > sizeMs)
    return { what: 'they would leave gaps between them', remedy: 'Let `every` be no longer than the size.' };
  if (sizeMs / everyMs > WINDOWS_OF_ROW_MAX)
    return {
      what: `a row would be in more than ${WINDOWS_OF_ROW_MAX} of them`,
      remedy: 'Let them begin less often, or be shorter.',
    };
  if (kind === 'cumulating' && sizeMs % everyMs !== 0)
    return { what: 'their size is no multiple of their steps', remedy: 'Let `every` divide the size.' };
  if (timeZone === null) return null;
  if (kind === 'hopping' && (everyMs % DAY_MS !== 0 || sizeMs % everyMs !== 0))
    return {
      what: 'by the clocks of a zone they hop by whole days, and are multiples of that',
      remedy: `Write hopping('7d', { every: '1d', … }), or leave out \`timeZone\`.`,
    };
  if (![sizeMs, everyMs].every((ms) => ms % DAY_MS === 0 || DAY_MS % ms === 0))
    return {
      what: 'by the clocks of a zone they are whole days, or a whole number of them a day',
      remedy: 'Choose such a size, or leave out `timeZone`.',
    };
  return null;
}

function durationOf(given: unknown, what: string, build: Build): number {
  const ms = durationMs(given);
  if (ms === null || ms === 0) noteDuration(given, what, build);
  return ms ?? 0;
}

export function noteDuration(given: unknown, what: string, build: Build): void {
  build.note({
    code: 'bad-duration',
    what: `${what[0]!.toUpperCase()}${what.slice(1)} is not a duration.`,
    evidence: { given: JSON.stringify(given) ?? 'undefined' },
    remedy: `Write it as ${DURATION_EXAMPLES}.`,
    place: build.place,
  });
}

function zoneOf(name: unknown, build: Build): string | null {
  if (name === undefined) return null;
  try {
    return new TimeZone(String(name)).name;
  } catch {
    build.note({
      code: 'bad-time-zone',
      what: `There is no time zone of this name.`,
      evidence: { timeZone: String(name) },
      remedy: `Write it as 'Europe/Berlin' or 'America/New_York'.`,
      place: build.place,
    });
    return null;
  }
}
