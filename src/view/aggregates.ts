import type { PathTo, PathToNumber, PathToScalar, ValueAt } from './path-type.js';
import { placeOfDeclaration } from './place.js';
import type { AggregateKind } from './plan.js';
import type { NotAsync, ViewTypeError } from './view-type-error.js';

declare const aggregates: unique symbol;

/** A summary of the rows of a group. */
export interface Aggregate<in Row, out Result> {
  readonly [aggregates]: (row: Row) => Result;
}

/** What the functions below really give: `aggregate-spec.ts` checks it against the rows it is used on. */
export interface AggregateRequest {
  readonly kind: AggregateKind;
  readonly value: string | null;
  readonly by: string | null;
  readonly test: Test<any> | null;
  readonly descending: boolean;
  readonly place: string | null;
}

type Test<Row> = (row: Row) => boolean | ViewTypeError<NotAsync>;

/** How many rows; of a column, how many values that are not null. */
export function count(): Aggregate<unknown, number>;
export function count<Row, const C extends string>(column: PathTo<Row, C, 'count'>): Aggregate<Row, number>;
export function count(column?: unknown): Aggregate<any, number> {
  return request('count', { value: (column as string) ?? null });
}

/** How many rows pass the test. */
export function countIf<Row>(test: Test<Row>): Aggregate<Row, number> {
  return request('countIf', { test: test as Test<unknown> });
}

/** How many different values; null is none. */
export function countDistinct<Row, const C extends string>(
  column: PathToScalar<Row, C, 'count'>,
): Aggregate<Row, number> {
  return request('countDistinct', { value: column as string });
}

/** The exact sum, rounded once; null over nothing but nulls. */
export function sum<Row, const C extends string>(
  column: PathToNumber<Row, C, 'sum'>,
): Aggregate<Row, number | Extract<ValueAt<Row, C>, null>> {
  return request('sum', { value: column as string });
}

/** The sum over the rows that pass the test; null where none with a value does. */
export function sumIf<Row, const C extends string>(
  column: PathToNumber<Row, C, 'sum'>,
  test: Test<Row>,
): Aggregate<Row, number | null> {
  return request('sumIf', { value: column as string, test: test as Test<unknown> });
}

/** The mean of the values that are not null. */
export function avg<Row, const C extends string>(
  column: PathToNumber<Row, C, 'average'>,
): Aggregate<Row, number | Extract<ValueAt<Row, C>, null>> {
  return request('avg', { value: column as string });
}

/** The least value that is not null. */
export function min<Row, const C extends string>(
  column: PathToScalar<Row, C, 'order'>,
): Aggregate<Row, ValueAt<Row, C>> {
  return request('min', { value: column as string });
}

/** The greatest value that is not null. */
export function max<Row, const C extends string>(
  column: PathToScalar<Row, C, 'order'>,
): Aggregate<Row, ValueAt<Row, C>> {
  return request('max', { value: column as string });
}

type NullOf<Row, By extends string> = [By] extends [never] ? never : Extract<ValueAt<Row, By>, null>;

/** The value of the first row: by `by`, else by its place in the stream (event time, then position). */
export function first<Row, const C extends string, const By extends string = never>(
  column: PathTo<Row, C, 'take'>,
  options?: { readonly by?: PathToScalar<Row, By, 'order'> },
): Aggregate<Row, ValueAt<Row, C> | NullOf<Row, By>> {
  return request('first', { value: column as string, by: (options?.by as string) ?? null });
}

/** The value of the last row: by `by`, else by its place in the stream (event time, then position). */
export function last<Row, const C extends string, const By extends string = never>(
  column: PathTo<Row, C, 'take'>,
  options?: { readonly by?: PathToScalar<Row, By, 'order'> },
): Aggregate<Row, ValueAt<Row, C> | NullOf<Row, By>> {
  return request('last', { value: column as string, by: (options?.by as string) ?? null });
}

type Picked<Row, By extends string, C extends string> =
  ([C] extends [never] ? Row : ValueAt<Row, C>) | NullOf<Row, By>;

/** The row with the least `by`, or one column of it; among equals the least by its text. */
export function minBy<Row, const By extends string, const C extends string = never>(
  by: PathToScalar<Row, By, 'order'>,
  options?: { readonly value?: PathTo<Row, C, 'take'> },
): Aggregate<Row, Picked<Row, By, C>> {
  return request('minBy', { by: by as string, value: (options?.value as string) ?? null });
}

/** The row with the greatest `by`, or one column of it; among equals the least by its text. */
export function maxBy<Row, const By extends string, const C extends string = never>(
  by: PathToScalar<Row, By, 'order'>,
  options?: { readonly value?: PathTo<Row, C, 'take'> },
): Aggregate<Row, Picked<Row, By, C>> {
  return request('maxBy', { by: by as string, value: (options?.value as string) ?? null });
}

/** All values that are not null, sorted, with duplicates. As large as its group: each change writes all of it. */
export function collect<Row, const C extends string>(
  column: PathTo<Row, C, 'collect'>,
  options?: { readonly order?: 'asc' | 'desc' },
): Aggregate<Row, Exclude<ValueAt<Row, C>, null>[]> {
  return request('collect', { value: column as string, descending: options?.order === 'desc' });
}

function request(kind: AggregateKind, parts: Partial<AggregateRequest>): Aggregate<any, any> {
  const made: AggregateRequest = {
    kind,
    value: null,
    by: null,
    test: null,
    descending: false,
    ...parts,
    place: placeOfDeclaration(),
  };
  return Object.freeze(made) as never;
}
