import { assert } from '../../assert.js';
import { aggregatorsByKind } from '../../circuit/aggregators/aggregator-of.js';
import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import type { Ordered } from '../../circuit/operator.js';
import { Over, type OverOptions } from '../../circuit/operators/over.js';
import { memberOfRow, membersOfOrder } from '../../circuit/ordered-rows.js';
import type { OverColumn } from '../../circuit/over-columns.js';
import type { Numbering } from '../../circuit/row-numbers.js';
import { extremeFrame, foldedFrame, type RollingFrame } from '../../circuit/rolling.js';
import { instantMs, instantText } from '../../zset/instant-text.js';
import { describeExpression } from '../describe-expression.js';
import { durationText } from '../duration.js';
import { freezingAmong, tightest } from '../freezing.js';
import { frozenGroups } from '../frozen-groups.js';
import { columnOrderText, indexOrderText } from '../index-order.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import { orderTermText } from '../order-terms.js';
import { isInstant } from '../over-nodes.js';
import type { AggregateSpec, OrderTerm, OverFunction, OverNode } from '../plan.js';

export const over: NodeKind<OverNode> = {
  inputs: (node) => [node.input],
  // Among rows of equal order the rest of their columns decides.
  reads: () => [null],
  describe: ({ per, order, functions }) => ({
    per,
    order: order.map(orderTermText),
    functions: functions.map((of) => [of.column.name, describeFunction(of)]),
  }),
  explain({ input, per, order, functions }) {
    const group = per.length > 0 ? ` of each ${per.join(', ')}` : '';
    const columns = functions.map((of) => `${of.column.name} = ${functionText(of, order)}`).join(', ');
    const frozenBy = tightest(freezingAmong(input.relation, per));
    const numbered = functions.some(({ kind }) => isNumber(kind));
    return {
      what: `${columns}${group} by ${order.map(orderTermText).join(', ')}`,
      // A row that comes first moves the numbers of all the others.
      cost: numbered ? 'O(the ranks that move)' : 'O(|Δ| · rows in sight)',
      growth: frozenBy === null ? keptGrowth(input.relation) : `freed by ${frozenBy.column}`,
    };
  },
  compile(node, compiler) {
    const input = compiler.onTime(node.input, freezingAmong(node.input.relation, node.per));
    const { relation } = node.input;
    const orderOf = indexOrderText({ columns: node.order });
    const textOf = compiler.rowTextOf(relation);
    const rows = compiler.ordered('rows');
    const members = [rows];
    const marksOf = (kind: Numbering): Ordered => {
      members.push(compiler.ordered(`marks.${kind}`));
      return members.at(-1)!;
    };
    const operator = new Over(rows, marksOf, {
      groupKeyOf: compiler.keyTextOf(relation, node.per),
      memberOf: (row) => memberOfRow(orderOf(row), textOf(row)),
      columns: node.functions.map(columnOf),
      extended: generatedRow([
        ...relation.columns.map(({ name }) => ({ name, from: { path: name } })),
        ...node.functions.map(({ column: { name } }, value) => ({ name, from: { value } })),
      ]),
      measure: node.functions.some((of) => of.kind === 'rolling' && 'span' in of.reach)
        ? measureOf(node.order[0]!)
        : null,
      ...frozenGroups(relation, node.per, { members, compiler }),
    });
    return compiler.add('over', operator, [input]);
  },
};

const isNumber = (kind: OverFunction['kind']): boolean =>
  kind === 'rowNumber' || kind === 'rank' || kind === 'denseRank';

function describeFunction(of: OverFunction): object {
  if (of.kind === 'rolling') {
    const { kind, value } = of.aggregate;
    return { kind: of.kind, of: [kind, describeExpression(value)], reach: of.reach };
  }
  if (of.kind !== 'lag' && of.kind !== 'lead') return { kind: of.kind };
  const { kind, value, offset, otherwise } = of;
  return { kind, value: describeExpression(value), offset, otherwise };
}

function functionText(of: OverFunction, order: readonly OrderTerm[]): string {
  if (of.kind === 'rolling') {
    const { kind, value } = of.aggregate;
    const summed = `${kind}(${pathOf(value)}) of the last`;
    if ('rows' in of.reach) return `${summed} ${of.reach.rows}`;
    return `${summed} ${isInstant(order[0]!.column) ? durationText(of.reach.span) : of.reach.span}`;
  }
  if (of.kind !== 'lag' && of.kind !== 'lead') return `${of.kind}()`;
  const otherwise = of.otherwise === null ? '' : ` or ${JSON.stringify(of.otherwise)}`;
  return `${of.kind}(${pathOf(of.value)}, ${of.offset})${otherwise}`;
}

const pathOf = (value: AggregateSpec['value']): string => (value?.kind === 'path' ? value.path : '');

function columnOf(of: OverFunction): OverColumn {
  if (of.kind === 'rolling') return { kind: of.kind, frame: frameOf(of.aggregate), reach: of.reach };
  if (of.kind !== 'lag' && of.kind !== 'lead') return { kind: of.kind };
  return { kind: of.kind, value: generatedRead(of.value.path), offset: of.offset, otherwise: of.otherwise };
}

function frameOf({ kind, value, options }: AggregateSpec): () => RollingFrame {
  const read = value && generatedRead(pathOf(value));
  if (kind === 'min' || kind === 'max')
    return () => extremeFrame(read!, kind === 'min' ? 'least' : 'greatest');
  const aggregator = aggregatorsByKind[kind]({
    value: read,
    present: value !== null && !value.column.type.nullable,
    by: null,
    test: null,
    options,
    inLogOrder: false,
    appendOnly: false,
    members: noMembers,
  });
  return () => foldedFrame(aggregator);
}

function noMembers(): never {
  assert(false, 'A rolling aggregate must follow from its accumulator alone.');
}

/** Twice what a sum and a difference of two doubles may be rounded by, as a part of them. */
const ROUNDING = 2 ** -50;

/** Spans are measured by the one column of the order: in milliseconds where it holds instants. */
function measureOf({ path, column, descending }: OrderTerm): OverOptions['measure'] {
  const read = generatedRead(path);
  const instants = isInstant(column);
  const membersAt = (value: number | null): readonly [from: string, to: string] =>
    membersOfOrder(columnOrderText(instants && value !== null ? instantText(value) : value, descending));
  const of: NonNullable<OverOptions['measure']>['of'] = (row) => {
    const value = read(row);
    return instants && value !== null ? instantMs(value as string) : (value as number | null);
  };
  return {
    of,
    descending,
    around(row, span) {
      const value = of(row);
      const reach = value === null || instants ? span : span + (Math.abs(value) + span) * ROUNDING;
      const ends = value === null ? [null, null] : [value - reach, value + reach];
      const [first, last] = descending ? ends.reverse() : ends;
      return { from: membersAt(first!)[0], to: membersAt(last!)[1] };
    },
  };
}
