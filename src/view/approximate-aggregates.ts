import { request, type Aggregate, type NullAt } from './aggregates.js';
import type { PathToNumber, PathToScalar, ValueAt } from './path-type.js';

/** Aggregates that are nearly right, and keep a sketch of one size however many values a group has. */

/** How many different values there are, with a standard error of 0.02, or as said; exact while they are few. Takes no row back. */
export function approxCountDistinct<Row, const C extends string>(
  column: PathToScalar<Row, C, 'count'>,
  options?: { readonly error?: number },
): Aggregate<Row, number> {
  return request('approxCountDistinct', {
    value: column as string,
    options: { error: options?.error ?? 0.02 },
    given: options,
  });
}

/** The first value with at least the part `p` of the values up to it, within 0.01 of that value, or as said. */
export function approxPercentile<Row, const C extends string>(
  column: PathToNumber<Row, C, 'rank'>,
  p: number,
  options?: { readonly error?: number },
): Aggregate<Row, number | NullAt<Row, C>> {
  return request('approxPercentile', {
    value: column as string,
    options: { p, error: options?.error ?? 0.01 },
    given: options,
  });
}

/**
 * The `k` values that occur most often, and how often: too great by no more than 0.01 of all rows, or as said, and never too
 * small. Exact while different values are few. Takes no row back, and needs rows straight from one stream.
 */
export function approxTopK<Row, const C extends string>(
  column: PathToScalar<Row, C, 'count'>,
  k: number,
  options?: { readonly error?: number },
): Aggregate<Row, { value: Exclude<ValueAt<Row, C>, null>; count: number }[]> {
  return request('approxTopK', {
    value: column as string,
    options: { k, error: options?.error ?? 0.01 },
    given: options,
  });
}

/**
 * A filter that says of any value whether the group may have it: ask it with `mayContain`. It never denies a value that is there,
 * and takes one that is not for one that is at a rate of `error` (0.01) for `expected` different values. Takes no row back.
 */
export function approxContains<Row, const C extends string>(
  column: PathToScalar<Row, C, 'find'>,
  options: { readonly expected: number; readonly error?: number },
): Aggregate<Row, string> {
  const { expected, error = 0.01 } = options ?? {};
  return request('approxContains', { value: column as string, options: { expected, error }, given: options });
}
