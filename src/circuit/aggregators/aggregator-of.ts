import { assert } from '../../assert.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator, AggregatorInput } from '../aggregator.js';
import { collect } from './collect.js';
import { countIf, countRows, countValues } from './count.js';
import { countDistinct } from './count-distinct.js';
import { chosenOfAppended, extremeMember, extremeOfAppended } from './extreme.js';
import {
  memberBy,
  memberByDescending,
  memberOfValue,
  valueBehindDescending,
  valueBehindOrder,
  valueOfMember,
} from './member-text.js';
import { avg, sum, sumOfPresent } from './sum.js';

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
  countDistinct: ({ value, members }: AggregatorInput): Aggregator => countDistinct(given(value), members()),
  collect: ({ value, by, descending, members }: AggregatorInput): Aggregator =>
    collect({ value: given(value), by, descending, members: members() }),
};

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

function given(read: ((row: Row) => Value) | null): (row: Row) => Value {
  assert(
    read !== null,
    'An aggregate lacks a column it takes, compares or tests: its declaration should have been refused.',
  );
  return read;
}
