/** What an application's declarations import. */
export { mayContain } from './circuit/aggregators/approx-contains.js';
export {
  avg,
  count,
  countDistinct,
  countIf,
  every,
  histogram,
  some,
  stddev,
  sum,
  sumIf,
  variance,
  type Aggregate,
  type Bucket,
} from './view/aggregates.js';
export {
  approxContains,
  approxCountDistinct,
  approxPercentile,
  approxTopK,
} from './view/approximate-aggregates.js';
export { Collection } from './view/collection.js';
export type { Rows } from './view/collection-types.js';
export { computed, type Computed } from './view/computed.js';
export { declarationErrors, checkDeclarations } from './view/declaration-errors.js';
export { declarationOf } from './view/declaration-of.js';
export { Decimal, decimal } from './view/decimal.js';
export type { Duration } from './view/duration.js';
export type { Grouping } from './view/grouping.js';
export { instant } from './view/instant.js';
export { entryTime, processingTime } from './view/stamp.js';
export {
  collect,
  collectDistinct,
  first,
  joinText,
  last,
  max,
  maxBy,
  median,
  min,
  minBy,
  percentile,
  topK,
} from './view/ordered-aggregates.js';
export {
  denseRank,
  firstValue,
  lag,
  lastValue,
  lead,
  rank,
  rolling,
  rowNumber,
  type Frame,
  type RowFunction,
} from './view/row-functions.js';
export { stream, type Stream, type StreamDecoder, type StreamEntry } from './view/stream.js';
export { table, type Table } from './view/table.js';
export { view, type EventOf, type KeyOf, type RowOf, type View } from './view/view.js';
export {
  cumulating,
  hopping,
  session,
  sliding,
  tumbling,
  type AssignedWindow,
  type SessionWindow,
  type SlidingWindow,
  type WindowColumns,
  type WindowOptions,
} from './view/window.js';
export type { Windowed, WindowedInGroups } from './view/windowed.js';
export type { ViewTypeError } from './view/view-type-error.js';
export { DeclarationErrors, StillwaterError } from './errors/stillwater-error.js';
