import { DueTimes } from '../circuit/due-times.js';
import { generatedRead, generatedRow } from '../circuit/generated-row.js';
import { groupCodec } from '../circuit/group.js';
import { groupIn, PanedAggregate, type PanedAggregateOptions } from '../circuit/operators/paned-aggregate.js';
import { Panes } from '../circuit/operators/panes.js';
import { hasManyWindows } from '../circuit/windows.js';
import { assert } from '../assert.js';
import { keyValues } from '../zset/row-key.js';
import type { Value } from '../zset/value.js';
import { aggregateFacts, keepsSketch, mergesPanes } from './aggregate-facts.js';
import { aggregateInput, type AggregateInput } from './aggregate-input.js';
import { aggregatorOfPart } from './aggregator-of-spec.js';
import { holdsOnlyStrings } from './column.js';
import type { PlanCompiler } from './compile-plan.js';
import { readByGroups } from './described-groups.js';
import { freezing, freezingGroups, frozenBy } from './freezing.js';
import { windowing } from './nodes/window.js';
import { headOf } from './paths.js';
import type { AggregateNode, FinalNode, WindowNode } from './plan.js';
import { groupText } from './row-texts.js';
import { WINDOW_COLUMNS } from './time-relation.js';

const isWindowColumn = (name: string): boolean => (WINDOW_COLUMNS as readonly string[]).includes(name);

/** An aggregate of rows that are in several windows each, whose results the panes of the windows tell. */
export type PanedNode = AggregateNode & { readonly input: WindowNode };

/**
 * Whether what an aggregate keeps is of panes, and not of windows. It must be able to merge it, and nothing but its groups may
 * depend on the window of a row. Panes are worth it where results wait until windows are over. What is shown on every change
 * is given anew for all windows of a row in any case: there they are for sketches, which would be stored once for each window.
 */
export function isPaned(node: AggregateNode, final: boolean): node is PanedNode {
  const { input, by, aggregates, ofParts } = node;
  if (input.op !== 'window' || !hasManyWindows(input.shape) || ofParts) return false;
  const beside = by.filter(({ value }) => value.kind !== 'path' || !isWindowColumn(value.path));
  const read = readByGroups({ by: beside, aggregates });
  const { appendOnly } = input.relation;
  const kinds = aggregates.map(({ aggregate: { kind } }) => kind);
  return (
    WINDOW_COLUMNS.every((name) =>
      by.some((one) => one.name === name && one.value.kind === 'path' && one.value.path === name),
    ) &&
    by.length === beside.length + WINDOW_COLUMNS.length &&
    freezingGroups(node).every(({ column }) => isWindowColumn(column)) &&
    read !== null &&
    ![...read].some((path) => isWindowColumn(headOf(path))) &&
    kinds.every((kind) => mergesPanes(kind, appendOnly)) &&
    (final || kinds.some(keepsSketch))
  );
}

/** Whether the aggregate before `final` keeps panes. */
export const isFinalOfPanes = ({ input }: FinalNode): boolean =>
  input.op === 'aggregate' && isPaned(input, true);

/** The vertex that gives the results of windows by merging their panes. */
export function panedVertex(node: PanedNode, compiler: PlanCompiler, final: boolean): number {
  const { by, parts, vertex } = aggregateInput(node, compiler, panesVertex(node.input, compiler));
  const { relation } = node.input;
  const aggregators = parts.map((part) => {
    const inLogOrder = relation.log !== null && aggregateFacts[part.spec.kind].usesPlace === true;
    if (inLogOrder) compiler.needsOrder(relation);
    const aggregator = aggregatorOfPart(part, {
      inLogOrder,
      appendOnly: relation.appendOnly,
      members() {
        assert(false, 'What is merged keeps no members.');
      },
    });
    assert(aggregator.merge !== undefined, `${part.spec.kind}() cannot be merged.`);
    return aggregator;
  });
  const lasting = by.filter(({ name }) => !isWindowColumn(name));
  const [startOf, fromOf] = WINDOW_COLUMNS.map((column) =>
    generatedRead(by.find(({ name }) => name === column)!.path),
  );
  const panes = compiler.keyed('panes', groupCodec(aggregators));
  const operator = new PanedAggregate(panes, compiler.ordered('index'), {
    windows: windowing(node.input).windows,
    groupKeyOf: groupText(lasting),
    startOf: startOf!,
    fromOf: fromOf!,
    rowOf: rowOf(node, by),
    aggregators,
    closing: closing(node, compiler),
    final,
  });
  return compiler.add('aggregate', operator, [vertex]);
}

function panesVertex(node: WindowNode, compiler: PlanCompiler): number {
  const { relation } = node;
  const end = freezing(relation).find(({ column }) => column === WINDOW_COLUMNS[1]);
  const input = compiler.vertexOf(node.input);
  const late =
    relation.lates && end !== undefined
      ? { sink: compiler.latesOf('late'), delayMs: Math.min(...end.time.map(({ delayMs }) => delayMs)) }
      : null;
  return compiler.add('panes', new Panes(windowing(node), compiler.errorsOf('window'), late), [input]);
}

function closing(node: PanedNode, compiler: PlanCompiler): PanedAggregateOptions['closing'] {
  const found = frozenBy(node);
  if (found === null) return null;
  compiler.needsTime(found.time);
  return { due: new DueTimes(compiler.ordered('due'), groupIn), time: found.time };
}

function rowOf(node: PanedNode, by: AggregateInput['by']): PanedAggregateOptions['rowOf'] {
  const lasting = by.filter(({ name }) => !isWindowColumn(name));
  const parts = lasting.map(({ column }) => ({ onlyStrings: holdsOnlyStrings(column.type) }));
  const order: readonly string[] = [...lasting.map(({ name }) => name), ...WINDOW_COLUMNS];
  const build = generatedRow([
    ...by.map(({ name }) => ({ name, from: { value: order.indexOf(name) } })),
    ...node.aggregates.map(({ name }, slot) => ({ name, from: { value: order.length + slot } })),
  ]);
  let last: { readonly key: string; readonly values: readonly Value[] } | null = null;
  return (key, window, results) => {
    if (key !== last?.key) last = { key, values: keyValues(key, parts) };
    return build(null, [...last.values, ...window, ...results]);
  };
}
