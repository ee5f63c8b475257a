import { assert } from '../assert.js';
import { generatedRead } from '../circuit/generated-row.js';
import { Select, type SelectedColumn, type SelectedValue } from '../circuit/operators/select.js';
import { isTrue } from '../circuit/row-function.js';
import type { Row, Value } from '../zset/value.js';
import type { PlanCompiler } from './compile-plan.js';
import { freezingGroups } from './freezing.js';
import type { AggregateNode, PartsNode } from './plan.js';
import type { AggregateSpec } from './aggregate-spec.js';
import type { Column } from './column.js';
import type { Expression } from './expression.js';

/** What an aggregate reads of its input rows, compiled. */
export interface AggregateInput {
  readonly vertex: number;
  readonly by: readonly { readonly name: string; readonly path: string; readonly column: Column }[];
  readonly parts: readonly AggregatePart[];
}

type Grouping = AggregateNode | PartsNode;

export interface AggregatePart {
  readonly spec: AggregateSpec;
  readonly value: ((row: Row) => Value) | null;
  readonly by: ((row: Row) => Value) | null;
  readonly test: ((row: Row) => Value) | null;
}

/**
 * Rows that are late for their group are left out. Where part of what an aggregate reads is computed, a select comes before it: functions are called in one kind of place
 * only, and once for each row.
 */
export function aggregateInput(
  node: AggregateNode | PartsNode,
  compiler: PlanCompiler,
  /** What gives its rows, if not its input, without the late ones. */
  vertex?: number,
): AggregateInput {
  if (node.op === 'aggregate' && node.ofParts) return partsInput(node, compiler);
  const input = vertex ?? compiler.onTime(node.input, freezingGroups(node));
  return needsSelect(node) ? selectedInput(node, input, compiler) : plainInput(node, input);
}

/** Nothing of the rows that were folded is there to be read. */
const partsInput = (node: AggregateNode, compiler: PlanCompiler): AggregateInput => ({
  ...plainInput({ by: node.by, aggregates: [] }, compiler.vertexOf(node.input)),
  parts: node.aggregates.map(({ aggregate: spec }) => ({
    spec,
    value: spec.value && unread,
    by: spec.by && unread,
    test: spec.test && unread,
  })),
});

const unread = (): Value => {
  assert(false, 'A row was read that had been folded before it was moved.');
};

function needsSelect(node: Grouping): boolean {
  const read = [
    ...node.by.map(({ value }) => value),
    ...node.aggregates.flatMap(({ aggregate: { value, by } }) => [value, by]),
  ];
  return (
    node.aggregates.some(({ aggregate }) => aggregate.test !== null) ||
    read.some((value) => value !== null && value.kind !== 'path')
  );
}

function plainInput(node: Pick<Grouping, 'by' | 'aggregates'>, vertex: number): AggregateInput {
  const pathOf = (expression: Expression): string => (expression as { path: string }).path;
  const read = (expression: Expression | null) => expression && generatedRead(pathOf(expression));
  return {
    vertex,
    by: node.by.map(({ name, value }) => ({ name, path: pathOf(value), column: value.column })),
    parts: node.aggregates.map(({ aggregate: spec }) => ({
      spec,
      value: takesWholeRow(spec) ? (row) => row as unknown as Value : read(spec.value),
      by: read(spec.by),
      test: null,
    })),
  };
}

function selectedInput(node: Grouping, input: number, compiler: PlanCompiler): AggregateInput {
  const { relation } = node.input;
  const columns: SelectedColumn[] = [];
  const add = (value: SelectedValue): string => {
    columns.push({ name: `c${columns.length}`, value });
    return columns.at(-1)!.name;
  };
  const read = (expression: Expression | null) =>
    expression && generatedRead(add(compiler.selected(expression, relation)));
  const by = node.by.map(({ name, value }) => ({
    name,
    path: add(compiler.selected(value, relation)),
    column: value.column,
  }));
  const parts = node.aggregates.map(({ aggregate: spec }) => ({
    spec,
    value: takesWholeRow(spec) ? generatedRead(add({ kind: 'row' })) : read(spec.value),
    by: read(spec.by),
    test: spec.test && generatedRead(add({ kind: 'computed', fn: { call: spec.test.call, check: isTrue } })),
  }));
  const vertex = compiler.add('select', new Select(columns, compiler.errorsOf('aggregate')), [input]);
  return { vertex, by, parts };
}

/** `minBy` and `maxBy` without a column. */
export const takesWholeRow = ({ kind, value }: AggregateSpec): boolean =>
  value === null && (kind === 'minBy' || kind === 'maxBy');
