import { columnAt, holdsOnlyStrings, nullable, objectColumn } from './column.js';
import type { ColumnWatermark, Relation } from './relation.js';
import { inputNameOf } from './declarations.js';
import { freezing } from './freezing.js';
import type {
  AsOfJoinNode,
  IntervalJoinNode,
  IntervalSemiJoinNode,
  JoinKey,
  JoinNode,
  SemiJoinNode,
} from './join-plan.js';
import type { PlanNode } from './plan.js';
import type { ColumnTime } from '../circuit/time.js';

/** What is known of the rows of joins. */

export function joinRelation(
  left: Relation,
  right: Relation,
  { kind, as, on }: Pick<JoinNode, 'kind' | 'as' | 'on'>,
): Relation {
  const side = objectColumn(as, right.columns);
  const leftAlone = kind === 'left' || kind === 'full';
  const rightAlone = kind === 'right' || kind === 'full';
  return {
    columns: [...(rightAlone ? left.columns.map(nullable) : left.columns), leftAlone ? nullable(side) : side],
    // Right rows that are alone have no left columns to be told apart by.
    uniqueKey: hasOneEach(right, on, 'right') && !rightAlone ? left.uniqueKey : null,
    appendOnly: left.appendOnly && right.appendOnly && kind === 'inner',
    log: null,
    partitions: Math.max(left.partitions, right.partitions),
    partitionedBy: partitionedBy(left, right, { kind, as }),
    watermarks: frozenPairs(left, right, on).flatMap((pair) => [
      { column: pair.left, time: pair.time },
      { column: `${as}.${pair.right}`, time: pair.time },
    ]),
    // Late rows are left out before, where they are late for anything.
    lates: false,
  };
}

/** Joined columns that have a watermark on both sides. */
export interface FrozenPair extends JoinKey {
  /** Of both: the slower one decides. */
  readonly time: ColumnTime;
}

/**
 * By which keys of a join can be frozen. Of a key that both watermarks have passed no row comes or goes on either side, so its pairs are
 * final, and so is who of it is alone: what was shown stays, whatever the kind of the join. And a change of either side changes
 * rows of its own key only, so that the result's column has the smaller of both watermarks.
 *
 * Rows of which another joined column is null are no key's. They are shown as they come and go on their own side, which is
 * not below its watermark; of the side that is missing there the column is null, and rows can be frozen by the other's.
 */
export const frozenPairs = (left: Relation, right: Relation, on: readonly JoinKey[]): readonly FrozenPair[] =>
  on.flatMap((pair) => {
    const [one, other] = [
      freezing(left).find(({ column }) => column === pair.left),
      freezing(right).find(({ column }) => column === pair.right),
    ];
    return one && other ? [{ ...pair, time: [...one.time, ...other.time] }] : [];
  });

/**
 * Nothing that was shown of rows that never go is taken back: a row is shown alone when it can have no match any more.
 *
 * A pair comes with the later of its rows, and a row alone when the other side has passed its last match: each side's
 * times lag behind the other's by as much as they may lie before it.
 */
export function intervalJoinRelation(
  left: Relation,
  right: Relation,
  node: Pick<IntervalJoinNode, 'kind' | 'as' | 'on' | 'within'>,
): Relation {
  const { as, within } = node;
  const times = intervalTimes(left, right, within);
  return {
    ...joinRelation(left, right, node),
    appendOnly: left.appendOnly && right.appendOnly,
    watermarks:
      times.left === null || times.right === null
        ? []
        : [
            { column: within.left, time: [...times.left.time, ...later(times.right, within.afterMs)] },
            {
              column: `${as}.${within.right}`,
              time: [...times.right.time, ...later(times.left, within.beforeMs)],
            },
          ],
  };
}

const later = ({ time }: ColumnWatermark, ms: number): ColumnTime =>
  time.map(({ source, delayMs }) => ({ source, delayMs: delayMs + ms }));

/**
 * A row comes with its first match, or when it can have none any more: its time lags behind the other side's by as much as a
 * match may lie after it.
 */
export function intervalSemiJoinRelation(
  left: Relation,
  right: Relation,
  { within }: Pick<IntervalSemiJoinNode, 'within'>,
): Relation {
  const times = intervalTimes(left, right, within);
  return {
    ...left,
    appendOnly: left.appendOnly && right.appendOnly,
    log: null,
    watermarks:
      times.left === null || times.right === null
        ? []
        : [{ column: within.left, time: [...times.left.time, ...later(times.right, within.afterMs)] }],
    lates: false,
  };
}

/** The watermarks of both sides' times, where they have any. Rows without a time match nothing, and wait for nothing. */
export function intervalTimes(
  left: Relation,
  right: Relation,
  within: IntervalJoinNode['within'],
): { left: ColumnWatermark | null; right: ColumnWatermark | null } {
  const of = (relation: Relation, name: string): ColumnWatermark | null =>
    relation.watermarks.find(({ column }) => column === name) ?? null;
  return { left: of(left, within.left), right: of(right, within.right) };
}

/** A record changes the versions of times from its own on: the left's times lag behind the table's as well. */
export function asOfRelation(
  left: Relation,
  right: PlanNode,
  node: Pick<AsOfJoinNode, 'kind' | 'as' | 'on' | 'at'>,
): Relation {
  const times = asOfTimes(left, right, node.at);
  return {
    ...joinRelation(left, right.relation, node),
    appendOnly: false,
    watermarks:
      times.left === null || times.right.length === 0
        ? []
        : [{ column: node.at, time: [...times.left.time, ...times.right] }],
  };
}

/** The watermark of the left's times, and that of a table's records; empty where it has none. */
export function asOfTimes(
  left: Relation,
  right: PlanNode,
  at: string,
): { left: ColumnWatermark | null; right: ColumnTime } {
  const source = right.op === 'source' && right.source.kind === 'table' ? right.source : null;
  return {
    left: freezing(left).find(({ column }) => column === at) ?? null,
    right:
      source === null || source.eventTime === null || source.latenessMs === null
        ? []
        : [{ source: inputNameOf(source), delayMs: 0 }],
  };
}

/** Rows of a semi join only come if neither side's ever go; of an anti join they go as the right's come. */
export const semiJoinRelation = (
  left: Relation,
  right: Relation,
  { kind, on }: Pick<SemiJoinNode, 'kind' | 'on'>,
): Relation => ({
  ...left,
  appendOnly: left.appendOnly && right.appendOnly && kind === 'semi',
  log: null,
  watermarks: frozenPairs(left, right, on).map((pair) => ({ column: pair.left, time: pair.time })),
  lates: false,
});

/** Whether no two rows of one side have the same join key. */
export const hasOneEach = (relation: Relation, on: readonly JoinKey[], side: 'left' | 'right'): boolean =>
  relation.uniqueKey !== null && relation.uniqueKey.every((name) => on.some((pair) => pair[side] === name));

/** A row lies where the columns say that it surely has: those of a side that is never missing. */
function partitionedBy(
  left: Relation,
  right: Relation,
  { kind, as }: Pick<JoinNode, 'kind' | 'as'>,
): readonly string[] | null {
  if (kind === 'inner' || kind === 'left') return left.partitionedBy;
  if (left.partitions === 1 && right.partitions === 1) return [];
  return kind === 'right' ? (right.partitionedBy?.map((name) => `${as}.${name}`) ?? null) : null;
}

/**
 * Rows that match lie in the same partition on both sides: both are placed by the joined columns, in the same
 * order, and equal values have equal texts there.
 */
export function placedTogether(left: Relation, right: Relation, on: readonly JoinKey[]): boolean {
  if (left.partitions === 1 && right.partitions === 1) return true;
  if (left.partitions !== right.partitions || left.partitionedBy === null || right.partitionedBy === null)
    return false;
  if (left.partitionedBy.length !== right.partitionedBy.length) return false;
  const alone = left.partitionedBy.length === 1;
  return left.partitionedBy.every((name, index) => {
    const other = right.partitionedBy![index]!;
    if (!on.some((pair) => pair.left === name && pair.right === other)) return false;
    return !alone || isText(left, name) === isText(right, other);
  });
}

const isText = (relation: Relation, name: string): boolean => {
  const column = columnAt(relation.columns, name);
  return column !== null && holdsOnlyStrings(column.type);
};
