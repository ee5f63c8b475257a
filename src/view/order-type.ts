import type { NoSuchPath, PathToScalar, ValueAt } from './path-type.js';
import type { Flat } from './row-type.js';
import type { ViewTypeError } from './view-type-error.js';

type Ordered<Row, Path extends string> = [NoSuchPath] extends [ValueAt<Row, Path>] ? false : true;
type Term<Row, Text extends string> = Text extends `${infer Path}.asc` | `${infer Path}.desc`
  ? Ordered<Row, Path> extends true
    ? true
    : Ordered<Row, Text>
  : Ordered<Row, Text>;
type Terms<Row, Text extends string> = Text extends `${infer Head},${infer Rest}`
  ? Term<Row, Head> extends true
    ? Terms<Row, Rest>
    : Head
  : Term<Row, Text> extends true
    ? never
    : Text;

/** The words of an order, or what stands in their place: the columns there are, and a sentence. */
export type OrderOf<Row, Text extends string, Purpose extends string> = [Terms<Row, Text>] extends [never]
  ? Text
  : | (keyof Row & string)
    | `${keyof Row & string}.desc`
    | ViewTypeError<`There is no column "${Terms<Row, Text>}" to ${Purpose}; write 'column', 'column.desc', or several with commas.`>;

export type CheckedOrder<Row, Order, Purpose extends string> = Order extends string
  ? OrderOf<Row, Order, Purpose>
  : { [I in keyof Order]: Order[I] extends string ? OrderOf<Row, Order[I], Purpose> : Order[I] };

/** Paths that rows are grouped by. */
export type CheckedPer<Row, Per> = Per extends string
  ? PathToScalar<Row, Per, 'group by'>
  : { [I in keyof Per]: Per[I] extends string ? PathToScalar<Row, Per[I], 'group by'> : never };

/** The columns that groups are made by, never where there is one group; null where one of them is a path into a column. */
type GroupKey<Row, Per> = [Per] extends [never]
  ? never
  : [Per] extends [keyof Row & string]
    ? Per
    : Per extends readonly string[]
      ? [Per[number]] extends [keyof Row & string]
        ? Per[number]
        : null
      : null;

/** One row a group is known by the group, others by their own key, or by their place. */
export type KeyOfTop<Row, Key extends string | null, Count extends number, Per, Rank extends string> = [
  Count,
] extends [1]
  ? null extends GroupKey<Row, Per>
    ? KeyOrPlaced<Row, Key, Per, Rank>
    : GroupKey<Row, Per>
  : KeyOrPlaced<Row, Key, Per, Rank>;

type KeyOrPlaced<Row, Key, Per, Rank extends string> = [Key] extends [string]
  ? Key
  : [Rank] extends [never]
    ? null
    : null extends GroupKey<Row, Per>
      ? null
      : GroupKey<Row, Per> | Rank;

export type RowWithRank<Row, Rank extends string> = [Rank] extends [never]
  ? Row
  : Flat<Row & { [N in Rank]: number }>;

/** Of rows that are compared for ever one is left of each key; of others their own key holds on. */
export type KeyOfDedupe<Row, Key extends string | null, By, Within> = [Within] extends [never]
  ? null extends GroupKey<Row, By>
    ? Key
    : GroupKey<Row, By>
  : Key;

/** Columns that always hold text: whether it is that of an instant is told at start-up. */
export type ColumnsOfText<Row> = {
  [C in keyof Row & string]: [Row[C]] extends [string] ? C : never;
}[keyof Row & string];
