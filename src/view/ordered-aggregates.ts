import type { AggregatorOptions } from '../circuit/aggregator.js';
import { request, type Aggregate, type AggregateRequest, type NullAt } from './aggregates.js';
import type { PathTo, PathToNumber, PathToScalar, PathToText, ValueAt } from './path-type.js';

/** Aggregates that keep the values of a group in an order. */

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
  return request('first', { value: column as string, by: (options?.by as string) ?? null, given: options });
}

/** The value of the last row: by `by`, else by its place in the stream (event time, then position). */
export function last<Row, const C extends string, const By extends string = never>(
  column: PathTo<Row, C, 'take'>,
  options?: { readonly by?: PathToScalar<Row, By, 'order'> },
): Aggregate<Row, ValueAt<Row, C> | NullOf<Row, By>> {
  return request('last', { value: column as string, by: (options?.by as string) ?? null, given: options });
}

type Picked<Row, By extends string, C extends string> =
  ([C] extends [never] ? Row : ValueAt<Row, C>) | NullOf<Row, By>;

/** The row with the least `by`, or one column of it; among equals the least by its text. */
export function minBy<Row, const By extends string, const C extends string = never>(
  by: PathToScalar<Row, By, 'order'>,
  options?: { readonly value?: PathTo<Row, C, 'take'> },
): Aggregate<Row, Picked<Row, By, C>> {
  return request('minBy', { by: by as string, value: (options?.value as string) ?? null, given: options });
}

/** The row with the greatest `by`, or one column of it; among equals the least by its text. */
export function maxBy<Row, const By extends string, const C extends string = never>(
  by: PathToScalar<Row, By, 'order'>,
  options?: { readonly value?: PathTo<Row, C, 'take'> },
): Aggregate<Row, Picked<Row, By, C>> {
  return request('maxBy', { by: by as string, value: (options?.value as string) ?? null, given: options });
}

/** The value in the middle, or half way between the two there. */
export function median<Row, const C extends string>(
  column: PathToNumber<Row, C, 'rank'>,
): Aggregate<Row, number | NullAt<Row, C>> {
  return request('median', { value: column as string });
}

/**
 * The value `p` of the way up, from 0 (the least) to 1 (the greatest), interpolated between two; `discrete`: the first value with
 * at least that part of the values up to it.
 */
export function percentile<Row, const C extends string, const Discrete extends boolean = false>(
  column: Discrete extends true ? PathToScalar<Row, C, 'rank'> : PathToNumber<Row, C, 'rank'>,
  p: number,
  options?: { readonly discrete?: Discrete },
): Aggregate<Row, Discrete extends true ? ValueAt<Row, C> : number | NullAt<Row, C>> {
  return request('percentile', {
    value: column as string,
    options: options?.discrete === true ? { p, discrete: true } : { p },
    given: options,
  });
}

type Elements<Row, C extends string> = Exclude<ValueAt<Row, C>, null>[];

/** The `k` greatest values that are not null, the greatest first; `order: 'asc'`: the least. Equal ones count each. */
export function topK<Row, const C extends string>(
  column: PathToScalar<Row, C, 'order'>,
  k: number,
  options?: { readonly order?: 'asc' | 'desc' },
): Aggregate<Row, Elements<Row, C>> {
  return request('topK', {
    value: column as string,
    options: { k, order: options?.order ?? 'desc' },
    given: options,
  });
}

/** The order of a list: of its values, or of another column; equal ones by the value. */
export interface ListOrder<By> {
  readonly by?: By;
  readonly order?: 'asc' | 'desc';
}

/** All values that are not null, sorted, with duplicates. As large as its group: each change writes all of it. */
export function collect<Row, const C extends string, const By extends string = never>(
  column: PathTo<Row, C, 'collect'>,
  options?: ListOrder<PathToScalar<Row, By, 'order'>>,
): Aggregate<Row, Elements<Row, C>> {
  return request('collect', listed(column, options));
}

/** The different values that are not null, sorted. As large as its result: each change writes all of it. */
export function collectDistinct<Row, const C extends string>(
  column: PathTo<Row, C, 'collect'>,
  options?: { readonly order?: 'asc' | 'desc' },
): Aggregate<Row, Elements<Row, C>> {
  return request('collectDistinct', listed(column, options));
}

/** The texts that are not null, sorted, with `separator` (`, `) between. As large as its group: each change writes all of it. */
export function joinText<Row, const C extends string, const By extends string = never>(
  column: PathToText<Row, C>,
  options?: ListOrder<PathToScalar<Row, By, 'order'>> & { readonly separator?: string },
): Aggregate<Row, string | NullAt<Row, C>> {
  const { value, by, options: order } = listed(column, options);
  return request('joinText', {
    value,
    by,
    options: { ...order, separator: options?.separator ?? ', ' },
    given: options,
  });
}

function listed(
  column: unknown,
  list: ListOrder<unknown> = {},
): Pick<AggregateRequest, 'value' | 'by' | 'options' | 'given'> {
  const options: AggregatorOptions =
    list.order === undefined || list.order === 'asc' ? {} : { order: list.order };
  return { value: column as string, by: (list.by as string) ?? null, options, given: list };
}
