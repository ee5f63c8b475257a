import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import {
  binaryOf,
  mantissaAt,
  nearestQuotient,
  nearestRoot,
  sumOfBinaries,
  type Binary,
} from './exact-ratio.js';
import {
  exactAdd,
  exactBinary,
  exactCanonical,
  exactMerge,
  exactRevived,
  exactStored,
  parseBig36,
  upperHalf,
  type ExactSum,
} from './exact-sum.js';

/** The exact sums that a variance follows from. */
interface Moments {
  count: number;
  sum: ExactSum;
  /** Of the squares of tame values. */
  squares: ExactSum;
  /** Of the squares of the others, times 2^2148: the inverse of the square of the least double. */
  wild: bigint;
}

/** Squares of values between these are two doubles exactly: their product, and what its rounding loses. */
const TAME_MIN = 2 ** -460;
const TAME_MAX = 2 ** 500;
const WILD_EXPONENT = -2148;

/**
 * `variance(column)`, `stddev(column)`: of the values that are not null, from the exact sums x and x², rounded once.
 *
 *   sample       (n · Σx² − (Σx)²) / (n · (n − 1))      null of fewer than two values
 *   population   (n · Σx² − (Σx)²) / n²                 null of none
 *
 * Nothing cancels, however far from 0 the values lie. Null also where no double holds the result.
 */
export function variance(
  value: (row: Row) => Value,
  options: { population: boolean; root: boolean },
): Aggregator<Moments> {
  const { population } = options;
  const rounded = options.root ? nearestRoot : nearestQuotient;
  return {
    initial: () => ({ count: 0, sum: 0, squares: 0, wild: 0n }),
    fold(moments, row, weight) {
      const number = value(row) as number | null;
      if (number === null) return moments;
      moments.count += weight;
      moments.sum = exactAdd(moments.sum, number, weight);
      addSquare(moments, number, weight);
      return moments;
    },
    settle(moments) {
      moments.sum = exactCanonical(moments.sum);
      moments.squares = exactCanonical(moments.squares);
      return moments;
    },
    result(moments) {
      const { count } = moments;
      if (count < (population ? 1 : 2)) return null;
      const quick = quickSpread(moments);
      const divisor = count * (population ? count : count - 1);
      if (quick !== null && Number.isSafeInteger(divisor)) {
        if (!options.root) return quick / divisor;
        if (quick % divisor === 0) return Math.sqrt(quick / divisor);
      }
      return rounded(spread(moments), BigInt(count) * BigInt(population ? count : count - 1));
    },
    merge(into, other) {
      into.count += other.count;
      into.sum = exactMerge(into.sum, other.sum);
      into.squares = exactMerge(into.squares, other.squares);
      into.wild += other.wild;
      return into;
    },
    codec: {
      encode: ({ count, sum, squares, wild }) =>
        JSON.stringify([
          count,
          exactStored(sum),
          exactStored(squares),
          ...(wild === 0n ? [] : [wild.toString(36)]),
        ]),
      decode: (text) => revive(JSON.parse(text)),
    },
    revive,
  };
}

type Stored = number | number[] | string;

const revive = ([count, sum, squares, wild]: [number, Stored, Stored, string?]): Moments => ({
  count,
  sum: exactRevived(sum),
  squares: exactRevived(squares),
  wild: wild === undefined ? 0n : parseBig36(wild),
});

function addSquare(moments: Moments, value: number, times: number): void {
  const size = Math.abs(value);
  if (size !== 0 && (size < TAME_MIN || size > TAME_MAX)) {
    const { mantissa, exponent } = binaryOf(value);
    moments.wild += (mantissa * mantissa * BigInt(times)) << BigInt(2 * exponent - WILD_EXPONENT);
    return;
  }
  const square = value * value;
  moments.squares = exactAdd(moments.squares, square, times);
  if (square <= Number.MAX_SAFE_INTEGER && Number.isInteger(value)) return;
  // T. Dekker's product: what rounding has taken from the square.
  const high = upperHalf(value);
  const low = value - high;
  const lost = high * high - square + 2 * high * low + low * low;
  if (lost !== 0) moments.squares = exactAdd(moments.squares, lost, times);
}

/** n · Σx² − (Σx)², where doubles hold every step of it; mostly so for a group of whole numbers. */
function quickSpread({ count, sum, squares, wild }: Moments): number | null {
  if (typeof sum !== 'number' || typeof squares !== 'number' || wild !== 0n) return null;
  const scaled = count * squares;
  const square = sum * sum;
  return [sum, squares, scaled, square].every(Number.isSafeInteger) ? scaled - square : null;
}

/** The same of any values. */
function spread({ count, sum, squares, wild }: Moments): Binary {
  const total = sumOfBinaries([exactBinary(sum)]);
  const tame = exactBinary(squares);
  const all = sumOfBinaries([tame, { mantissa: wild, exponent: WILD_EXPONENT }]);
  const square = { mantissa: total.mantissa * total.mantissa, exponent: 2 * total.exponent };
  const exponent = Math.min(all.exponent, square.exponent);
  return {
    mantissa: BigInt(count) * mantissaAt(all, exponent) - mantissaAt(square, exponent),
    exponent,
  };
}
