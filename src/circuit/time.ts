/**
 * What a tick knows of time. All times are milliseconds since 1970, −Infinity where nothing is known. They come from
 * the log and are stored with the commit: nobody here looks at a clock.
 *
 *   clock       the greatest event time so far, the least over a source's partitions: the present, as the log tells it
 *   watermark   the clock less the source's lateness: rows before it that are still to come are late
 */
export interface SourceTime {
  readonly clock: number;
  readonly watermark: number;
}

/** By source (`stream:flights`): what is known of it after the tick's own rows. */
export type Time = ReadonlyMap<string, SourceTime>;

export const NO_TIME: Time = new Map();

export const watermarkOf = (time: Time, source: string): number =>
  time.get(source)?.watermark ?? Number.NEGATIVE_INFINITY;

export const clockOf = (time: Time, source: string): number =>
  time.get(source)?.clock ?? Number.NEGATIVE_INFINITY;

/** How a column's watermark follows from the sources': it lags behind each by so much, and the slowest decides. */
export type ColumnTime = readonly { readonly source: string; readonly delayMs: number }[];

/** No later change of a row that is not late has a value below this in the column. */
export function columnWatermark(time: Time, column: ColumnTime): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { source, delayMs } of column) least = Math.min(least, watermarkOf(time, source) - delayMs);
  return column.length === 0 ? Number.NEGATIVE_INFINITY : least;
}

/** The present of these sources together: the slowest decides. */
export function presentOf(time: Time, column: ColumnTime): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { source } of column) least = Math.min(least, clockOf(time, source));
  return column.length === 0 ? Number.NEGATIVE_INFINITY : least;
}
