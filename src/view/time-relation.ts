import type { ColumnTime } from '../circuit/time.js';
import { longestMs, type WindowShape } from '../circuit/windows.js';
import { columnOf } from './columns.js';
import { freezing } from './freezing.js';
import { instant } from './instant.js';
import type { PlanNode } from './plan.js';
import type { ColumnWatermark, Relation } from './relation.js';

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
    ownPlace: input.ownPlace === true && shape.kind === 'tumbling',
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

/** Sessions of rows that are never retracted are only ever joined: of the later one all rows go, and its group with them. */
export const retractsWholeGroups = (node: PlanNode): boolean =>
  node.op === 'session' && node.input.relation.appendOnly;

/**
 * When the result with the ends of sessions is over. A row may join a session whose end it is at, and no later one: it is
 * over when its end is below the watermark of their times.
 */
export function sessionEnd(input: Relation, column: string): ColumnWatermark | undefined {
  const time = freezing(input).find((watermark) => watermark.column === column)?.time;
  return time && { column: WINDOW_COLUMNS[1], time };
}

/**
 * What is known of rows beside their sliding windows. What comes later changes windows that end at the watermark of the
 * times or behind it, and of one that is new gives all rows: they may be as old as it is long.
 */
export function slidingRelation(input: Relation, column: string, sizeMs: number): Relation {
  const time = freezing(input).find((watermark) => watermark.column === column)?.time;
  const [start, end] = WINDOW_COLUMNS;
  return {
    ...input,
    columns: [...input.columns, ...WINDOW_COLUMNS.map((name) => columnOf(name, instant()))],
    uniqueKey: input.uniqueKey && [...input.uniqueKey, start],
    log: null,
    watermarks: time
      ? [
          { column, time: later(time, sizeMs) },
          { column: start, time: later(time, sizeMs) },
          { column: end, time },
        ]
      : [],
    // Rows that are late for their windows are left out.
    lates: false,
  };
}

/**
 * A row's window ends after the row's time, and begins less than the longest length before it. So a window has no more
 * rows to come as soon as its end is not above the watermark of their times.
 */
const windowWatermarks = (time: ColumnTime, longest: number): readonly ColumnWatermark[] => [
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
