import type { Computed } from './computed.js';
import type { LastStep, PathTo, PathToScalar, ValueAt } from './path-type.js';
import type { Flat } from './row-type.js';
import type { ViewTypeError } from './view-type-error.js';

export declare const rows: unique symbol;

/**
 * Anything that has rows: a stream, a table, a view, or what is made of them. One property, so that inferring a
 * row from it is cheap. `Key`: the names of columns known to identify a row, never where a collection has one
 * row at most, null where nothing is known to.
 */
export interface Rows<in out Row, out Key extends string | null> {
  readonly [rows]: { readonly row: (row: Row) => Row; readonly key: Key };
}

/** New columns by name: the path of an old one, or `computed(schema, fn)`. */
export interface NewColumns<in Row> {
  readonly [name: string]: string | Computed<Row, unknown>;
}

export type CheckedColumns<Row, C, Purpose extends string> = {
  [N in keyof C]: C[N] extends string
    ? Purpose extends 'select'
      ? PathTo<Row, C[N], Purpose>
      : PathToScalar<Row, C[N], Purpose>
    : C[N];
};
export type ColumnsMade<Row, C> = {
  -readonly [N in keyof C]: C[N] extends string
    ? ValueAt<Row, C[N]>
    : C[N] extends Computed<never, infer Value>
      ? Value
      : never;
};

/** The names of the key's columns after a projection; null if one of them does not come through as it is. */
export type KeyAfter<C, Key extends string | null> = [Key] extends [string]
  ? [Key] extends [C[keyof C]]
    ? { [N in keyof C]: C[N] extends Key ? N : never }[keyof C] & string
    : null
  : null;

export type GroupColumns<Row> = string | NewColumns<Row>;
export type CheckedGroup<Row, By extends readonly unknown[]> = {
  [I in keyof By]: By[I] extends string
    ? PathToScalar<Row, By[I], 'group by'>
    : CheckedColumns<Row, By[I], 'group by'>;
};
export type Both<U> = (U extends unknown ? (part: U) => void : never) extends (whole: infer Whole) => void
  ? Whole
  : never;
export type GroupOf<Row, By extends readonly unknown[]> = Flat<
  { [Path in Extract<By[number], string> as LastStep<Path>]: ValueAt<Row, Path> } & ([
    Exclude<By[number], string>,
  ] extends [never]
    ? unknown
    : Both<{ [I in keyof By]: By[I] extends string ? never : ColumnsMade<Row, By[I]> }[number]>)
>;

export type RowIn<R> = R extends Rows<infer Row, string | null> ? Row : never;
export type KeyIn<R> = R extends Rows<any, infer Key> ? Key : never;

export type SameRows<Row, Other> = [Other] extends [Row]
  ? [Row] extends [Other]
    ? unknown
    : ViewTypeError<'Only collections of equal rows can be united or compared: select the same columns, of the same types, on both sides.'>
  : ViewTypeError<'Only collections of equal rows can be united or compared: select the same columns, of the same types, on both sides.'>;

/** The key of rows compared as sets or as bags: that of a side, else, where each row comes once, all columns. */
export type KeyOfSet<
  Row,
  All extends boolean,
  Key extends string | null,
  OtherKey extends string | null = null,
> = [Key] extends [string]
  ? Key
  : [OtherKey] extends [string]
    ? OtherKey
    : [All] extends [false]
      ? keyof Row & string
      : null;
