import { compareText } from '../zset/text-order.js';
import { aggregateFacts } from './aggregate-facts.js';
import { takesWholeRow } from './aggregate-input.js';
import type { AggregateSpec } from './aggregate-spec.js';
import { describeExpression, describeFunction, describeNamed } from './describe-expression.js';
import { expressionText, namedText, shortSource } from './expression-text.js';
import { all, NO_PATHS, ofExpression, ofFunction, type Paths } from './paths.js';
import type { AggregateNode } from './plan.js';

/** What rows are grouped by and what is asked of the groups; also where they are folded in parts. */
type Groups = Pick<AggregateNode, 'by' | 'aggregates' | 'key'>;

/** What groups and their results are made of. */
export function readByGroups({ by: grouped, aggregates }: Groups): Paths {
  if (aggregates.some(({ aggregate: spec }) => takesWholeRow(spec))) return null;
  const parts = aggregates.flatMap(({ aggregate: { value, by, test } }) => [
    ofExpression(value),
    ofExpression(by),
    test === null ? NO_PATHS : ofFunction(test),
  ]);
  return all([...grouped.map(({ value }) => ofExpression(value)), ...parts]);
}

export const describeGroups = ({ by, aggregates, key }: Groups): object => ({
  by: by.map(describeNamed),
  aggregates: aggregates.map(({ name, aggregate: spec }) => [name, describeSpec(spec)]),
  ...(key && { key }),
});

/** `by buyer: n = count()`. */
export const groupsText = ({ by, aggregates }: Groups): string =>
  `${by.length > 0 ? `by ${by.map(namedText).join(', ')}` : 'over all rows'}: ` +
  aggregates.map(({ name, aggregate: spec }) => `${name} = ${specText(spec)}`).join(', ');

const describeSpec = ({ kind, value, by, test, options }: AggregateSpec): object => ({
  kind,
  value: describeExpression(value),
  by: describeExpression(by),
  test: test && describeFunction(test),
  options: Object.entries(options).sort(([left], [right]) => compareText(left, right)),
  storedForm: aggregateFacts[kind].storedForm,
});

function specText({ kind, value, by, test, options }: AggregateSpec): string {
  const parts = [
    value && expressionText(value),
    by && `by ${expressionText(by)}`,
    test && shortSource(test.source),
    ...Object.entries(options).map(([name, given]) => `${name} ${JSON.stringify(given)}`),
  ].filter(Boolean);
  return `${kind}(${parts.join(', ')})`;
}
