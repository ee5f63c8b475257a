import type { AggregatorOptions } from '../circuit/aggregator.js';
import { filterSize } from '../circuit/aggregators/approx-contains.js';
import type { AggregateKind } from './aggregate-spec.js';

/** What `approxContains` keeps of a group at most: it is rewritten with every change, and shown in the row. */
const FILTER_BYTES_MAX = 65_536;
/** Values that `topK` shows at most. */
const TOP_MAX = 1_000;
/** Buckets that a histogram's bounds make at most. */
const BUCKETS_MAX = 1_000;
/** Of the bounds and the width of buckets, so that arithmetic with them neither overflows nor runs dry. */
const SIZE_MAX = 1e300;
/** By so many widths a bound may lie away from 0, so that buckets have different bounds. */
const WIDTHS_MAX = 2 ** 48;

const isSize = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= SIZE_MAX;

/** How an aggregate with options is written. */
export const optionExample = (kind: AggregateKind): string =>
  (EXAMPLES as Partial<Record<AggregateKind, string>>)[kind] ?? `${kind}('column', { order: 'desc' })`;

const EXAMPLES = {
  approxCountDistinct: `approxCountDistinct('visitor', { error: 0.02 })`,
  approxPercentile: `approxPercentile('delay', 0.95, { error: 0.01 })`,
  approxTopK: `approxTopK('page', 10, { error: 0.01 })`,
  approxContains: `approxContains('visitor', { expected: 10_000, error: 0.01 })`,
  percentile: `percentile('delay', 0.95)`,
  topK: `topK('delay', 10)`,
  joinText: `joinText('name', { separator: ', ' })`,
  histogram: `histogram('delay', { bounds: [0, 15, 60] }), or { width: 15, from: 0, to: 180 }`,
};

/** What is wrong with the options of an aggregate: the end of a sentence that begins with its name. Null if nothing is. */
export function optionProblem(kind: AggregateKind, options: AggregatorOptions): string | null {
  const { order, p, k, separator, expected, error } = options;
  if (order !== undefined && order !== 'asc' && order !== 'desc') return `is ordered 'asc' or 'desc'`;
  switch (kind) {
    case 'percentile':
      return rankProblem(p);
    case 'topK':
      return countProblem(k);
    case 'approxPercentile':
      return rankProblem(p) ?? errorProblem(error, 0.001, 0.25);
    case 'approxTopK':
      return countProblem(k) ?? errorProblem(error, 0.001, 0.1);
    case 'approxCountDistinct':
      return errorProblem(error, 0.005, 0.1);
    case 'approxContains':
      if (!Number.isInteger(expected) || expected! < 1)
        return 'expects a whole number of different values, 1 or more';
      return (
        errorProblem(error, 1e-6, 0.25) ??
        (filterSize({ expected: expected!, error: error! }).bytes <= FILTER_BYTES_MAX
          ? null
          : `keeps at most ${FILTER_BYTES_MAX} bytes of a group, and these need more`)
      );
    case 'joinText':
      return typeof separator === 'string' && separator.isWellFormed() ? null : 'is separated by a text';
    case 'histogram':
      return bucketProblem(options);
    default:
      return null;
  }
}

const rankProblem = (p: unknown): string | null =>
  typeof p === 'number' && p >= 0 && p <= 1 ? null : 'is taken at a number from 0 to 1';

const countProblem = (k: unknown): string | null =>
  Number.isInteger(k) && (k as number) >= 1 && (k as number) <= TOP_MAX
    ? null
    : `shows a whole number of values, from 1 to ${TOP_MAX}`;

const errorProblem = (error: unknown, least: number, most: number): string | null =>
  typeof error === 'number' && error >= least && error <= most ? null : `errs by ${least} to ${most}`;

function bucketProblem({ bounds, width, from, to }: AggregatorOptions): string | null {
  if (bounds !== undefined) {
    const rising =
      Array.isArray(bounds) &&
      bounds.every((bound, index) => isSize(bound) && (index === 0 || bounds[index - 1]! < bound));
    if (!rising || bounds.length === 0)
      return 'has one bound or more, each a number greater than the one before';
    return bounds.length < BUCKETS_MAX ? null : `has at most ${BUCKETS_MAX - 1} bounds`;
  }
  if (!isSize(width) || width < 1 / SIZE_MAX) return 'has either `bounds` or a `width` greater than 0';
  for (const end of [from, to])
    if (end !== undefined && !(isSize(end) && Math.abs(end) / width <= WIDTHS_MAX))
      return 'has a width that leads from 0 to its ends in 2^48 steps or fewer';
  if (to !== undefined && to <= (from ?? 0))
    return 'ends behind where it begins: `to` is greater than `from`, or than 0';
  return null;
}
