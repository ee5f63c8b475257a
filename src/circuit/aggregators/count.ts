import type { Row, Value } from '../../zset/value.js';
import type { Codec } from '../operator.js';
import type { Aggregator } from '../aggregator.js';

const integer: Codec<number> = { encode: String, decode: Number };

/** `count()`: the group's rows. */
export const countRows: Aggregator<number> = {
  initial: () => 0,
  fold: (count, _row, weight) => count + weight,
  result: (count) => count,
  merge: (into, other) => into + other,
  codec: integer,
  revive: (stored) => stored,
};

/** `count(column)`: the rows with a value there. */
export const countValues = (value: (row: Row) => Value): Aggregator<number> => ({
  ...countRows,
  fold: (count, row, weight) => (value(row) === null ? count : count + weight),
});

/** `countIf(test)`: the rows for which a condition holds, given as a column that says so. */
export const countIf = (test: (row: Row) => Value): Aggregator<number> => ({
  ...countRows,
  fold: (count, row, weight) => (test(row) === true ? count + weight : count),
});
