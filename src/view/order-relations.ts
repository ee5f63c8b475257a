import { freezingAmong, freezingTime } from './freezing.js';
import type { Column, Relation } from './plan.js';

/** What is known of the rows of the operators that put rows in an order. */

/** The columns that groups are made by, where all of them are columns and not paths into one. */
const plainColumns = (input: Relation, per: readonly string[]): readonly string[] | null =>
  per.every((path) => input.columns.some(({ name }) => name === path)) ? per : null;

export function topRelation(
  input: Relation,
  {
    count,
    per,
    rank,
  }: { readonly count: number; readonly per: readonly string[]; readonly rank: Column | null },
): Relation {
  const group = plainColumns(input, per);
  const placed = group !== null && rank !== null ? [...group, rank.name] : null;
  return {
    columns: rank === null ? input.columns : [...input.columns, rank],
    uniqueKey: count === 1 && group !== null ? group : (input.uniqueKey ?? placed),
    appendOnly: false,
    log: null,
    partitions: input.partitions,
    partitionedBy: input.partitionedBy,
    // Late rows are left out before.
    watermarks: freezingAmong(input, per),
    lates: false,
  };
}

export const dedupeRelation = (
  input: Relation,
  {
    by,
    withinMs,
    at,
  }: { readonly by: readonly string[]; readonly withinMs: number | null; readonly at: string | null },
): Relation => ({
  ...input,
  uniqueKey: (withinMs === null ? plainColumns(input, by) : null) ?? input.uniqueKey,
  appendOnly: false,
  log: null,
  // Late rows are left out before.
  watermarks: withinMs === null ? freezingAmong(input, by) : freezingTime(input, at),
  lates: false,
});

export const overRelation = (
  input: Relation,
  { per, columns }: { readonly per: readonly string[]; readonly columns: readonly Column[] },
): Relation => ({
  ...input,
  columns: [...input.columns, ...columns],
  appendOnly: false,
  log: null,
  // Late rows are left out before.
  watermarks: freezingAmong(input, per),
  lates: false,
});

/** The rows of a group lie in one partition. */
export const groupedTogether = ({ partitionedBy }: Relation, per: readonly string[]): boolean =>
  partitionedBy !== null && partitionedBy.every((name) => per.includes(name));
