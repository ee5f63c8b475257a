import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';

/** Where numbers fall. Buckets have integers for names; each holds its lower bound and not its upper. */
export interface Buckets {
  bucketOf(value: number): number;
  /** Null: without an end on that side. */
  fromOf(bucket: number): number | null;
  toOf(bucket: number): number | null;
  /** All buckets there are, shown also while they are empty; null: those that hold values are shown. */
  readonly all: readonly number[] | null;
}

/** One bucket below each bound, and one from the last on. */
export function bucketsBetween(bounds: readonly number[]): Buckets {
  return {
    bucketOf(value) {
      let low = 0;
      let high = bounds.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (bounds[middle]! <= value) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    fromOf: (bucket) => bounds[bucket - 1] ?? null,
    toOf: (bucket) => bounds[bucket] ?? null,
    all: Array.from({ length: bounds.length + 1 }, (_, bucket) => bucket),
  };
}

/** Beyond this many buckets from the first, division no longer tells them apart. */
const BUCKET_MAX = 2 ** 48;

const finite = (bound: number): number | null => (Number.isFinite(bound) ? bound + 0 : null);

/**
 * Buckets of one width, counted from `from` (or 0). What lies below `from`, or from `to` on, falls into one bucket there;
 * so does what lies too far out for the width.
 */
export function bucketsOfWidth(options: { width: number; from: number | null; to: number | null }): Buckets {
  const { width, from, to } = options;
  const start = from ?? 0;
  const bound = (bucket: number): number => start + bucket * width;
  const least = from === null ? -BUCKET_MAX : 0;
  const most = to === null ? BUCKET_MAX : Math.ceil((to - start) / width);
  return {
    bucketOf(value) {
      if (to !== null && value >= to) return most;
      if (value < bound(least)) return least - 1;
      let bucket = Math.floor((value - start) / width);
      // The bounds decide, and division may have rounded across one.
      if (value < bound(bucket)) bucket--;
      else if (value >= bound(bucket + 1)) bucket++;
      return Math.min(Math.max(bucket, least), to === null ? most : most - 1);
    },
    fromOf: (bucket) => (bucket < least ? null : bucket === most && to !== null ? to : finite(bound(bucket))),
    toOf(bucket) {
      if (bucket === most) return null;
      return to !== null && bucket === most - 1 ? to : finite(bound(bucket + 1));
    },
    all: null,
  };
}

type Counts = Map<number, number>;

const revive = (stored: [bucket: number, count: number][]): Counts => new Map(stored);
const sorted = (counts: Counts): [bucket: number, count: number][] =>
  [...counts].sort(([left], [right]) => left - right);

/** `histogram(column)`: how many values fall into each bucket, nulls left out. Every change rewrites the group's counts. */
export function histogram(value: (row: Row) => Value, buckets: Buckets): Aggregator<Counts> {
  const shown = (bucket: number, count: number): Value => ({
    from: buckets.fromOf(bucket),
    to: buckets.toOf(bucket),
    count,
  });
  return {
    initial: () => new Map(),
    fold(counts, row, weight) {
      const number = value(row);
      if (number !== null) add(counts, buckets.bucketOf(number as number), weight);
      return counts;
    },
    result: (counts) =>
      buckets.all === null
        ? sorted(counts).map(([bucket, count]) => shown(bucket, count))
        : buckets.all.map((bucket) => shown(bucket, counts.get(bucket) ?? 0)),
    merge(into, other) {
      for (const [bucket, count] of other) add(into, bucket, count);
      return into;
    },
    codec: {
      encode: (counts) => JSON.stringify(sorted(counts)),
      decode: (text) => revive(JSON.parse(text)),
    },
    revive,
  };
}

function add(counts: Counts, bucket: number, weight: number): void {
  const count = (counts.get(bucket) ?? 0) + weight;
  if (count === 0) counts.delete(bucket);
  else counts.set(bucket, count);
}
