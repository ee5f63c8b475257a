import type { Row, Value } from '../zset/value.js';
import type { RollingFrame } from './rolling.js';
import type { Numbering } from './row-numbers.js';

/** A column that a row has of its place among others. */
export type OverColumn = NumberColumn | NeighbourColumn | RollingColumn;

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

/** A summary of the last `rows` rows, this one included; or of those from `span` before it on to those of its own order. */
export interface RollingColumn {
  readonly kind: 'rolling';
  readonly frame: () => RollingFrame;
  readonly reach: { readonly rows: number } | { readonly span: number };
}

/** What spans are measured by: the one column of the order. */
export interface Measure {
  readonly of: (row: Row) => number | null;
  readonly descending: boolean;
}

/** How many rows away a column looks, at most. */
export function rowsAway(column: OverColumn): number {
  if (column.kind === 'lag' || column.kind === 'lead') return column.offset;
  return column.kind === 'rolling' && 'rows' in column.reach ? column.reach.rows - 1 : 0;
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

/** The values of a rolling column, of rows that follow one another. */
export function rollingValues(
  { frame, reach }: RollingColumn,
  rows: readonly Row[],
  measure: Measure | null,
): Value[] {
  return 'rows' in reach ? lastRows(frame(), reach.rows, rows) : lastSpan(frame, reach.span, rows, measure!);
}

const lastRows = (frame: RollingFrame, count: number, rows: readonly Row[]): Value[] =>
  rows.map((row, at) => {
    frame.push(row);
    if (at >= count) frame.shift(rows[at - count]!);
    return frame.result();
  });

/** Rows of equal order see one another; nulls, which are no distance from anything, nothing else. */
function lastSpan(
  makeFrame: () => RollingFrame,
  span: number,
  rows: readonly Row[],
  { of, descending }: Measure,
): Value[] {
  const values: Value[] = [];
  let frame = makeFrame();
  let first = 0;
  let last: number | null | undefined;
  for (let at = 0; at < rows.length;) {
    const here = of(rows[at]!);
    if ((here === null) !== (last === null)) {
      frame = makeFrame();
      first = at;
    }
    let end = at;
    for (; end < rows.length && of(rows[end]!) === here; end++) frame.push(rows[end]!);
    if (here !== null)
      for (; first < at && isBefore(of(rows[first]!)!, here, span, descending); first++)
        frame.shift(rows[first]!);
    const value = frame.result();
    for (; at < end; at++) values.push(value);
    last = here;
  }
  return values;
}

const isBefore = (value: number, here: number, span: number, descending: boolean): boolean =>
  (descending ? value - here : here - value) > span;
