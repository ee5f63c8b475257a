import type { Changing } from '../circuit/freed-members.js';
import { freezing, freezingAmong, freezingTime } from './freezing.js';
import type { OverNode } from './plan.js';
import type { Column } from './column.js';
import type { ColumnWatermark, Relation } from './relation.js';

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

/** What `over` is made of. */
type OverParts = Pick<OverNode, 'per' | 'order' | 'functions'>;

export function overRelation(input: Relation, parts: OverParts): Relation {
  const { per, functions } = parts;
  const freed = overFreed(input, parts);
  return {
    ...input,
    columns: [...input.columns, ...functions.map(({ column }) => column)],
    appendOnly: false,
    log: null,
    // Late rows are left out before.
    watermarks: freed?.stays ?? freezingAmong(input, per),
    lates: false,
  };
}

/** What is forgotten of rows that are put in the order of a time. */
export interface OverFreed {
  readonly by: ColumnWatermark;
  /** How far rows that may still change look back, and those that come look back to these. */
  readonly keptMs: number;
  readonly keptMembers: number;
  /** Where rows that see later ones look back by time: these may be long past, and what they look back to stays. */
  readonly changing: Changing | null;
  /** The watermarks that the result has: none where rows look at any number of later ones. */
  readonly stays: readonly ColumnWatermark[];
}

/**
 * Rows can be forgotten by the first column of their order, where that ascends and has a watermark, and none of them looks at
 * the group's edges. Null where they cannot, or where their groups are frozen as a whole.
 */
export function overFreed(input: Relation, { per, order, functions }: OverParts): OverFreed | null {
  const [term] = order;
  const by = term && !term.descending && freezing(input).find(({ column }) => column === term.path);
  if (!by || freezingAmong(input, per).length > 0) return null;
  const far = { rows: { before: 0, after: 0 }, span: { before: 0, after: 0 } };
  const see = (unit: 'rows' | 'span', before: number, after: number): void => {
    far[unit].before = Math.max(far[unit].before, before);
    far[unit].after = Math.max(far[unit].after, after);
  };
  for (const of of functions) {
    if (of.kind === 'lag') see('rows', of.offset, 0);
    if (of.kind === 'lead') see('rows', 0, of.offset);
    if (!('reach' in of)) continue;
    if (of.reach === null) return null;
    // Those of equal order are of one time.
    if (of.reach.unit !== 'peers') see(of.reach.unit, of.reach.before ?? 0, of.reach.after);
  }
  const { rows, span } = far;
  const time = by.time.map(({ source, delayMs }) => ({ source, delayMs: delayMs + span.after }));
  return {
    by,
    keptMs: span.before + span.after,
    keptMembers: rows.before + rows.after,
    changing: rows.after > 0 && span.before > 0 ? { count: rows.after, backMs: span.before } : null,
    stays: rows.after > 0 ? [] : [{ column: by.column, time }],
  };
}

/** The rows of a group lie in one partition. */
export const groupedTogether = ({ partitionedBy }: Relation, per: readonly string[]): boolean =>
  partitionedBy !== null && partitionedBy.every((name) => per.includes(name));
