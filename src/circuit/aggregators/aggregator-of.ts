import { assert } from '../../assert.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator, AggregatorInput, AggregatorOptions } from '../aggregator.js';
import { approxContains, filterSize } from './approx-contains.js';
import { approxCountDistinct } from './approx-count-distinct.js';
import { approxPercentile } from './approx-percentile.js';
import { approxTopK } from './approx-top-k.js';
import { collect, collectDistinct, joinText, type Listed } from './collect.js';
import { countIf, countRows, countValues } from './count.js';
import { countDistinct } from './count-distinct.js';
import { every, some } from './every-some.js';
import { chosenOfAppended, extremeMember, extremeOfAppended } from './extreme.js';
import { bucketsBetween, bucketsOfWidth, histogram, type Buckets } from './histogram.js';
import {
  memberBy,
  memberByDescending,
  memberOfValue,
  valueBehindDescending,
  valueBehindOrder,
  valueOfMember,
} from './member-text.js';
import { percentile } from './percentile.js';
import { avg, sum, sumOfPresent } from './sum.js';
import { topK } from './top-k.js';
import { variance } from './variance.js';

/** The aggregators by the names that view authors write. */
export const aggregatorsByKind = {
  count: ({ value, present }: AggregatorInput): Aggregator =>
    value === null || present ? countRows : countValues(value),
  countIf: ({ test }: AggregatorInput): Aggregator => countIf(given(test)),
  sum: ({ value, present }: AggregatorInput): Aggregator =>
    present ? sumOfPresent(given(value)) : sum(given(value)),
  sumIf: ({ value, test }: AggregatorInput): Aggregator => sum(given(value), given(test)),
  avg: ({ value }: AggregatorInput): Aggregator => avg(given(value)),
  min: (input: AggregatorInput): Aggregator => extreme(input, 'least'),
  max: (input: AggregatorInput): Aggregator => extreme(input, 'greatest'),
  first: (input: AggregatorInput): Aggregator => chosen(input, 'least', input.inLogOrder),
  last: (input: AggregatorInput): Aggregator => chosen(input, 'greatest', input.inLogOrder),
  minBy: (input: AggregatorInput): Aggregator => chosen(input, 'least', false),
  maxBy: (input: AggregatorInput): Aggregator => chosen(input, 'greatest', false),
  countDistinct: ({ value, members, appendOnly }: AggregatorInput): Aggregator =>
    countDistinct({ value: given(value), members: members(), appendOnly }),
  variance: ({ value, options }: AggregatorInput): Aggregator =>
    variance(given(value), { population: options.population === true, root: false }),
  stddev: ({ value, options }: AggregatorInput): Aggregator =>
    variance(given(value), { population: options.population === true, root: true }),
  every: (input: AggregatorInput): Aggregator => every(truthOf(input)),
  some: (input: AggregatorInput): Aggregator => some(truthOf(input)),
  histogram: ({ value, options }: AggregatorInput): Aggregator => histogram(given(value), bucketsOf(options)),
  median: (input: AggregatorInput): Aggregator => rank(input, 0.5),
  percentile: (input: AggregatorInput): Aggregator => rank(input, given(input.options.p)),
  topK: ({ value, options, members }: AggregatorInput): Aggregator =>
    topK({
      value: given(value),
      k: given(options.k),
      end: options.order === 'asc' ? 'least' : 'greatest',
      members: members(),
    }),
  collect: (input: AggregatorInput): Aggregator => collect(listed(input)),
  collectDistinct: (input: AggregatorInput): Aggregator => collectDistinct(listed(input)),
  joinText: (input: AggregatorInput): Aggregator => joinText(listed(input), given(input.options.separator)),
  approxCountDistinct: ({ value, options }: AggregatorInput): Aggregator =>
    approxCountDistinct(given(value), given(options.error)),
  approxPercentile: ({ value, options: { p, error }, appendOnly }: AggregatorInput): Aggregator =>
    approxPercentile({ value: given(value), p: given(p), error: given(error), appendOnly }),
  approxTopK: ({ value, options: { k, error } }: AggregatorInput): Aggregator =>
    approxTopK({ value: given(value), k: given(k), error: given(error) }),
  approxContains: ({ value, options: { expected, error } }: AggregatorInput): Aggregator =>
    approxContains(given(value), filterSize({ expected: given(expected), error: given(error) })),
};

const rank = ({ value, options, members }: AggregatorInput, p: number): Aggregator =>
  percentile({ value: given(value), p, discrete: options.discrete === true, members: members() });

const listed = ({ value, by, options, members }: AggregatorInput): Listed => ({
  value: given(value),
  by,
  descending: options.order === 'desc',
  members: members(),
});

/** A column of booleans, or a test. */
const truthOf = ({ value, test }: AggregatorInput): ((row: Row) => Value) =>
  test === null ? given(value) : (row) => test(row) === true;

function bucketsOf({ bounds, width, from, to }: AggregatorOptions): Buckets {
  return bounds === undefined
    ? bucketsOfWidth({ width: given(width), from: from ?? null, to: to ?? null })
    : bucketsBetween(bounds);
}

function extreme(input: AggregatorInput, end: 'least' | 'greatest'): Aggregator {
  const { appendOnly, members } = input;
  const value = given(input.value);
  if (appendOnly) return extremeOfAppended(value, end);
  const memberOf = (row: Row): string | null => {
    const held = value(row);
    return held === null ? null : memberOfValue(held);
  };
  return extremeMember({ members: members(), memberOf, end, valueOf: valueOfMember });
}

function chosen(input: AggregatorInput, end: 'least' | 'greatest', inLogOrder: boolean): Aggregator {
  const { by, appendOnly, members } = input;
  const value = given(input.value);
  if (appendOnly) return chosenOfAppended({ value, by, end, inLogOrder });
  const compared = given(by);
  const member = end === 'least' ? memberBy : memberByDescending;
  const memberOf = (row: Row): string | null => {
    const held = compared(row);
    return held === null ? null : member(held, value(row));
  };
  return extremeMember({
    members: members(),
    memberOf,
    end: 'least',
    valueOf: end === 'least' ? valueBehindOrder : valueBehindDescending,
  });
}

function given<T>(part: T | null | undefined): T {
  assert(
    part !== null && part !== undefined,
    'An aggregate lacks a column or an option that it needs: its declaration should have been refused.',
  );
  return part;
}
