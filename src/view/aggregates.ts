import type { AggregatorOptions } from '../circuit/aggregator.js';
import type {
  PathTo,
  PathToBoolean,
  PathToNumber,
  PathToSummed,
  SumAt,
  PathToScalar,
  ValueAt,
} from './path-type.js';
import { aggregateFacts } from './aggregate-facts.js';
import { placeOfDeclaration } from './place.js';
import type { AggregateKind } from './aggregate-spec.js';
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
  readonly options: AggregatorOptions;
  /** The options as they were written. */
  readonly given: unknown;
  readonly place: string | null;
}

/** Modules are compiled without their types being checked: it may be `count` that was never called. */
export const isAggregate = (value: unknown): value is AggregateRequest =>
  typeof value === 'object' && value !== null && (value as AggregateRequest).kind in aggregateFacts;

/** Null where a column may be null. */
export type NullAt<Row, C extends string> = Extract<ValueAt<Row, C>, null>;

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
  column: PathToSummed<Row, C, 'sum'>,
): Aggregate<Row, SumAt<Row, C> | NullAt<Row, C>> {
  return request('sum', { value: column as string });
}

/** The sum over the rows that pass the test; null where none with a value does. */
export function sumIf<Row, const C extends string>(
  column: PathToSummed<Row, C, 'sum'>,
  test: Test<Row>,
): Aggregate<Row, SumAt<Row, C> | null> {
  return request('sumIf', { value: column as string, test: test as Test<unknown> });
}

/** The mean of the values that are not null. */
export function avg<Row, const C extends string>(
  column: PathToSummed<Row, C, 'average'>,
): Aggregate<Row, SumAt<Row, C> | NullAt<Row, C>> {
  return request('avg', { value: column as string });
}

/** The variance of the values that are not null, of a sample unless it is said to be all of them; of exact sums, rounded once. */
export function variance<Row, const C extends string, const Population extends boolean = false>(
  column: PathToNumber<Row, C, 'take the variance of'>,
  options?: { readonly population?: Population },
): Aggregate<Row, number | (Population extends true ? NullAt<Row, C> : null)> {
  return request('variance', { value: column as string, options: spreadOf(options), given: options });
}

/** The standard deviation: the square root of the variance. */
export function stddev<Row, const C extends string, const Population extends boolean = false>(
  column: PathToNumber<Row, C, 'take the deviation of'>,
  options?: { readonly population?: Population },
): Aggregate<Row, number | (Population extends true ? NullAt<Row, C> : null)> {
  return request('stddev', { value: column as string, options: spreadOf(options), given: options });
}

const spreadOf = (options: { readonly population?: boolean } | undefined): AggregatorOptions =>
  options?.population === true ? { population: true } : {};

/** Whether all values that are not null are true, or all rows pass a test. */
export function every<Row>(test: Test<Row>): Aggregate<Row, boolean>;
export function every<Row, const C extends string>(
  column: PathToBoolean<Row, C>,
): Aggregate<Row, boolean | NullAt<Row, C>>;
export function every(of: unknown): Aggregate<any, any> {
  return request('every', truthOf(of));
}

/** Whether any value is true, or any row passes a test. */
export function some<Row>(test: Test<Row>): Aggregate<Row, boolean>;
export function some<Row, const C extends string>(
  column: PathToBoolean<Row, C>,
): Aggregate<Row, boolean | NullAt<Row, C>>;
export function some(of: unknown): Aggregate<any, any> {
  return request('some', truthOf(of));
}

const truthOf = (of: unknown): Partial<AggregateRequest> =>
  typeof of === 'function' ? { test: of as Test<any> } : { value: of as string };

/** How many values lie from `from` on up to but not including `to`; null: without an end on that side. */
export interface Bucket {
  from: number | null;
  to: number | null;
  count: number;
}

/**
 * How many values fall into each bucket: between `bounds`, all of them shown; or of one `width`, those that hold values, with
 * one bucket for all below `from` and one for all from `to` on.
 */
export function histogram<Row, const C extends string>(
  column: PathToNumber<Row, C, 'put into buckets'>,
  buckets:
    | { readonly bounds: readonly number[] }
    | { readonly width: number; readonly from?: number; readonly to?: number },
): Aggregate<Row, Bucket[]> {
  const { bounds } = (buckets ?? {}) as { readonly bounds?: unknown };
  return request('histogram', {
    value: column as string,
    options: Array.isArray(bounds) ? { bounds: [...(bounds as number[])] } : { ...buckets },
    given: buckets,
  });
}

export function request(kind: AggregateKind, parts: Partial<AggregateRequest>): Aggregate<any, any> {
  const made: AggregateRequest = {
    kind,
    value: null,
    by: null,
    test: null,
    options: {},
    given: undefined,
    ...parts,
    place: placeOfDeclaration(),
  };
  return Object.freeze(made) as never;
}
