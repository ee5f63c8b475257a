import { binaryOf, LEAST, mantissaAt, nearestQuotient, sumOfBinaries, type Binary } from './exact-ratio.js';

/**
 * Sums of doubles without any error: adding and then removing values leaves exactly what was there, in any order.
 *
 *   number      the sum, where a double holds it exactly
 *   number[]    numbers whose exact sum it is. In canonical form the last is the sum rounded, the one before it what
 *               that leaves out, rounded, and so on: 0.1 + 0.2 is [-2.7755575615628914e-17, 0.30000000000000004]
 *   bigint      the sum times 2^1074 (the inverse of the least double), where it is greater than all doubles
 *
 * The canonical form is a function of the sum's value alone. While values are being added the list is in another
 * form (partial sums that do not overlap, least first, as in J. Shewchuk's and R. Hettinger's algorithms), because that
 * one is cheap to add to: `exactAdd` gives and takes either, `exactCanonical` must come before storing and showing.
 */
export type ExactSum = number | number[] | bigint;

/** The sum plus `times` × `value`. A list may be changed in place. */
export function exactAdd(sum: ExactSum, value: number, times: number): ExactSum {
  if (typeof sum === 'number') {
    const term = times === 1 ? value : times === -1 ? -value : NaN;
    const total = sum + term;
    const part = total - sum;
    // What rounding lost of the sum and of the value (D. Knuth's two-sum); NaN where anything overflowed.
    if (sum - (total - part) + (term - part) === 0) return total + 0;
  }
  return addSlowly(sum, value, times);
}

function addSlowly(sum: ExactSum, value: number, times: number): ExactSum {
  if (typeof sum === 'bigint') return sum + scaled(value) * BigInt(times);
  const partials = typeof sum === 'number' ? (sum === 0 ? [] : [sum]) : sum;
  const count = Math.abs(times);
  const before = count === 1 ? partials : partials.slice();
  // A multiple by a power of two is exact, and every count is a sum of such powers.
  let power = times < 0 ? -value : value;
  for (let left = count; left > 0; left = Math.floor(left / 2), power *= 2)
    if (left % 2 === 1 && !grow(partials, power)) return exactBig(before) + scaled(value) * BigInt(times);
  return partials;
}

/** Adds one double to partial sums that do not overlap, least first. False, and nothing is changed, if a partial sum overflows. */
function grow(partials: number[], value: number): boolean {
  const greatest = partials.length === 0 ? 0 : partials[partials.length - 1]!;
  if (Math.abs(value) + 2 * Math.abs(greatest) < Number.MAX_VALUE) {
    growWithin(partials, value);
    return true;
  }
  const grown = partials.slice();
  growWithin(grown, value);
  // What rounding lost may overflow too, where the sum itself does not.
  if (!grown.every(Number.isFinite)) return false;
  partials.splice(0, partials.length, ...grown);
  return true;
}

function growWithin(partials: number[], value: number): void {
  let carry = value;
  let size = 0;
  for (let index = 0; index < partials.length; index++) {
    const partial = partials[index]!;
    const total = carry + partial;
    const part = total - carry;
    const lost = carry - (total - part) + (partial - part);
    if (lost !== 0) partials[size++] = lost;
    carry = total;
  }
  partials.length = size;
  if (carry !== 0) partials.push(carry);
}

/** Both sums together. The first may be changed in place; the second stays. */
export function exactMerge(sum: ExactSum, other: ExactSum): ExactSum {
  if (typeof other === 'number') return exactAdd(sum, other, 1);
  if (typeof other !== 'bigint')
    return other.reduce<ExactSum>((total, part) => exactAdd(total, part, 1), sum);
  return exactBig(sum) + other;
}

/** The one form that a sum's value has. */
export function exactCanonical(sum: ExactSum): ExactSum {
  if (typeof sum === 'number') return sum + 0;
  if (typeof sum === 'bigint') return fromBig(sum);
  // Two parts of which the lesser is nothing to the greater: mostly so, and canonical already.
  if (sum.length === 2 && sum[0]! + sum[1]! === sum[1]!) return sum;
  const rest = sum.slice();
  const parts: number[] = [];
  while (rest.length > 0) {
    const rounded = roundPartials(rest);
    parts.push(rounded);
    if (!Number.isFinite(rounded) || !grow(rest, -rounded)) return fromBig(exactBig(sum));
  }
  return fromParts(parts);
}

/** From the greatest part to the least, each the rounded rest. */
function fromParts(parts: number[]): ExactSum {
  if (parts.length > 1) return parts.reverse();
  return parts.length === 0 ? 0 : parts[0]!;
}

/** The sum as the nearest double, of a canonical sum; null where it is greater than all doubles. */
export function exactRounded(sum: ExactSum): number | null {
  if (typeof sum === 'number') return sum;
  return typeof sum === 'bigint' ? null : sum[sum.length - 1]!;
}

/** A canonical sum divided by a count, as the nearest double (ties to even). */
export function exactQuotient(sum: ExactSum, count: number): number | null {
  if (typeof sum === 'number') return sum / count + 0;
  const quick = typeof sum === 'object' && sum.length === 2 ? quickQuotient(sum[1]!, sum[0]!, count) : null;
  return quick ?? nearestQuotient(exactBinary(sum), BigInt(count));
}

/**
 * (`high` + `low`) / `count` rounded to nearest, or null where that is too close to half way between two doubles to be
 * sure: the quotient of `high`, corrected by what division has left over, which T. Dekker's product says exactly.
 */
function quickQuotient(high: number, low: number, count: number): number | null {
  const size = Math.abs(high);
  if (!(size > 1e-250 && size < 1e250)) return null;
  const quotient = high / count;
  const product = quotient * count;
  const left = upperHalf(quotient);
  const right = upperHalf(count);
  const lost =
    left * right -
    product +
    left * (count - right) +
    (quotient - left) * right +
    (quotient - left) * (count - right);
  const correction = (high - product - lost + low) / count;
  const least = quotient + correction * (1 - 2 ** -50);
  return least === quotient + correction * (1 + 2 ** -50) ? least : null;
}

/** The upper 26 bits of a double's 53 (G. Veltkamp). */
export function upperHalf(value: number): number {
  const scaled = 134217729 * value;
  return scaled - (scaled - value);
}

/** As it is stored: a number, a list, or a text for what no double can say. */
export const exactStored = (sum: ExactSum): number | number[] | string =>
  typeof sum === 'bigint' ? sum.toString(36) : sum;

export function exactRevived(stored: number | number[] | string): ExactSum {
  return typeof stored === 'string' ? parseBig36(stored) : stored;
}

/** The sum as nearest double of partials that do not overlap, least first: rounded once, half to even. */
function roundPartials(partials: readonly number[]): number {
  let index = partials.length - 1;
  let high = partials[index]!;
  let low = 0;
  while (index > 0) {
    const before = high;
    const next = partials[--index]!;
    high = before + next;
    low = next - (high - before);
    if (low !== 0) break;
  }
  // Exactly half way, as far as these two say; what lies below decides.
  if (index > 0 && low < 0 === partials[index - 1]! < 0) {
    const twice = low * 2;
    const moved = high + twice;
    if (twice === moved - high) high = moved;
  }
  return high;
}

// ---- beyond the doubles

/** The same sum as an integer and a power of two, for arithmetic without rounding. */
export function exactBinary(sum: ExactSum): Binary {
  if (typeof sum === 'bigint') return { mantissa: sum, exponent: LEAST };
  return typeof sum === 'number' ? binaryOf(sum) : sumOfBinaries(sum.map(binaryOf));
}

const exactBig = (sum: ExactSum): bigint => mantissaAt(exactBinary(sum), LEAST);

/** A finite double times 2^1074. */
const scaled = (value: number): bigint => mantissaAt(binaryOf(value), LEAST);

function fromBig(big: bigint): ExactSum {
  const parts: number[] = [];
  let rest = big;
  while (rest !== 0n) {
    const rounded = nearestQuotient({ mantissa: rest, exponent: LEAST }, 1n);
    if (rounded === null) return big;
    parts.push(rounded);
    rest -= scaled(rounded);
  }
  return fromParts(parts);
}

export function parseBig36(text: string): bigint {
  const negative = text.startsWith('-');
  let value = 0n;
  for (const digit of negative ? text.slice(1) : text) value = value * 36n + BigInt(parseInt(digit, 36));
  return negative ? -value : value;
}
