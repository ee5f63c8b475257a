import type { Row, Value } from '../zset/value.js';
import type { Codec, Ordered } from './operator.js';

/**
 * One aggregate of a group: what it remembers and what it shows.
 *
 * A *linear* aggregator folds a row with its weight, and a retraction is a fold with a negative weight; the
 * accumulator alone decides the result. One that needs more (the next smallest when the smallest goes) keeps
 * ordered state, named by `wants` before the fold.
 *
 * Accumulators belong to the tick while they are folded and may be changed in place. An accumulator has exactly
 * one stored form for one multiset of rows: adding rows and removing them leaves the state before.
 */
export interface Aggregator<A = any> {
  initial(): A;
  /** The accumulator after `weight` times `row`; `order` is the row's place in the log, where the plan asked for it. */
  fold(accumulator: A, row: Row, weight: number, order: string | undefined, group: string): A;
  /** Called once when all rows of a tick are folded, before `result`: the place to look up what a retraction left open. */
  settle?(accumulator: A, group: string): A;
  /**
   * The accumulator of both multisets of rows together, where one can be had from the accumulators alone: of the panes of
   * a window, of parts folded elsewhere. The first may be changed in place, the second stays; `settle` follows before it is
   * shown or stored, and it is then, text by text, what folding all of the rows would have made.
   */
  merge?(into: A, other: A): A;
  /** What the group shows; null where it has nothing to show. */
  result(accumulator: A, group: string): Value;
  codec: Codec<A>;
  /** What `codec.decode` would make of this JSON value's text; spares a group's state a second parsing. */
  revive?(stored: any): A;
  /**
   * Names what `fold` and `result` will look up in ordered state for this group's rows. Called with the group's
   * accumulator (undefined if it has none) and all of the tick's rows of the group, before the first is folded; again,
   * with the same arrays, after what it named was loaded.
   */
  wants?(accumulator: A | undefined, rows: readonly Row[], weights: readonly number[], group: string): void;
}

/** What an aggregate says beside its columns: in its plan, and in the view's fingerprint. Each kind reads its own. */
export interface AggregatorOptions {
  /** `collect`, `collectDistinct`, `joinText`, `topK`. */
  readonly order?: 'asc' | 'desc';
  /** `variance`, `stddev`: of all there is, as against a sample of it. */
  readonly population?: boolean;
  /** `percentile`, `approxPercentile`: how far up, from 0 to 1. */
  readonly p?: number;
  /** `percentile`: one of the values, never one between two. */
  readonly discrete?: boolean;
  /** `topK`, `approxTopK`: how many. */
  readonly k?: number;
  /** `joinText`. */
  readonly separator?: string;
  /** `histogram`: either bounds, or a width. */
  readonly bounds?: readonly number[];
  readonly width?: number;
  readonly from?: number;
  readonly to?: number;
  /** `approx…`: each has its own measure of it. */
  readonly error?: number;
  /** `approxContains`: how many different values. */
  readonly expected?: number;
}

/** What an aggregator is made with: its columns, compiled, and state of its own if it needs any. */
export interface AggregatorInput {
  /** The value the aggregate is over; null for `count()` and `countIf`. */
  value: ((row: Row) => Value) | null;
  /** That value is never null. */
  present: boolean;
  /** What is compared or orders; null where the plan names nothing. */
  by: ((row: Row) => Value) | null;
  /** The column that says whether a row counts; for `countIf` and `sumIf`. */
  test: ((row: Row) => Value) | null;
  options: AggregatorOptions;
  /** Rows come with their place in the log. */
  inLogOrder: boolean;
  /** No row of the input is ever retracted: an extreme needs no memory of the others. */
  appendOnly: boolean;
  /** Ordered state of its own, made when asked for. */
  members: () => Ordered;
}
