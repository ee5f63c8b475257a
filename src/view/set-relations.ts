import { freezing } from './freezing.js';
import type { ColumnWatermark, Relation } from './relation.js';

/** What is known of the rows of the operators that compare two collections. */

const names = ({ columns }: Relation): readonly string[] => columns.map(({ name }) => name);

export function exceptRelation(left: Relation, right: Relation, all: boolean): Relation {
  return {
    ...compared(left, right),
    uniqueKey: left.uniqueKey ?? (all ? null : names(left)),
    appendOnly: false,
  };
}

export function intersectRelation(left: Relation, right: Relation, all: boolean): Relation {
  return {
    ...compared(left, right),
    uniqueKey: left.uniqueKey ?? right.uniqueKey ?? (all ? null : names(left)),
    appendOnly: left.appendOnly && right.appendOnly,
  };
}

const compared = (left: Relation, right: Relation): Relation => ({
  ...left,
  log: null,
  // Late rows are left out before.
  watermarks: comparedFreezing(left, right),
  lates: false,
});

/** The watermarks by which rows can be frozen that may come and go on either side: the slower one decides. */
export const comparedFreezing = (left: Relation, right: Relation): readonly ColumnWatermark[] =>
  freezing(left).flatMap(({ column, time }) => {
    const other = freezing(right).find((one) => one.column === column);
    return other === undefined ? [] : [{ column, time: [...time, ...other.time] }];
  });
