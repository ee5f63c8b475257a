import type { Row, Value } from '../zset/value.js';
import type { Codec, Keyed, Ordered } from './operator.js';

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
  /** What the group shows; null where it has nothing to show. */
  result(accumulator: A, group: string): Value;
  codec: Codec<A>;
  /**
   * Names what `fold` and `result` will look up in ordered state for this group's rows. Called with the group's
   * accumulator (undefined if it has none), again after what it named was loaded.
   */
  wants?(accumulator: A | undefined, rows: readonly Row[], weights: readonly number[], group: string): void;
}

/** What an aggregator is made with: its column, compiled, and state of its own if it needs any. */
export interface AggregatorInput {
  /** The value the aggregate is over; for `count` unused. */
  value: (row: Row) => Value;
  /** No row of the input is ever retracted: an extreme needs no memory of the others. */
  appendOnly: boolean;
  ordered: (name: string) => Ordered;
  keyed: <V>(name: string, codec: Codec<V>) => Keyed<V>;
}
