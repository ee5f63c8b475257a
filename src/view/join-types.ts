import type { KeyIn, RowIn, Rows } from './collection-types.js';
import type { Duration } from './duration.js';
import type { Kind, NoSuchPath, PathToInstant, ValueAt } from './path-type.js';
import type { Flat } from './row-type.js';
import type { NotAsync, ViewTypeError } from './view-type-error.js';

/** One named side: `{ airport: airports }`. */
export type Sides = { readonly [name: string]: Rows<any, string | null> };
export type IsUnion<T, Whole = T> = T extends unknown ? ([Whole] extends [T] ? false : true) : never;
export type OneSide<Row, S> =
  true extends IsUnion<keyof S>
    ? ViewTypeError<'A join names one side: { airport: airports }. Join again for another.'>
    : keyof S & keyof Row extends never
      ? unknown
      : ViewTypeError<`The rows have a column "${keyof S & keyof Row & string}" already: give the joined side another name.`>;

export type JoinOn = { readonly [left: string]: string };
export type CheckedOn<Left, Right, On> = {
  [L in keyof On]: L extends string
    ? [NoSuchPath] extends [ValueAt<Left, L>]
      ? ViewTypeError<`There is no column "${L}" to join by.`>
      : On[L] extends string
        ? [NoSuchPath] extends [ValueAt<Right, On[L]>]
          ? (keyof Right & string) | ViewTypeError<`There is no column "${On[L]}" on the joined side.`>
          : Kind<ValueAt<Left, L>> extends 'objects' | 'anything'
            ? ViewTypeError<`Column "${L}" holds ${Kind<ValueAt<Left, L>>}; rows are joined by text, numbers or booleans.`>
            : [Kind<ValueAt<Right, On[L]>>] extends [Kind<ValueAt<Left, L>>]
              ? On[L]
              : ViewTypeError<`Column "${L}" holds ${Kind<ValueAt<Left, L>>} and "${On[L]}" holds ${Kind<ValueAt<Right, On[L]>>}: they are never equal.`>
        : never
    : never;
};
export type KeyAfterJoin<Key, RightKey, On> = [RightKey] extends [On[keyof On]] ? Key : null;

/** A row with its columns as they are where the row is missing. */
export type OrNull<Row> = { [C in keyof Row]: Row[C] | null };
/** A row with the joined one under its name. */
export type PairOf<Row, S extends Sides> = Flat<Row & { -readonly [N in keyof S]: RowIn<S[N]> }>;

/** How near the times of two rows lie. */
export interface Within<Left, Right> {
  /** How far before the left row's time the right one's may lie. */
  readonly before: Duration;
  /** And how far after it. */
  readonly after: Duration;
  /** The column of the left that holds its time; the event time, if not said. */
  readonly left?: TextColumn<Left>;
  readonly right?: TextColumn<Right>;
}
type TextColumn<Row> = { [C in keyof Row & string]: [Row[C]] extends [string | null] ? C : never }[keyof Row &
  string];

export interface JoinHow<Row, S extends Sides, On> {
  /** Columns that must be equal: `{ left: 'right' }`. Null equals nothing. */
  readonly on: On & CheckedOn<Row, RowIn<S[keyof S]>, On>;
  /** What pairs must fulfil beside. A row that is in no pair that does is alone. */
  readonly where?: (row: PairOf<Row, S>) => boolean | ViewTypeError<NotAsync>;
  /** Joins events whose times lie near each other, and keeps each only as long as that takes. */
  readonly within?: Within<Row, RowIn<S[keyof S]>>;
}

export interface MatchHow<Row, R extends Rows<any, string | null>, On> {
  /** Columns that must be equal: `{ left: 'right' }`. Null equals nothing. */
  readonly on: On & CheckedOn<Row, RowIn<R>, On>;
  /** What the two rows must fulfil beside. */
  readonly where?: (left: Row, right: RowIn<R>) => boolean | ViewTypeError<NotAsync>;
  /** Only events whose times lie near each other match. */
  readonly within?: Within<Row, RowIn<R>>;
}

export interface AsOfHow<Row, S extends Sides, On, At extends string> {
  /** The columns of the table's key: `{ left: 'right' }`. */
  readonly on: On & CheckedOn<Row, RowIn<S[keyof S]>, On> & WholeKey<KeyIn<S[keyof S]>, On>;
  /** The column of the left that says when; the event time, if not said. */
  readonly at?: PathToInstant<Row, At, 'join as of'>;
}
type WholeKey<Key, On> = [Key] extends [On[keyof On]]
  ? unknown
  : ViewTypeError<'joinAsOf finds one version of a row: name all columns of the table’s key.'>;
