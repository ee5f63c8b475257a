import type { NodeBase, PlanNode } from './plan.js';
import type { PairFunction, UserFunction } from './user-function.js';

/** The nodes of a plan that join two collections. */

/** `left ⋈ right`: the left's columns, and the right row as an object column named `as`. What an outer join shows alone has null on the other side. */
export interface JoinNode extends NodeBase {
  readonly op: 'join';
  readonly kind: JoinKind;
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly as: string;
  readonly on: readonly JoinKey[];
  /** What pairs must fulfil beside, as rows of this node with both sides there. */
  readonly where: UserFunction<boolean> | null;
}
export type JoinKind = 'inner' | 'left' | 'right' | 'full';
/** Equal keys: paths of both sides. Null equals nothing. */
export interface JoinKey {
  readonly left: string;
  readonly right: string;
}
/** As a join, of rows whose times lie near each other. */
export interface IntervalJoinNode extends Omit<JoinNode, 'op'> {
  readonly op: 'intervalJoin';
  readonly within: Interval;
}
/** The right row's time lies at most `beforeMs` before the left's and at most `afterMs` after it. */
export interface Interval {
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Each side's time: a path to instants. */
  readonly left: string;
  readonly right: string;
}
/** The left's rows, each with the version that a table's row had at its time, as an object column named `as`. */
export interface AsOfJoinNode extends NodeBase {
  readonly op: 'joinAsOf';
  readonly kind: 'inner' | 'left';
  readonly left: PlanNode;
  /** A table that has an event time. */
  readonly right: PlanNode;
  readonly as: string;
  /** All of the table's key. */
  readonly on: readonly JoinKey[];
  /** The left row's time: a path to instants. */
  readonly at: string;
  /** The column of the table that says since when a record holds. */
  readonly since: string;
}
/** The rows of the left that match some row of the right, or none. */
export interface SemiJoinNode extends NodeBase {
  readonly op: 'semiJoin';
  readonly kind: 'semi' | 'anti';
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly on: readonly JoinKey[];
  /** Of a left row and a right one. */
  readonly where: PairFunction | null;
}
/** As a semi or anti join, of rows whose times lie near each other. */
export interface IntervalSemiJoinNode extends Omit<SemiJoinNode, 'op'> {
  readonly op: 'intervalSemiJoin';
  readonly within: Interval;
}
