import type { Relation } from './plan.js';

/** What is known of the rows of the operators that compare two collections. */

const names = ({ columns }: Relation): readonly string[] => columns.map(({ name }) => name);

export function exceptRelation(left: Relation, _right: Relation, all: boolean): Relation {
  return { ...compared(left), uniqueKey: left.uniqueKey ?? (all ? null : names(left)), appendOnly: false };
}

export function intersectRelation(left: Relation, right: Relation, all: boolean): Relation {
  return {
    ...compared(left),
    uniqueKey: left.uniqueKey ?? right.uniqueKey ?? (all ? null : names(left)),
    appendOnly: left.appendOnly && right.appendOnly,
  };
}

const compared = (left: Relation): Relation => ({ ...left, log: null, watermarks: [], lates: false });
