import { columnAt, holdsOnlyStrings, nullable, objectColumn } from './columns.js';
import type { JoinKey, JoinNode, Relation } from './plan.js';

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
    watermarks: [],
    lates: false,
  };
}

/** Rows of a semi join only come if neither side's ever go; of an anti join they go as the right's come. */
export const semiJoinRelation = (left: Relation, right: Relation, kind: 'semi' | 'anti'): Relation => ({
  ...left,
  appendOnly: left.appendOnly && right.appendOnly && kind === 'semi',
  log: null,
  watermarks: [],
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
