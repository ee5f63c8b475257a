import type { Aggregator } from '../../circuit/aggregator.js';
import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import type { Keyed, Ordered } from '../../circuit/operator.js';
import {
  Aggregate,
  type AggregateOptions,
  type Group,
  groupCodec,
} from '../../circuit/operators/aggregate.js';
import { keyTextOf } from '../../zset/row-key.js';
import { compareText } from '../../zset/text-order.js';
import { aggregateFacts, keepsLessOfAppended, keptOf } from '../aggregate-facts.js';
import { aggregatorOfSpec } from '../aggregator-of-spec.js';
import { aggregateInput, takesWholeRow } from '../aggregate-input.js';
import { holdsOnlyStrings } from '../column.js';
import type { AggregateSpec } from '../aggregate-spec.js';
import type { PlanCompiler } from '../compile-plan.js';
import { describeExpression, describeFunction, describeNamed } from '../describe-expression.js';
import { expressionText, namedText, shortSource } from '../expression-text.js';
import { frozenBy } from '../freezing.js';
import { frozenOptions, groupKey } from '../frozen-aggregate.js';
import type { Explained, Growth, NodeKind } from '../node-kind.js';
import { all, NO_PATHS, ofExpression, ofFunction } from '../paths.js';
import type { AggregateNode } from '../plan.js';

export const aggregate: NodeKind<AggregateNode> = {
  inputs: (node) => [node.input],
  reads(node) {
    if (node.aggregates.some(({ aggregate: spec }) => takesWholeRow(spec))) return [null];
    const parts = node.aggregates.flatMap(({ aggregate: { value, by, test } }) => [
      ofExpression(value),
      ofExpression(by),
      test === null ? NO_PATHS : ofFunction(test),
    ]);
    return [all([...node.by.map(({ value }) => ofExpression(value)), ...parts])];
  },
  describe: (node) => ({
    by: node.by.map(describeNamed),
    aggregates: node.aggregates.map(({ name, aggregate: spec }) => [name, describeSpec(spec)]),
    ...(node.key && { key: node.key }),
  }),
  explain,
  compile: (node, compiler) => aggregateVertex(node, compiler),
};

const describeSpec = ({ kind, value, by, test, options }: AggregateSpec): object => ({
  kind,
  value: describeExpression(value),
  by: describeExpression(by),
  test: test && describeFunction(test),
  options: Object.entries(options).sort(([left], [right]) => compareText(left, right)),
});

/** The vertex of an aggregate, which gives its results on every change, or once when they are final. */
export function aggregateVertex(node: AggregateNode, compiler: PlanCompiler, final = false): number {
  const { vertex: input, by, parts } = aggregateInput(node, compiler);
  const { relation } = node.input;
  const wholeGroups = retractsWholeGroups(node);
  const members: Ordered[] = [];
  const aggregators = parts.map(({ spec, value, by: compared, test }, slot): Aggregator => {
    const inLogOrder = relation.log !== null && aggregateFacts[spec.kind].usesPlace === true;
    if (inLogOrder) compiler.needsOrder(relation);
    const aggregator = aggregatorOfSpec(spec, {
      value,
      present: spec.value !== null && !spec.value.column.type.nullable,
      by: compared,
      test,
      options: spec.options,
      inLogOrder,
      appendOnly: relation.appendOnly || wholeGroups,
      members() {
        members.push(compiler.ordered(`members.${slot}`));
        return members.at(-1)!;
      },
    });
    return wholeGroups && keepsLessOfAppended(spec.kind) ? unretracted(aggregator) : aggregator;
  });
  const codec = groupCodec(aggregators);
  const { groups, show }: { groups: Keyed<Group>; show?: AggregateOptions['show'] } = compiler.isFused(node)
    ? compiler.groupsInRows(node, codec)
    : { groups: compiler.keyed('groups', codec) };
  const operator = new Aggregate(groups, {
    groupKeyOf: keyTextOf(
      groupKey(node, by).map(({ path, column }) => ({
        read: generatedRead(path),
        onlyStrings: holdsOnlyStrings(column.type),
      })),
    ),
    rowOf: generatedRow([
      ...by.map(({ name, path }) => ({ name, from: { path } })),
      ...node.aggregates.map(({ name }, slot) => ({ name, from: { value: slot } })),
    ]),
    aggregators,
    ...(show && { show }),
    ...frozenOptions(node, by, { members, compiler, final }),
  });
  return compiler.add('aggregate', operator, [input]);
}

/** Sessions of rows that are never retracted are only ever joined: of the later one all rows go, and its group with them. */
const retractsWholeGroups = ({ input }: AggregateNode): boolean =>
  input.op === 'session' && input.input.relation.appendOnly;

/** For groups that go whole or not at all: what is left of their accumulators does not matter. */
const unretracted = (aggregator: Aggregator): Aggregator => ({
  ...aggregator,
  fold: (accumulator, row, weight, order, group) =>
    weight < 0 ? accumulator : aggregator.fold(accumulator, row, weight, order, group),
});

function explain(node: AggregateNode, fused: boolean): Explained {
  const appendOnly = node.input.relation.appendOnly || retractsWholeGroups(node);
  const by = node.by.length > 0 ? `by ${node.by.map(namedText).join(', ')}` : 'over all rows';
  const results = node.aggregates
    .map(({ name, aggregate: spec }) => `${name} = ${specText(spec)}`)
    .join(', ');
  const kinds = node.aggregates.map(({ aggregate: { kind } }) => kind);
  const { cost, growth } = keptOf(kinds, appendOnly);
  return {
    what: `${by}: ${results}${fused ? ' (kept in the view’s rows)' : ''}`,
    cost,
    growth: growthByTime(node) ?? growth,
  };
}

/** What time frees of groups, or never will; null where time has no part in it. */
function growthByTime(node: AggregateNode): Growth | null {
  const frozen = frozenBy(node);
  if (frozen !== null) return `freed by ${frozen.name}`;
  // Of events there is always a later one, and a group for it.
  const byTime = node.by.some(
    ({ value: { column } }) => column.type.kind === 'string' && column.type.format === 'instant',
  );
  return (node.input.relation.appendOnly || retractsWholeGroups(node)) && byTime ? 'grows for ever' : null;
}

function specText({ kind, value, by, test, options }: AggregateSpec): string {
  const parts = [
    value && expressionText(value),
    by && `by ${expressionText(by)}`,
    test && shortSource(test.source),
    ...Object.entries(options).map(([name, given]) => `${name} ${JSON.stringify(given)}`),
  ].filter(Boolean);
  return `${kind}(${parts.join(', ')})`;
}
