import { z } from 'zod';
import { assert } from '../../assert.js';
import type { Aggregator } from '../../circuit/aggregator.js';
import { DueTimes } from '../../circuit/due-times.js';
import { FreedMembers } from '../../circuit/freed-members.js';
import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import type { Ordered } from '../../circuit/operator.js';
import { Over } from '../../circuit/operators/over.js';
import { Select, type SelectedColumn } from '../../circuit/operators/select.js';
import { isTrue } from '../../circuit/row-function.js';
import { membersOfOrder } from '../../circuit/ordered-rows.js';
import type { OverColumn, Reach } from '../../circuit/over-columns.js';
import type { Numbering } from '../../circuit/row-numbers.js';
import { edgeFrame, extremeFrame, foldedFrame, type RollingFrame } from '../../circuit/rolling.js';
import type { Near } from '../../circuit/sights.js';
import { instantMs, instantText } from '../../zset/instant-text.js';
import { aggregatorOfSpec, comparableBySpec } from '../aggregator-of-spec.js';
import { describeExpression, describeFunction as describeTest } from '../describe-expression.js';
import { durationText } from '../duration.js';
import { freezingAmong, tightest } from '../freezing.js';
import { shortSource } from '../expression-text.js';
import { frozenGroups } from '../frozen-groups.js';
import { columnOrderText, indexOrderText } from '../index-order.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import { overFreed, type OverFreed } from '../order-relations.js';
import { orderTermText } from '../order-terms.js';
import type { PlanCompiler } from '../compile-plan.js';
import { type Column, isInstant } from '../column.js';
import type { OrderTerm, OverFunction, OverNode } from '../plan.js';
import type { AggregateSpec } from '../aggregate-spec.js';
import { keyTextOfColumns, rowTextOfColumns } from '../row-texts.js';

export const over: NodeKind<OverNode> = {
  inputs: (node) => [node.input],
  // Among rows of equal order the rest of their columns decides.
  reads: () => [null],
  describe({ input, per, order, functions }) {
    // It says when rows are due to be forgotten, which is stored.
    const changing = overFreed(input.relation, { per, order, functions })?.changing;
    return {
      per,
      order: order.map(orderTermText),
      functions: functions.map((of) => [of.column.name, describeFunction(of)]),
      ...(changing && { changing }),
    };
  },
  explain({ input, per, order, functions }) {
    const group = per.length > 0 ? ` of each ${per.join(', ')}` : '';
    const columns = functions.map((of) => `${of.column.name} = ${functionText(of, order)}`).join(', ');
    const frozenBy =
      tightest(freezingAmong(input.relation, per)) ??
      overFreed(input.relation, { per, order, functions })?.by ??
      null;
    const numbered = functions.some(({ kind }) => isNumber(kind));
    return {
      what: `${columns}${group} by ${order.map(orderTermText).join(', ')}`,
      // A row that comes first moves the numbers of all the others, and what all up to them add up to.
      cost: numbered
        ? 'O(the ranks that move)'
        : functions.some(isRunning)
          ? 'O(the rows behind)'
          : 'O(|Δ| · rows in sight)',
      growth: frozenBy === null ? keptGrowth(input.relation) : `freed by ${frozenBy.column}`,
    };
  },
  compile(node, compiler) {
    const { relation } = node.input;
    const freed = overFreed(relation, node);
    const onTime = compiler.onTime(node.input, freed ? [freed.by] : freezingAmong(relation, node.per));
    const { vertex: input, tests, columns } = testedRows(node, onTime, compiler);
    const orderOf = indexOrderText({ columns: node.order });
    const textOf = rowTextOfColumns(columns);
    const rows = compiler.ordered('rows');
    const members = [rows];
    const marksOf = (kind: Numbering | 'running'): Ordered => {
      members.push(compiler.ordered(`marks.${kind}`));
      return members.at(-1)!;
    };
    const operator = new Over(rows, marksOf, {
      groupKeyOf: keyTextOfColumns(relation.columns, node.per),
      orderOf,
      textOf,
      columns: columnsOf(node.functions, tests),
      running: node.functions.filter(isRunning).map(({ aggregate }) => aggregatorOf(aggregate, tests, true)),
      extended: generatedRow([
        ...relation.columns.map(({ name }) => ({ name, from: { path: name } })),
        ...node.functions.map(({ column: { name } }, value) => ({ name, from: { value } })),
      ]),
      near: node.functions.some((of) => 'reach' in of && of.reach?.unit === 'span')
        ? nearBy(node.order[0]!)
        : null,
      ...(freed
        ? { freed: freedRows(rows, freed, compiler) }
        : frozenGroups(relation, node.per, { members, compiler })),
    });
    return compiler.add('over', operator, [input]);
  },
};

/**
 * The rows, with a column for each test of an aggregate: functions are called in one kind of place only, and once for each row.
 * The columns stand behind the others, so that these decide among rows of equal order.
 */
function testedRows(
  { input: { relation }, functions }: OverNode,
  vertex: number,
  compiler: PlanCompiler,
): { vertex: number; tests: Tests; columns: readonly Column[] } {
  const names = new Set(relation.columns.map(({ name }) => name));
  const tests = new Map<AggregateSpec, string>();
  for (const of of functions) {
    if (of.kind !== 'rolling' || of.aggregate.test === null) continue;
    let name = `test${tests.size}`;
    while (names.has(name)) name += '_';
    names.add(name);
    tests.set(of.aggregate, name);
  }
  if (tests.size === 0) return { vertex, tests, columns: relation.columns };
  const selected: SelectedColumn[] = [
    ...relation.columns.map(({ name }) => ({ name, value: { kind: 'path' as const, path: name } })),
    ...[...tests].map(([{ test }, name]) => ({
      name,
      value: { kind: 'computed' as const, fn: { call: test!.call, check: isTrue } },
    })),
  ];
  return {
    vertex: compiler.add('select', new Select(selected, compiler.errorsOf('over')), [vertex]),
    tests,
    columns: [...relation.columns, ...[...tests.values()].map((name) => ({ ...TEST, name }))],
  };
}

/** The columns of tests. */
type Tests = ReadonlyMap<AggregateSpec, string>;
const TEST: Column = { name: '', schema: z.boolean(), type: { kind: 'boolean', nullable: false } };

/** A member is the text of what orders it, which begins with the kind of its first value. */
const KIND_WIDTH = 1;

function freedRows(
  rows: Ordered,
  { by: { time }, keptMs, keptMembers, changing }: OverFreed,
  compiler: PlanCompiler,
): FreedMembers {
  compiler.needsTime(time);
  const due = new DueTimes(compiler.ordered('due'));
  return new FreedMembers([rows], {
    time,
    keptMs,
    keptMembers,
    ...(changing && { changing }),
    instantAt: KIND_WIDTH,
    due,
  });
}

const isNumber = (kind: OverFunction['kind']): boolean =>
  kind === 'rowNumber' || kind === 'rank' || kind === 'denseRank';

/** Of all rows up to where it reaches. */
const isRunning = (of: OverFunction): of is OverFunction & { kind: 'rolling' } =>
  of.kind === 'rolling' && of.reach.before === null;

function describeFunction(of: OverFunction): object {
  switch (of.kind) {
    case 'rolling': {
      const { kind, value, options, test } = of.aggregate;
      return {
        kind: of.kind,
        of: [kind, describeExpression(value), options],
        ...(test && { test: describeTest(test) }),
        reach: of.reach,
      };
    }
    case 'firstValue':
    case 'lastValue':
      return { kind: of.kind, value: describeExpression(of.value), reach: of.reach };
    case 'lag':
    case 'lead': {
      const { kind, value, offset, otherwise } = of;
      return { kind, value: describeExpression(value), offset, otherwise };
    }
    default:
      return { kind: of.kind };
  }
}

function functionText(of: OverFunction, order: readonly OrderTerm[]): string {
  switch (of.kind) {
    case 'rolling':
      return `${aggregateText(of.aggregate)} of ${reachText(of.reach, order)}`;
    case 'firstValue':
    case 'lastValue':
      return `${of.kind}(${pathOf(of.value)})${of.reach === null ? '' : ` of ${reachText(of.reach, order)}`}`;
    case 'lag':
    case 'lead': {
      const otherwise = of.otherwise === null ? '' : ` or ${JSON.stringify(of.otherwise)}`;
      return `${of.kind}(${pathOf(of.value)}, ${of.offset})${otherwise}`;
    }
    default:
      return `${of.kind}()`;
  }
}

const aggregateText = ({ kind, value, test }: AggregateSpec): string =>
  `${kind}(${[...(value ? [pathOf(value)] : []), ...(test ? [shortSource(test.source)] : [])].join(', ')})`;

function reachText({ unit, before, after }: Reach, [term]: readonly OrderTerm[]): string {
  const textOf = (distance: number): string =>
    unit === 'span' && isInstant(term!.column.type) ? durationText(distance) : String(distance);
  const ahead = after === 0 ? '' : ` and ${textOf(after)} behind it`;
  if (before === null) return `all up to it${ahead}`;
  if (unit === 'peers') return 'those of equal order';
  if (after === 0) return `the last ${textOf(unit === 'rows' ? before + 1 : before)}`;
  return `${textOf(before)} before it${ahead}`;
}

const pathOf = (value: AggregateSpec['value']): string => (value?.kind === 'path' ? value.path : '');

function columnsOf(functions: readonly OverFunction[], tests: Tests): OverColumn[] {
  let slot = 0;
  return functions.map((of): OverColumn => {
    switch (of.kind) {
      case 'rolling': {
        const { before, ...reach } = of.reach;
        return before === null
          ? { kind: 'running', slot: slot++, reach: { ...reach, before } }
          : { kind: 'rolling', frame: frameOf(of.aggregate, tests), reach: of.reach };
      }
      case 'firstValue':
      case 'lastValue': {
        const edge = of.kind === 'firstValue' ? 'first' : 'last';
        const value = generatedRead(of.value.path);
        return of.reach === null
          ? { kind: edge, value }
          : { kind: 'rolling', frame: () => edgeFrame(value, edge), reach: of.reach };
      }
      case 'lag':
      case 'lead': {
        const { kind, value, offset, otherwise } = of;
        return { kind, value: generatedRead(value.path), offset, otherwise };
      }
      default:
        return { kind: of.kind };
    }
  });
}

function frameOf(spec: AggregateSpec, tests: Tests): () => RollingFrame {
  if (spec.kind === 'min' || spec.kind === 'max') {
    const { read, shown } = comparableBySpec(spec, generatedRead(pathOf(spec.value)));
    return () => extremeFrame(read, { end: spec.kind === 'min' ? 'least' : 'greatest', shown });
  }
  const aggregator = aggregatorOf(spec, tests, false);
  return () => foldedFrame(aggregator);
}

function aggregatorOf(spec: AggregateSpec, tests: Tests, appendOnly: boolean): Aggregator {
  const { value, options } = spec;
  const test = tests.get(spec);
  return aggregatorOfSpec(spec, {
    value: value && generatedRead(pathOf(value)),
    present: value !== null && !value.column.type.nullable,
    by: null,
    test: test === undefined ? null : generatedRead(test),
    options,
    inLogOrder: false,
    appendOnly,
    members: noMembers,
  });
}

function noMembers(): never {
  assert(false, 'A rolling aggregate must follow from its accumulator alone.');
}

/** Twice what a sum and a difference of two doubles may be rounded by, as a part of them. */
const ROUNDING = 2 ** -50;

/** Spans are measured by the one column of the order: in milliseconds where it holds instants. */
function nearBy({ path, column, descending }: OrderTerm): Near {
  const read = generatedRead(path);
  const instants = isInstant(column.type);
  const membersAt = (value: number | null): readonly [from: string, to: string] =>
    membersOfOrder(columnOrderText(instants && value !== null ? instantText(value) : value, descending));
  const of: Near['of'] = (row) => {
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
