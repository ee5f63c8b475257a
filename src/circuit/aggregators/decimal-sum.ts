import { power, roundedQuotient, textOfUnscaled, unscaledOf } from '../../zset/decimal.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import type { Codec } from '../operator.js';

/** A sum of whole numbers: one that a double holds exactly as such, any other as a bigint. */
type Whole = number | bigint;

interface Summed {
  count: number;
  sum: Whole;
}

/** Up to so many characters, sign and point included, the digits of a decimal are a safe integer. */
const SAFE_LENGTH = 15;

const codec: Codec<Summed> = {
  encode: ({ count, sum }) => `[${count},${typeof sum === 'number' ? sum : `"${sum}"`}]`,
  decode: (text) => revive(JSON.parse(text)),
};

const revive = ([count, sum]: [number, number | string]): Summed => ({
  count,
  sum: typeof sum === 'number' ? sum : BigInt(sum),
});

function plus(sum: Whole, text: string, scale: number, weight: number): Whole {
  if (typeof sum === 'number' && text.length <= SAFE_LENGTH) {
    const unscaled = scale === 0 ? Number(text) : Number(text.slice(0, -scale - 1) + text.slice(-scale));
    const next = sum + unscaled * weight;
    if (Number.isSafeInteger(next)) return next;
  }
  return BigInt(sum) + unscaledOf(text) * BigInt(weight);
}

/** One form for one sum. */
const settled = (sum: Whole): Whole => {
  if (typeof sum === 'number') return sum + 0;
  const number = Number(sum);
  return Number.isSafeInteger(number) ? number : sum;
};

/** `sum(column)`, `sumIf(column, test)` of decimals: exact, at their scale. Null over no values. */
export function decimalSum(
  value: (row: Row) => Value,
  scale: number,
  test?: (row: Row) => Value,
): Aggregator<Summed> {
  return {
    initial: () => ({ count: 0, sum: 0 }),
    fold(summed, row, weight) {
      if (test !== undefined && test(row) !== true) return summed;
      const decimal = value(row);
      if (decimal === null) return summed;
      summed.count += weight;
      summed.sum = plus(summed.sum, decimal as string, scale, weight);
      return summed;
    },
    settle(summed) {
      summed.sum = settled(summed.sum);
      return summed;
    },
    merge(into, other) {
      into.count += other.count;
      into.sum = BigInt(into.sum) + BigInt(other.sum);
      return into;
    },
    result: ({ count, sum }) => (count === 0 ? null : textOfUnscaled(BigInt(sum), scale)),
    codec,
    revive,
  };
}

/** Digits behind the point that an average has more than its values. */
export const AVERAGE_DIGITS = 6;

/** `avg(column)` of decimals: the exact sum divided by the number of values, rounded once, halves away from zero. */
export function decimalAvg(value: (row: Row) => Value, scale: number): Aggregator<Summed> {
  return {
    ...decimalSum(value, scale),
    result: ({ count, sum }) =>
      count === 0
        ? null
        : textOfUnscaled(
            roundedQuotient(BigInt(sum) * power(AVERAGE_DIGITS), BigInt(count)),
            scale + AVERAGE_DIGITS,
          ),
  };
}
