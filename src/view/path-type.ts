import type { ViewTypeError } from './view-type-error.js';

/** The type of a path that leads nowhere. */
export interface NoSuchPath {
  readonly 'no such path': never;
}

type Null<T> = Extract<T, null>;

/** Of events of several types, what each has there. */
type Steps<Row, Path extends string> = unknown extends Row
  ? unknown
  : Row extends unknown
    ? Path extends keyof Row
      ? string extends keyof Row
        ? Row[Path] | null
        : Row[Path]
      : Path extends `${infer Head}.${infer Rest}`
        ? Head extends keyof Row
          ? ValueIn<NonNullable<Row[Head]>, Rest> | Null<Row[Head]>
          : NoSuchPath
        : NoSuchPath
    : never;

/** What only some types of events have is null in the others. */
type ValueIn<Row, Path extends string> = Found<Steps<Row, Path>>;
type Found<Value> = unknown extends Value
  ? Value
  : [Value] extends [NoSuchPath]
    ? Value
    : [NoSuchPath] extends [Value]
      ? Exclude<Value, NoSuchPath> | null
      : Value;

/** The value a path leads to: null too where something on the way may be null. `$position` is a row's place in its log. */
export type ValueAt<Row, Path extends string> = Path extends '$position' ? string : ValueIn<Row, Path>;

type ColumnsThat<Row, Holds> = { [C in keyof Row & string]: [Row[C]] extends [Holds] ? C : never }[keyof Row &
  string];

type Sortable = string | number | boolean | null;

/** `Path` itself, or what stands in its place: the columns there are, and a sentence. */
export type PathTo<Row, Path extends string, Purpose extends string> = [NoSuchPath] extends [
  ValueAt<Row, Path>,
]
  ? (keyof Row & string) | ViewTypeError<`There is no column "${Path}" to ${Purpose}.`>
  : Path;

/** A path to a value that has an order and an equality: not an object, not an array. */
export type PathToScalar<Row, Path extends string, Purpose extends string> = [NoSuchPath] extends [
  ValueAt<Row, Path>,
]
  ? (keyof Row & string) | ViewTypeError<`There is no column "${Path}" to ${Purpose}.`>
  : unknown extends ValueAt<Row, Path>
    ? ViewTypeError<`Column "${Path}" may hold anything; to ${Purpose} it its schema must say which: text, numbers, booleans.`>
    : [ValueAt<Row, Path>] extends [Sortable]
      ? Path
      : | ColumnsThat<Row, Sortable>
        | ViewTypeError<`Column "${Path}" holds objects or arrays, which nothing can ${Purpose}.`>;

export type PathToNumber<Row, Path extends string, Purpose extends string> = [NoSuchPath] extends [
  ValueAt<Row, Path>,
]
  ? (keyof Row & string) | ViewTypeError<`There is no column "${Path}" to ${Purpose}.`>
  : [ValueAt<Row, Path>] extends [number | null]
    ? Path
    : ColumnsThat<Row, number | null> | ViewTypeError<`Column "${Path}" does not hold numbers.`>;

/** Numbers, or exact decimals. */
export type PathToSummed<Row, Path extends string, Purpose extends string> =
  IsDecimal<Exclude<ValueAt<Row, Path>, null>> extends true ? Path : PathToNumber<Row, Path, Purpose>;

/** What a sum of the values at a path is. */
export type SumAt<Row, Path extends string> =
  IsDecimal<Exclude<ValueAt<Row, Path>, null>> extends true ? `${number}` : number;

export type PathToInstant<Row, Path extends string, Purpose extends string> = [NoSuchPath] extends [
  ValueAt<Row, Path>,
]
  ? (keyof Row & string) | ViewTypeError<`There is no column "${Path}" to ${Purpose}.`>
  : [ValueAt<Row, Path>] extends [string | null]
    ? Path
    : | ColumnsThat<Row, string | null>
      | ViewTypeError<`Column "${Path}" does not hold instants; to ${Purpose} it, declare it as instant().`>;

export type PathToBoolean<Row, Path extends string> = [NoSuchPath] extends [ValueAt<Row, Path>]
  ? (keyof Row & string) | ViewTypeError<`There is no column "${Path}" to test.`>
  : [ValueAt<Row, Path>] extends [boolean | null]
    ? Path
    : ColumnsThat<Row, boolean | null> | ViewTypeError<`Column "${Path}" does not hold booleans.`>;

export type PathToText<Row, Path extends string> = [NoSuchPath] extends [ValueAt<Row, Path>]
  ? (keyof Row & string) | ViewTypeError<`There is no column "${Path}" to join.`>
  : [ValueAt<Row, Path>] extends [string | null]
    ? Path
    : ColumnsThat<Row, string | null> | ViewTypeError<`Column "${Path}" does not hold text.`>;

export type PathToArray<Row, Path extends string> = [NoSuchPath] extends [ValueAt<Row, Path>]
  ? (keyof Row & string) | ViewTypeError<`There is no column "${Path}" to unnest.`>
  : [ValueAt<Row, Path>] extends [readonly unknown[] | null]
    ? Path
    : ColumnsThat<Row, readonly unknown[] | null> | ViewTypeError<`Column "${Path}" does not hold an array.`>;

export type ElementAt<Row, Path extends string> =
  NonNullable<ValueAt<Row, Path>> extends readonly (infer Element)[] ? Element : never;

/** The name a path gives a column that is not named otherwise: its last step. */
export type LastStep<Path extends string> = Path extends `${string}.${infer Rest}` ? LastStep<Rest> : Path;

/** Exact decimals: any text of a number, as against a few such texts. */
export type IsDecimal<T> = unknown extends T
  ? false
  : [T] extends [`${number}`]
    ? [`${number}`] extends [T]
      ? true
      : false
    : false;

/** What equality compares, as a word for messages. */
export type Kind<T> = unknown extends T
  ? 'anything'
  : T extends null | undefined
    ? never
    : IsDecimal<T> extends true
      ? 'decimals'
      : T extends string
        ? 'text'
        : T extends number
          ? 'numbers'
          : T extends boolean
            ? 'booleans'
            : 'objects';
