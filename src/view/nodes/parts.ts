import { generatedRow } from '../../circuit/generated-row.js';
import { groupCodec } from '../../circuit/group.js';
import { PART, Parts } from '../../circuit/operators/parts.js';
import { assert } from '../../assert.js';
import { aggregateInput } from '../aggregate-input.js';
import { aggregatorOfPart } from '../aggregator-of-spec.js';
import { describeGroups, groupsText, readByGroups } from '../described-groups.js';
import { groupKey } from '../frozen-aggregate.js';
import type { NodeKind } from '../node-kind.js';
import type { PartsNode } from '../plan.js';
import { groupText } from '../row-texts.js';

export const parts: NodeKind<PartsNode> = {
  inputs: (node) => [node.input],
  reads: (node) => [readByGroups(node)],
  describe: describeGroups,
  explain: (node) => ({ what: `each tick, ${groupsText(node)}`, cost: 'O(|Δ|)', growth: 'none' }),
  compile(node, compiler) {
    const { vertex, by, parts: read } = aggregateInput(node, compiler);
    const aggregators = read.map((part) => {
      const aggregator = aggregatorOfPart(part, {
        inLogOrder: false,
        appendOnly: node.input.relation.appendOnly,
        members() {
          assert(false, 'What is folded in parts keeps no members.');
        },
      });
      assert(aggregator.merge !== undefined, `${part.spec.kind}() cannot be folded in parts.`);
      return aggregator;
    });
    const operator = new Parts({
      groupKeyOf: groupText(groupKey(node, by)),
      partOf: partOf(by),
      aggregators,
      codec: groupCodec(aggregators),
    });
    return compiler.add('parts', operator, [vertex]);
  },
};

function partOf(by: readonly { readonly name: string; readonly path: string }[]) {
  const rowOf = generatedRow([
    ...by.map(({ name, path }) => ({ name, from: { path } })),
    { name: PART, from: { value: 0 } },
  ]);
  return (sample: Parameters<typeof rowOf>[0], text: string) => rowOf(sample, [text]);
}
