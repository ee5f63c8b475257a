import type { AggregatorOptions } from '../circuit/aggregator.js';
import type { AggregateKind } from './plan.js';

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
  percentile: `percentile('delay', 0.95)`,
  topK: `topK('delay', 10)`,
  joinText: `joinText('name', { separator: ', ' })`,
  histogram: `histogram('delay', { bounds: [0, 15, 60] }), or { width: 15, from: 0, to: 180 }`,
};

/** What is wrong with the options of an aggregate: the end of a sentence that begins with its name. Null if nothing is. */
export function optionProblem(kind: AggregateKind, options: AggregatorOptions): string | null {
  const { order, p, k, separator } = options;
  if (order !== undefined && order !== 'asc' && order !== 'desc') return `is ordered 'asc' or 'desc'`;
  switch (kind) {
    case 'percentile':
      return typeof p === 'number' && p >= 0 && p <= 1 ? null : 'is taken at a number from 0 to 1';
    case 'topK':
      return Number.isInteger(k) && k! >= 1 && k! <= TOP_MAX
        ? null
        : `shows a whole number of values, from 1 to ${TOP_MAX}`;
    case 'joinText':
      return typeof separator === 'string' && separator.isWellFormed() ? null : 'is separated by a text';
    case 'histogram':
      return bucketProblem(options);
    default:
      return null;
  }
}

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
