import type { Row, Value } from '../zset/value.js';
import type { RollingFrame } from './rolling.js';
import type { Numbering } from './row-numbers.js';

/** A column that a row has of its place among others. */
export type OverColumn = NumberColumn | NeighbourColumn | RollingColumn | RunningColumn | EdgeColumn;

export interface NumberColumn {
  readonly kind: Numbering;
}

/** The value of the row so many places before it, or behind. */
export interface NeighbourColumn {
  readonly kind: 'lag' | 'lead';
  readonly value: (row: Row) => Value;
  readonly offset: number;
  /** Where there is no such row. */
  readonly otherwise: Value;
}

/**
 * How far a row sees, itself included: so many rows before it and behind it; or all that differ from it by no more than that in
 * what orders them; or its peers, which are those of equal order, where what orders them is no number. Before it to the group's
 * beginning, where `before` is null.
 */
export interface Reach {
  readonly unit: 'rows' | 'span' | 'peers';
  /** Of peers null or 0. */
  readonly before: number | null;
  readonly after: number;
}

/** A summary of the rows in reach; before the rows that are looked at only where that does not matter. */
export interface RollingColumn {
  readonly kind: 'rolling';
  readonly frame: () => RollingFrame;
  readonly reach: Reach;
}

/** A summary of all rows up to where it reaches; what came before the rows that are looked at is in `slot` of the running totals. */
export interface RunningColumn {
  readonly kind: 'running';
  readonly slot: number;
  readonly reach: Reach & { readonly before: null };
}

/** A value of the first row of the group, or of the last. */
export interface EdgeColumn {
  readonly kind: 'first' | 'last';
  readonly value: (row: Row) => Value;
}

/** What spans are measured by: the one column of the order. */
export interface Measure {
  readonly of: (row: Row) => number | null;
  readonly descending: boolean;
}

/** How many rows away a column looks, at most. */
export function rowsAway(column: OverColumn): number {
  if (column.kind === 'lag' || column.kind === 'lead') return column.offset;
  if (!('reach' in column) || column.reach.unit !== 'rows') return 0;
  return Math.max(column.reach.before ?? 0, column.reach.after);
}

/** The values of a neighbour's column, of rows that follow one another. */
export const neighbourValues = (
  { kind, value, offset, otherwise }: NeighbourColumn,
  rows: readonly Row[],
): Value[] =>
  rows.map((_, at) => {
    const other = rows[kind === 'lag' ? at - offset : at + offset];
    return other === undefined ? otherwise : value(other);
  });

/** What a frame says for each of some rows that follow one another, as it moves with them. `orderOf`: what orders the row there. */
export function framed(
  frame: RollingFrame,
  { unit, before, after }: Reach,
  rows: readonly Row[],
  { measure, orderOf }: { readonly measure: Measure | null; readonly orderOf: (at: number) => string },
): Value[] {
  const orders = unit === 'peers' ? rows.map((_, at) => orderOf(at)) : null;
  const places = unit === 'span' ? rows.map(measure!.of) : null;
  const sign = measure?.descending ? -1 : 1;
  /** Rows of equal order see one another; nulls, which are no distance from anything, nothing else. */
  const isBeyond = (one: number, other: number, reach: number): boolean => {
    if (orders !== null) return orders[one] !== orders[other];
    if (places === null) return other - one > reach;
    const [from, to] = [places[one]!, places[other]!];
    if (from === null || to === null) return from !== to;
    return (to - from) * sign > reach;
  };
  const values: Value[] = [];
  let first = 0;
  let next = 0;
  let known: Value = null;
  for (let at = 0; at < rows.length; at++) {
    let isMoved = false;
    for (; next < rows.length && (next <= at || !isBeyond(at, next, after)); isMoved = true)
      frame.push(rows[next++]!);
    for (; before !== null && isBeyond(first, at, before); isMoved = true) frame.shift(rows[first++]!);
    if (isMoved) known = frame.result();
    values.push(known);
  }
  return values;
}
