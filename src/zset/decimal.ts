/**
 * Exact decimals as texts of a fixed scale, `12.50`, which is how rows hold them: no exponent, no plus, no zero too many
 * before the point, no −0. Of one scale, equal numbers are equal texts; their order is that of `decimalOrder`.
 */

/** Digits before the point. */
export const DECIMAL_DIGITS_MAX = 100;
/** Digits behind it. */
export const DECIMAL_SCALE_MAX = 100;

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** A number read from a text: `unscaled` tenths, hundredths, … as many as `scale` says, as few as will do. */
interface Parsed {
  readonly unscaled: bigint;
  readonly scale: number;
}

function parse(text: string): Parsed | null {
  const match = NUMBER.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const digits = (whole + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return { unscaled: 0n, scale: 0 };
  const scale = fraction.length - Number(exponent) - (digits.length - trimmed.length);
  if (trimmed.length > DECIMAL_DIGITS_MAX + DECIMAL_SCALE_MAX || scale < -DECIMAL_DIGITS_MAX) return null;
  const magnitude = BigInt(trimmed) * (scale < 0 ? power(-scale) : 1n);
  return { unscaled: sign === '-' ? -magnitude : magnitude, scale: Math.max(scale, 0) };
}

/**
 * The text of a number at a scale; null where it is none, or has digits that the scale has no place for.
 */
export function decimalText(number: string, scale: number): string | null {
  const parsed = parse(number);
  if (parsed === null || parsed.scale > scale) return null;
  const unscaled = parsed.unscaled * power(scale - parsed.scale);
  return magnitudeOf(unscaled) < power(DECIMAL_DIGITS_MAX + scale) ? textOfUnscaled(unscaled, scale) : null;
}

/** The text of a number at the least scale that holds it; null where it is none. */
export function plainDecimalText(number: string): string | null {
  const parsed = parse(number);
  return parsed === null || parsed.scale > DECIMAL_SCALE_MAX
    ? null
    : textOfUnscaled(parsed.unscaled, parsed.scale);
}

/** Whether a text is one of this scale as rows hold it. */
export function isDecimalText(text: string, scale: number): boolean {
  const sign = text.charCodeAt(0) === MINUS ? 1 : 0;
  const point = scale === 0 ? text.length : text.length - scale - 1;
  const whole = point - sign;
  if (whole < 1 || whole > DECIMAL_DIGITS_MAX || (whole > 1 && text.charCodeAt(sign) === ZERO)) return false;
  if (scale > 0 && text.charCodeAt(point) !== POINT) return false;
  let zero = true;
  for (let index = sign; index < text.length; index++) {
    if (index === point) continue;
    const digit = text.charCodeAt(index);
    if (digit < ZERO || digit > NINE) return false;
    if (digit !== ZERO) zero = false;
  }
  return !(zero && sign === 1);
}

/** A decimal text times ten to the power of its scale. */
export function unscaledOf(text: string): bigint {
  const point = text.indexOf('.');
  return BigInt(point === -1 ? text : text.slice(0, point) + text.slice(point + 1));
}

export function textOfUnscaled(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const digits = String(magnitudeOf(unscaled)).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A quotient as a whole number; halves away from zero, as PostgreSQL rounds. */
export function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  const quotient = magnitudeOf(dividend) / magnitudeOf(divisor);
  const rest = magnitudeOf(dividend) % magnitudeOf(divisor);
  const rounded = rest * 2n >= magnitudeOf(divisor) ? quotient + 1n : quotient;
  return dividend < 0n !== divisor < 0n ? -rounded : rounded;
}

export const scaleOf = (text: string): number => {
  const point = text.indexOf('.');
  return point === -1 ? 0 : text.length - point - 1;
};

export const power = (exponent: number): bigint => 10n ** BigInt(exponent);
const magnitudeOf = (value: bigint): bigint => (value < 0n ? -value : value);

/**
 * A text whose order is that of the numbers, of whatever scales: equal numbers have equal ones.
 *
 *   12.50    1 002 125            not negative, two digits before the point, all digits without the zeros at the end
 *   -12.50   0 997 874 ~          all of it turned round, and an end above all digits
 */
export function decimalOrder(text: string): string {
  const negative = text.charCodeAt(0) === MINUS;
  const point = text.indexOf('.');
  const whole = text.slice(negative ? 1 : 0, point === -1 ? text.length : point).replace(/^0+/, '');
  const digits = (whole + (point === -1 ? '' : text.slice(point + 1))).replace(/0+$/, '');
  const length = String(whole.length).padStart(LENGTH_WIDTH, '0');
  return negative ? `0${complement(length + digits)}~` : `1${length}${digits}`;
}

/** The decimal of that order text, at a scale. */
export function decimalOfOrder(order: string, scale: number): string {
  const negative = order.charCodeAt(0) === ZERO;
  const text = negative ? complement(order.slice(1, -1)) : order.slice(1);
  const length = Number(text.slice(0, LENGTH_WIDTH));
  const digits = text.slice(LENGTH_WIDTH).padEnd(length + scale, '0');
  const sign = negative ? '-' : '';
  const whole = digits.slice(0, length) || '0';
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(length, length + scale)}`;
}

const LENGTH_WIDTH = 3;

function complement(digits: string): string {
  let out = '';
  for (let index = 0; index < digits.length; index++)
    out += String.fromCharCode(ZERO + NINE - digits.charCodeAt(index));
  return out;
}

const ZERO = 48;
const NINE = 57;
const POINT = 46;
const MINUS = 45;
