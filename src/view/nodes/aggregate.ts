import type { Aggregator } from '../../circuit/aggregator.js';
import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import type { Keyed, Ordered } from '../../circuit/operator.js';
import { type Group, groupCodec } from '../../circuit/group.js';
import { Aggregate, type AggregateOptions } from '../../circuit/operators/aggregate.js';
import { PART } from '../../circuit/operators/parts.js';
import type { Row } from '../../zset/value.js';
import { aggregateFacts, keptOf, takesNoneBack } from '../aggregate-facts.js';
import { aggregatorOfPart } from '../aggregator-of-spec.js';
import { aggregateInput } from '../aggregate-input.js';
import { isInstant } from '../column.js';
import type { PlanCompiler } from '../compile-plan.js';
import { describeGroups, groupsText, readByGroups } from '../described-groups.js';
import { frozenBy } from '../freezing.js';
import { frozenOptions, groupKey } from '../frozen-aggregate.js';
import type { Explained, Growth, NodeKind } from '../node-kind.js';
import { isPaned, panedVertex } from '../panes.js';
import { all, ofExpression } from '../paths.js';
import { retractsWholeGroups } from '../time-relation.js';
import type { AggregateNode } from '../plan.js';
import { groupText } from '../row-texts.js';

export const aggregate: NodeKind<AggregateNode> = {
  inputs: (node) => [node.input],
  reads(node) {
    if (!node.ofParts) return [readByGroups(node)];
    return [all([...node.by.map(({ value }) => ofExpression(value)), new Set([PART])])];
  },
  describe: (node) => ({ ...describeGroups(node), ...(isPaned(node, false) && { panes: true }) }),
  explain,
  compile: (node, compiler) => aggregateVertex(node, compiler),
};

/** The vertex of an aggregate, which gives its results on every change, or once when they are final. */
export function aggregateVertex(node: AggregateNode, compiler: PlanCompiler, final = false): number {
  if (isPaned(node, final)) return panedVertex(node, compiler, final);
  const { vertex: input, by, parts } = aggregateInput(node, compiler);
  const { relation } = node.input;
  const wholeGroups = retractsWholeGroups(node.input);
  const members: Ordered[] = [];
  const aggregators = parts.map((part, slot): Aggregator => {
    const { spec } = part;
    const inLogOrder = relation.log !== null && aggregateFacts[spec.kind].usesPlace === true;
    if (inLogOrder) compiler.needsOrder(relation);
    const aggregator = aggregatorOfPart(part, {
      inLogOrder,
      appendOnly: relation.appendOnly || wholeGroups,
      members() {
        members.push(compiler.ordered(`members.${slot}`));
        return members.at(-1)!;
      },
    });
    return wholeGroups && takesNoneBack(spec.kind) ? unretracted(aggregator) : aggregator;
  });
  const codec = groupCodec(aggregators);
  const { groups, show }: { groups: Keyed<Group>; show?: AggregateOptions['show'] } = compiler.isFused(node)
    ? compiler.groupsInRows(node, codec)
    : { groups: compiler.keyed('groups', codec) };
  const operator = new Aggregate(groups, {
    groupKeyOf: groupText(groupKey(node, by)),
    rowOf: generatedRow([
      ...by.map(({ name, path }) => ({ name, from: { path } })),
      ...node.aggregates.map(({ name }, slot) => ({ name, from: { value: slot } })),
    ]),
    aggregators,
    ...(node.ofParts && { partIn: { textOf: generatedRead(PART) as (row: Row) => string, codec } }),
    ...(show && { show }),
    ...frozenOptions(node, by, { members, compiler, final }),
  });
  return compiler.add('aggregate', operator, [input]);
}

/** For groups that go whole or not at all: what is left of their accumulators does not matter. */
const unretracted = (aggregator: Aggregator): Aggregator => ({
  ...aggregator,
  fold: (accumulator, row, weight, order, group) =>
    weight < 0 ? accumulator : aggregator.fold(accumulator, row, weight, order, group),
});

function explain(node: AggregateNode, fused: boolean): Explained {
  const appendOnly = node.input.relation.appendOnly || retractsWholeGroups(node.input);
  const kinds = node.aggregates.map(({ aggregate: { kind } }) => kind);
  const { cost, growth } = keptOf(kinds, appendOnly);
  return {
    what: `${node.ofParts ? 'merged ' : ''}${groupsText(node)}${fused ? ' (kept in the view’s rows)' : ''}${isPaned(node, false) ? ' (by panes)' : ''}`,
    cost,
    growth: growthByTime(node) ?? growth,
  };
}

/** What time frees of groups, or never will; null where time has no part in it. */
function growthByTime(node: AggregateNode): Growth | null {
  const frozen = frozenBy(node);
  if (frozen !== null) return `freed by ${frozen.name}`;
  // Of events there is always a later one, and a group for it.
  const byTime = node.by.some(({ value: { column } }) => isInstant(column.type));
  return (node.input.relation.appendOnly || retractsWholeGroups(node.input)) && byTime
    ? 'grows for ever'
    : null;
}
