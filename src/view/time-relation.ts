import type { ColumnTime } from '../circuit/time.js';
import { longestMs, type WindowShape } from '../circuit/windows.js';
import { columnOf } from './columns.js';
import { freezing } from './freezing.js';
import { instant } from './instant.js';
import type { ColumnWatermark, Relation } from './plan.js';

/** The columns that say which window a row is in, in this order. */
export const WINDOW_COLUMNS = ['windowStart', 'windowEnd'] as const;

/** What is known of rows beside their windows. */
export function windowRelation(input: Relation, shape: WindowShape, column: string): Relation {
  const time = input.watermarks.find((watermark) => watermark.column === column)?.time;
  const identified =
    shape.kind === 'tumbling' ? [] : shape.kind === 'hopping' ? ['windowStart'] : [...WINDOW_COLUMNS];
  return {
    ...input,
    columns: [...input.columns, ...WINDOW_COLUMNS.map((name) => columnOf(name, instant()))],
    uniqueKey: input.uniqueKey && [...input.uniqueKey, ...identified],
    watermarks: time ? [...input.watermarks, ...windowWatermarks(time, longestMs(shape))] : input.watermarks,
  };
}

/**
 * What is known of rows beside their sessions. A row of any age may be moved to another session, so that none of its
 * columns has a watermark; the end of a session that has it is no column yet.
 */
export const sessionRelation = (input: Relation): Relation => ({
  ...input,
  columns: [...input.columns, ...WINDOW_COLUMNS.map((name) => columnOf(name, instant()))],
  appendOnly: false,
  log: null,
  watermarks: [],
  lates: false,
});

/**
 * When the result with the ends of sessions is over. A row may join a session whose end it is at, and no later one: it is
 * over when its end is below the watermark of their times.
 */
export function sessionEnd(input: Relation, column: string): ColumnWatermark | undefined {
  const time = freezing(input).find((watermark) => watermark.column === column)?.time;
  return time && { column: WINDOW_COLUMNS[1], time };
}

/**
 * A row's window ends after the row's time, and begins less than the longest length before it. So a window has no more
 * rows to come as soon as its end is not above the watermark of their times.
 */
export const windowWatermarks = (time: ColumnTime, longest: number): readonly ColumnWatermark[] => [
  { column: 'windowStart', time: later(time, longest - 1) },
  { column: 'windowEnd', time: later(time, -1) },
];

const later = (time: ColumnTime, ms: number): ColumnTime =>
  time.map(({ source, delayMs }) => ({ source, delayMs: delayMs + ms }));

export const finalRelation = (input: Relation): Relation => ({
  ...input,
  appendOnly: true,
  log: null,
  // Late rows are left out before.
  watermarks: freezing(input),
  lates: false,
});

/** What goes by itself is retracted with the times it had: they have no watermark. */
export const duringRelation = (input: Relation): Relation => ({
  ...input,
  appendOnly: false,
  log: null,
  watermarks: [],
  lates: false,
});
