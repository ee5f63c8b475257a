import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';

/** How many values are true, of how many; the rest of what three-valued logic asks follows. */
interface Truths {
  values: number;
  trues: number;
}

const revive = ([values, trues]: [number, number]): Truths => ({ values, trues });

/**
 * `every(column)`, `some(column)`: whether all values, or any, are true. Nulls are left out; null over nothing but
 * nulls. Of a test every row has a value.
 */
function truths(value: (row: Row) => Value, result: (truths: Truths) => boolean): Aggregator<Truths> {
  return {
    initial: () => ({ values: 0, trues: 0 }),
    fold(truths, row, weight) {
      const held = value(row);
      if (held === null) return truths;
      truths.values += weight;
      if (held === true) truths.trues += weight;
      return truths;
    },
    result: (truths) => (truths.values === 0 ? null : result(truths)),
    merge(into, { values, trues }) {
      into.values += values;
      into.trues += trues;
      return into;
    },
    codec: {
      encode: ({ values, trues }) => `[${values},${trues}]`,
      decode: (text) => revive(JSON.parse(text)),
    },
    revive,
  };
}

export const every = (value: (row: Row) => Value): Aggregator<Truths> =>
  truths(value, ({ values, trues }) => trues === values);

export const some = (value: (row: Row) => Value): Aggregator<Truths> =>
  truths(value, ({ trues }) => trues > 0);
