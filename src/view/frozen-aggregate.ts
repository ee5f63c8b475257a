import { assert } from '../assert.js';
import { DueTimes } from '../circuit/due-times.js';
import { FrozenGroups } from '../circuit/frozen-groups.js';
import { generatedRead, generatedRow } from '../circuit/generated-row.js';
import type { Ordered } from '../circuit/operator.js';
import type { AggregateOptions } from '../circuit/operators/aggregate.js';
import { keyValues } from '../zset/row-key.js';
import type { AggregateInput } from './aggregate-input.js';
import { holdsOnlyStrings } from './column.js';
import type { PlanCompiler } from './compile-plan.js';
import { frozenBy } from './freezing.js';
import type { AggregateNode } from './plan.js';

/** The columns of `by` that a group's key is made of. */
export const groupKey = <By extends { readonly name: string }>(
  { key }: Pick<AggregateNode, 'key'>,
  by: readonly By[],
): readonly By[] => (key === undefined ? by : by.filter(({ name }) => key.includes(name)));

/** What an aggregate does with the groups that can no longer change; nothing where no group is ever known to be one. */
export function frozenOptions(
  node: AggregateNode,
  by: AggregateInput['by'],
  { members, compiler, final }: { members: readonly Ordered[]; compiler: PlanCompiler; final: boolean },
): Pick<AggregateOptions, 'frozen' | 'frozenAt' | 'finalRowOf'> {
  const found = frozenBy(node);
  if (found === null) return {};
  const { name, time, at } = found;
  compiler.needsTime(time);
  const frozenAt = 'result' in at ? at : { read: generatedRead(by[at.group]!.path) };
  const frozen = new FrozenGroups({
    time,
    due: new DueTimes(compiler.ordered('due')),
    members,
  });
  return final ? { frozen, frozenAt, finalRowOf: finalRowOf(node, by, name) } : { frozen, frozenAt };
}

/** A group's row from its key, the instant by which it was frozen, and its results. */
function finalRowOf(
  node: AggregateNode,
  by: AggregateInput['by'],
  instant: string,
): AggregateOptions['finalRowOf'] {
  const key = groupKey(node, by);
  const parts = key.map(({ column }) => ({ onlyStrings: holdsOnlyStrings(column.type) }));
  const places = by.map(({ name }) => {
    const place = key.findIndex((part) => part.name === name);
    assert(place >= 0 || name === instant, `Nothing tells the column "${name}" of a group that is final.`);
    return { name, from: { value: place >= 0 ? place : key.length } };
  });
  const results = node.aggregates.map(({ name }, slot) => ({ name, from: { value: key.length + 1 + slot } }));
  const rowOf = generatedRow([...places, ...results]);
  return ({ at, key: text }, values) => rowOf(null, [...keyValues(text, parts), at, ...values]);
}
