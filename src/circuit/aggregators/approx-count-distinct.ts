import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { setSketch, type SetSketch, type Table } from './set-sketch.js';

/**
 * `approxCountDistinct(column)`: how many different values, about. HyperLogLog (P. Flajolet and others), with the estimator of
 * O. Ertl ("New cardinality estimation algorithms for HyperLogLog sketches", 2017), which needs no tables of corrections.
 *
 * The first bits of a hash choose one of 2^p registers, which keeps how many zeros the rest has begun with at the most. The
 * standard error is 1.04 / √(2^p). Up to 2^p / 16 different values are counted exactly.
 */
export function approxCountDistinct(value: (row: Row) => Value, error: number): Aggregator<SetSketch> {
  const bits = registerBits(error);
  return setSketch({
    value,
    table: registers(bits),
    result: ({ hashes, table }) => (hashes === null ? estimate(table!, bits) : hashes.size),
  });
}

/** The least p whose standard error is not above `error`. */
export function registerBits(error: number): number {
  let bits = 4;
  while (1.04 / Math.sqrt(2 ** bits) > error) bits++;
  return bits;
}

/** One character for each register, whose values are below 64. */
const DIGITS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
const VALUES = new Uint8Array(128);
DIGITS.forEach((digit, value) => (VALUES[digit] = value));

const registers = (bits: number): Table => ({
  bytes: 2 ** bits,
  mark(table, high, low) {
    const register = high >>> (32 - bits);
    const rest = (high << bits) >>> 0;
    const zeros = rest === 0 ? 32 - bits + Math.clz32(low) : Math.clz32(rest);
    if (zeros + 1 > table[register]!) table[register] = zeros + 1;
  },
  merge(into, other) {
    for (let at = 0; at < into.length; at++) if (other[at]! > into[at]!) into[at] = other[at]!;
  },
  encode: (table) => Buffer.from(table.map((value) => DIGITS[value]!)).toString('latin1'),
  decode: (text) => Uint8Array.from(Buffer.from(text, 'latin1'), (digit) => VALUES[digit]!),
});

/** 1 / (2 ln 2). */
const ALPHA = 0.7213475204444817;

function estimate(table: Uint8Array, bits: number): number {
  const most = 64 - bits;
  const counts = new Uint32Array(most + 2);
  for (const value of table) counts[value]!++;
  const size = table.length;
  let sum = size * fullness(1 - counts[most + 1]! / size);
  for (let value = most; value >= 1; value--) sum = (sum + counts[value]!) / 2;
  sum += size * emptiness(counts[0]! / size);
  return Math.round((ALPHA * size * size) / sum);
}

/** Ertl's σ: what empty registers say. x + Σ x^(2^k) · 2^(k−1). */
function emptiness(x: number): number {
  if (x === 1) return Infinity;
  let [power, times, sum] = [x, 1, x];
  for (;;) {
    power *= power;
    const before = sum;
    sum += power * times;
    times += times;
    if (sum === before) return sum;
  }
}

/** Ertl's τ: what full registers say. (1 − x − Σ (1 − x^(2^−k))² · 2^−k) / 3. */
function fullness(x: number): number {
  if (x === 0 || x === 1) return 0;
  let [root, times, sum] = [x, 1, 1 - x];
  for (;;) {
    root = Math.sqrt(root);
    times /= 2;
    const before = sum;
    sum -= (1 - root) * (1 - root) * times;
    if (sum === before) return sum / 3;
  }
}
