import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import type { Codec } from '../operator.js';
import {
  exactAdd,
  exactCanonical,
  exactMerge,
  exactQuotient,
  exactRevived,
  exactRounded,
  exactStored,
  type ExactSum,
} from './exact-sum.js';

/** An exact sum and how many values it is of: no values have no sum, as against values whose sum is 0. */
interface Summed {
  count: number;
  sum: ExactSum;
}

const codec: Codec<Summed> = {
  encode: ({ count, sum }) =>
    '[' + count + ',' + (typeof sum === 'number' ? sum : JSON.stringify(exactStored(sum))) + ']',
  decode: (text) => revive(JSON.parse(text)),
};

const revive = ([count, sum]: [number, number | number[] | string]): Summed => ({
  count,
  sum: exactRevived(sum),
});

const settle = (summed: Summed): Summed => {
  if (typeof summed.sum !== 'number') summed.sum = exactCanonical(summed.sum);
  return summed;
};

/**
 * `sum(column)`, `sumIf(column, test)`: exact inside, rounded once when shown. Null over no values, and where no
 * double holds the sum.
 */
export function sum(value: (row: Row) => Value, test?: (row: Row) => Value): Aggregator<Summed> {
  return {
    initial: () => ({ count: 0, sum: 0 }),
    fold(summed, row, weight) {
      if (test !== undefined && test(row) !== true) return summed;
      const number = value(row);
      if (number === null) return summed;
      summed.count += weight;
      summed.sum = exactAdd(summed.sum, number as number, weight);
      return summed;
    },
    settle,
    result: ({ count, sum }) => (count === 0 ? null : exactRounded(sum)),
    merge(into, other) {
      into.count += other.count;
      into.sum = exactMerge(into.sum, other.sum);
      return into;
    },
    codec,
    revive,
  };
}

/**
 * The same of a column that is never null: a group has rows, so it has values, and their number is not needed. Kept
 * without a wrapper, for this is the aggregate that most is asked of.
 */
export function sumOfPresent(value: (row: Row) => Value): Aggregator<ExactSum> {
  return {
    initial: () => 0,
    fold: (sum, row, weight) => exactAdd(sum, value(row) as number, weight),
    settle: (sum) => (typeof sum === 'number' ? sum : exactCanonical(sum)),
    result: exactRounded,
    merge: exactMerge,
    codec: {
      encode: (sum) => (typeof sum === 'number' ? String(sum) : JSON.stringify(exactStored(sum))),
      decode: (text) => exactRevived(JSON.parse(text)),
    },
    revive: exactRevived,
  };
}

/**
 * `avg(column)`: the exact sum divided by the number of values, rounded once, to the nearest double. A sum that no
 * double holds still has its average.
 */
export function avg(value: (row: Row) => Value): Aggregator<Summed> {
  return { ...sum(value), result: ({ count, sum }) => (count === 0 ? null : exactQuotient(sum, count)) };
}
