import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';

/** How many values there are of each: values while they are few, then buckets of values. */
interface Quantities {
  /** The keys are values. */
  exact: boolean;
  counts: Map<number, number>;
}

/** So many different values are kept as they are. */
const EXACT_MAX = 128;

/**
 * Values from 2^-24 on up to 2^64 lie within the error that is asked for, those nearer to 0 and further away within half of
 * themselves: there a bucket is a whole doubling. So that whatever the values are, there are at most `bucketsMax` buckets.
 */
const LEAST_EXPONENT = -24;
const END_EXPONENT = 64;
/** All doublings that normal doubles have, of one sign. */
const DOUBLINGS = 2_046;

/** How many buckets a group can come to have, of both signs and 0. */
export function bucketsMax(error: number): number {
  const fine = END_EXPONENT - LEAST_EXPONENT;
  return 2 * (fine * 2 ** mantissaBits(error) + DOUBLINGS - fine) + 1;
}

/**
 * `approxPercentile(column, p)`: what `percentile(column, p, { discrete: true })` shows, but for a relative error. Buckets
 * whose bounds grow with them, as DDSketch has them (C. Masson and others, 2019); here a bucket is all doubles with the same
 * first bits, so that finding one takes no logarithm and is the same on every machine.
 *
 * Linear: buckets hold counts, and a retraction takes away what the insertion added. What is kept is a function of the
 * values alone. Where rows are never retracted that may be the values themselves, as long as few are different; elsewhere
 * they could not be had back when values go, and buckets are kept from the first on.
 */
export function approxPercentile(options: {
  value: (row: Row) => Value;
  p: number;
  error: number;
  appendOnly: boolean;
}): Aggregator<Quantities> {
  const { value, p, appendOnly } = options;
  const bits = mantissaBits(options.error);

  function spill(quantities: Quantities): void {
    const values = quantities.counts;
    quantities.counts = new Map();
    quantities.exact = false;
    for (const [number, count] of values) add(quantities.counts, bucketOf(number, bits), count);
  }

  function addTo(quantities: Quantities, number: number, weight: number): void {
    if (!quantities.exact) return add(quantities.counts, bucketOf(number, bits), weight);
    add(quantities.counts, number, weight);
    if (quantities.counts.size > EXACT_MAX) spill(quantities);
  }

  return {
    initial: () => ({ exact: appendOnly, counts: new Map() }),
    fold(quantities, row, weight) {
      const number = value(row);
      if (number !== null) addTo(quantities, number as number, weight);
      return quantities;
    },
    result({ exact, counts }) {
      let values = 0;
      for (const count of counts.values()) values += count;
      if (values === 0) return null;
      let rank = Math.max(Math.ceil(p * values) - 1, 0);
      for (const [key, count] of sorted(counts)) {
        if (rank < count) return exact ? key : middleOf(key, bits);
        rank -= count;
      }
      return null;
    },
    merge(into, other) {
      if (into.exact && !other.exact) spill(into);
      for (const [key, count] of other.counts)
        if (other.exact) addTo(into, key, count);
        else add(into.counts, key, count);
      return into;
    },
    codec: { encode, decode: (text) => revive(JSON.parse(text)) },
    revive,
  };
}

/** The fewest bits after the first whose buckets are so narrow that their middles are not further off than `error`. */
export function mantissaBits(error: number): number {
  let bits = 0;
  while (2 ** -(bits + 1) > error) bits++;
  return bits;
}

const view = new DataView(new ArrayBuffer(8));

/**
 * The upper bits of a double, down to the last that a bucket looks at, negative for negative doubles: buckets are ordered
 * as their values are. What lies nearer to 0 than the least normal double is 0.
 */
function bucketOf(value: number, bits: number): number {
  view.setFloat64(0, Math.abs(value));
  const upper = view.getUint32(0);
  if (upper < 0x100000) return 0;
  const shift = isFine((upper >>> 20) - 1023) ? 20 - bits : 20;
  const bucket = (upper >>> shift) << (shift - 20 + bits);
  return value < 0 ? -bucket : bucket;
}

/** Whether a doubling has as many buckets as the error asks for. */
const isFine = (exponent: number): boolean => LEAST_EXPONENT <= exponent && exponent < END_EXPONENT;

function middleOf(bucket: number, bits: number): number {
  if (bucket === 0) return 0;
  view.setUint32(0, Math.abs(bucket) << (20 - bits));
  view.setUint32(4, 0);
  const least = view.getFloat64(0);
  const exponent = Math.floor(Math.abs(bucket) / 2 ** bits) - 1023;
  // The next bit after those of the bucket.
  const middle = least + 2 ** (exponent - (isFine(exponent) ? bits : 0) - 1);
  return bucket < 0 ? -middle : middle;
}

function add(counts: Map<number, number>, key: number, weight: number): void {
  const count = (counts.get(key) ?? 0) + weight;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

const sorted = (counts: Map<number, number>): [key: number, count: number][] =>
  [...counts].sort(([left], [right]) => left - right);

/** `[1, value, count, …]`, or `[0, bucket, count, …]` with each bucket as its distance from the one before. */
function encode({ exact, counts }: Quantities): string {
  const stored: number[] = [exact ? 1 : 0];
  let before = 0;
  for (const [key, count] of sorted(counts)) {
    stored.push(exact ? key : key - before, count);
    before = key;
  }
  return JSON.stringify(stored);
}

function revive(stored: readonly number[]): Quantities {
  const exact = stored[0] === 1;
  const counts = new Map<number, number>();
  let before = 0;
  for (let at = 1; at < stored.length; at += 2) {
    const key = exact ? stored[at]! : before + stored[at]!;
    counts.set(key, stored[at + 1]!);
    before = key;
  }
  return { exact, counts };
}
