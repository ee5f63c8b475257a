import { z } from 'zod';
import {
  DECIMAL_DIGITS_MAX,
  DECIMAL_SCALE_MAX,
  decimalText,
  plainDecimalText,
  power,
  roundedQuotient,
  scaleOf,
  textOfUnscaled,
  unscaledOf,
} from '../zset/decimal.js';

/** An exact number as text: `'12.50'`. */
export type Decimal = `${number}`;

/**
 * An exact decimal number with `scale` digits behind the point. Takes text (`'12.5'`, `'-3'`, `'1.25e2'`) or a number, and
 * gives text of that scale, `'12.50'`; what has more digits than the scale, other than zeros, is refused, never rounded.
 * A number is taken for what JavaScript writes for it: 0.1 is 0.1.
 */
export function decimal(
  scale: number,
): z.ZodPipe<z.ZodTransform<Decimal, string | number>, z.ZodType<Decimal, Decimal>> {
  const text = z.string().meta({ format: 'decimal' });
  const out = Object.defineProperty(text, DECIMAL, { value: scale });
  const fromAnything = z.transform((value: string | number, context) => {
    const given = typeof value === 'number' ? textOfNumber(value) : typeof value === 'string' ? value : '';
    const fitting = given === null ? null : decimalText(given, scale);
    if (fitting !== null) return fitting;
    context.issues.push({ code: 'custom', input: value, message: problemOf(given, scale) });
    return z.NEVER;
  });
  return z.pipe(fromAnything, out) as never;
}

/** Registered, so that a schema made by another copy of this module is still known for what it is. */
const DECIMAL = Symbol.for('stillwater.decimal');

/** The scale of a schema that `decimal` made; null for any other. */
export const decimalScale = (schema: object): number | null =>
  DECIMAL in schema ? (schema[DECIMAL] as number) : null;

/** Whole numbers beyond 2^53 may have been rounded before they came here. */
const textOfNumber = (value: number): string | null =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? String(value) : null;

function problemOf(given: string | null, scale: number): string {
  if (given === null)
    return 'Invalid decimal: a number that is infinite or beyond 2^53, and may have been rounded: send it as text';
  const plain = plainDecimalText(given);
  if (plain === null)
    return `Invalid decimal: expected a number, as text ('12.50') or as it is, of at most ${DECIMAL_DIGITS_MAX} digits before the point`;
  return scaleOf(plain) > scale
    ? `Invalid decimal: ${plain.slice(0, 40)} has ${scaleOf(plain)} digits behind the point, and there is place for ${scale}`
    : `Invalid decimal: more than ${DECIMAL_DIGITS_MAX} digits before the point`;
}

/** Whether a scale is one: a declaration that says another is refused with all that is wrong with it. */
export const isScale = (scale: number): boolean =>
  Number.isInteger(scale) && scale >= 0 && scale <= DECIMAL_SCALE_MAX;

/**
 * Exact arithmetic for functions of views: `computed(decimal(2), (row) => Decimal.round(Decimal.mul(row.price, row.rate), 2))`.
 * Numbers are taken for what JavaScript writes for them.
 */
export const Decimal = Object.freeze({
  /** With as many digits behind the point as the longer of the two. */
  add: (left: Decimal | number, right: Decimal | number): Decimal => aligned(left, right, (a, b) => a + b),
  sub: (left: Decimal | number, right: Decimal | number): Decimal => aligned(left, right, (a, b) => a - b),
  /** With as many digits behind the point as both have together. */
  mul(left: Decimal | number, right: Decimal | number): Decimal {
    const [a, b] = [plain(left), plain(right)];
    return textOfUnscaled(unscaledOf(a) * unscaledOf(b), scaleOf(a) + scaleOf(b)) as Decimal;
  },
  /** Halves away from zero. */
  round(value: Decimal | number, scale: number): Decimal {
    const text = plain(value);
    const more = scaleOf(text) - scale;
    const unscaled = unscaledOf(text);
    return textOfUnscaled(
      more > 0 ? roundedQuotient(unscaled, power(more)) : unscaled * power(-more),
      scale,
    ) as Decimal;
  },
  /** Below 0, 0 or above 0: less, equal or greater. */
  compare(left: Decimal | number, right: Decimal | number): number {
    const [a, b] = scaled(left, right);
    return a < b ? -1 : a > b ? 1 : 0;
  },
});

function plain(value: Decimal | number): string {
  const text = typeof value === 'number' ? textOfNumber(value) : value;
  // The digits that stand there, zeros at the end as well, decide the scale of the result.
  const found = text === null ? null : (decimalText(text, writtenScale(text)) ?? plainDecimalText(text));
  if (found === null) throw new RangeError(`${String(value).slice(0, 80)} is not a decimal number.`);
  return found;
}

const writtenScale = (text: string): number =>
  /[eE]/.test(text) ? 0 : Math.min(scaleOf(text), DECIMAL_SCALE_MAX);

function scaled(left: Decimal | number, right: Decimal | number): [bigint, bigint, number] {
  const [a, b] = [plain(left), plain(right)];
  const scale = Math.max(scaleOf(a), scaleOf(b));
  return [unscaledOf(a) * power(scale - scaleOf(a)), unscaledOf(b) * power(scale - scaleOf(b)), scale];
}

function aligned(
  left: Decimal | number,
  right: Decimal | number,
  of: (left: bigint, right: bigint) => bigint,
): Decimal {
  const [a, b, scale] = scaled(left, right);
  return textOfUnscaled(of(a, b), scale) as Decimal;
}
