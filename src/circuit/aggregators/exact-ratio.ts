/** Rounding what big integers say exactly: each function rounds once, to the nearest double, half to even. */

/** A number as `mantissa` × 2^`exponent`. */
export interface Binary {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** The exponent of the least double. */
export const LEAST = -1074;

const view = new DataView(new ArrayBuffer(8));

/** A finite double as an integer times a power of two. */
export function binaryOf(value: number): Binary {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: value < 0 ? -mantissa : mantissa, exponent: LEAST + Math.max(0, biased - 1) };
}

/** The mantissa of the same number at an exponent that is not greater. */
export const mantissaAt = ({ mantissa, exponent }: Binary, lower: number): bigint =>
  mantissa << BigInt(exponent - lower);

/** The sum at the least exponent of all. */
export function sumOfBinaries(terms: readonly Binary[]): Binary {
  const exponent = terms.reduce(
    (least, term) => (term.mantissa === 0n ? least : Math.min(least, term.exponent)),
    0,
  );
  let mantissa = 0n;
  for (const term of terms) if (term.mantissa !== 0n) mantissa += mantissaAt(term, exponent);
  return { mantissa, exponent };
}

/** `number` / `divisor` as the nearest double; null beyond the greatest. */
export function nearestQuotient({ mantissa, exponent }: Binary, divisor: bigint): number | null {
  if (mantissa === 0n) return 0;
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  // So many bits that the quotient has at least 64; what lies below them is only told from nothing.
  const up = Math.max(0, 66 - bitLength(magnitude) + bitLength(divisor));
  const dividend = magnitude << BigInt(up);
  const quotient = dividend / divisor;
  const value = nearest(quotient, exponent - up, quotient * divisor !== dividend);
  if (value === null) return null;
  return (mantissa < 0n ? -value : value) + 0;
}

/** The square root of `number` / `divisor`, of a number that is not negative, as the nearest double. */
export function nearestRoot({ mantissa, exponent }: Binary, divisor: bigint): number | null {
  if (mantissa === 0n) return 0;
  // The root has half the bits of what it is of, and at least 64; half of the exponent must be whole.
  let up = Math.max(0, 130 - bitLength(mantissa) + bitLength(divisor));
  if ((exponent - up) % 2 !== 0) up++;
  const dividend = mantissa << BigInt(up);
  const square = dividend / divisor;
  const root = integerRoot(square);
  const more = root * root !== square || square * divisor !== dividend;
  return nearest(root, (exponent - up) / 2, more);
}

/** The greatest integer whose square is not greater: Newton's steps fall from above it until they do not. */
function integerRoot(square: bigint): bigint {
  let root = 1n << BigInt((bitLength(square) + 1) >> 1);
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** `magnitude` × 2^`exponent`, and a little `more` where that is said, as the nearest double; null beyond the greatest. */
function nearest(magnitude: bigint, exponent: number, more: boolean): number | null {
  let rounded = magnitude;
  // The place of the last bit that a double of this size has.
  const drop = Math.max(bitLength(magnitude) - 53, LEAST - exponent);
  if (drop > 0) {
    const places = BigInt(drop);
    const half = 1n << (places - 1n);
    const below = rounded & ((1n << places) - 1n);
    rounded >>= places;
    if (below > half || (below === half && (more || (rounded & 1n) === 1n))) rounded += 1n;
  }
  const value = scaleBack(Number(rounded), exponent + Math.max(0, drop));
  return Number.isFinite(value) ? value : null;
}

/** `integer` × 2^`exponent`, in steps that stay exact. */
function scaleBack(integer: number, exponent: number): number {
  let value = integer;
  for (; exponent > 1000; exponent -= 1000) value *= 2 ** 1000;
  // An integer below 2^54 is moved down exactly as long as its last bit stays above the least double's.
  for (; exponent < -1000; exponent += 1000) value *= 2 ** -1000;
  return value * 2 ** exponent;
}

function bitLength(magnitude: bigint): number {
  const digits = magnitude.toString(16);
  return digits.length * 4 - (Math.clz32(parseInt(digits[0]!, 16)) - 28);
}
