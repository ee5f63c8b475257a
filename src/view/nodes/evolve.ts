import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import {
  Evolve,
  type Evolved,
  evolvedCodec,
  type EvolveOptions,
  type StateAndEvent,
} from '../../circuit/operators/evolve.js';
import { Select, type SelectedColumn } from '../../circuit/operators/select.js';
import type { Keyed } from '../../circuit/operator.js';
import { RowCalls } from '../../circuit/row-function.js';
import type { Row } from '../../zset/value.js';
import type { UserFunction } from '../user-function.js';
import type { PlanCompiler } from '../compile-plan.js';
import { type Column, isInstant } from '../column.js';
import { rowCheckOf } from '../computed-value.js';
import { describeFunction, describeNamed } from '../describe-expression.js';
import { namedText } from '../expression-text.js';
import { freezingGroups, tightest } from '../freezing.js';
import { frozenGroups } from '../frozen-groups.js';
import type { Growth, NodeKind } from '../node-kind.js';
import type { EvolveNode } from '../plan.js';
import { groupText } from '../row-texts.js';
import { schemaSignature } from '../schema-signature.js';

export const evolve: NodeKind<EvolveNode> = {
  inputs: (node) => [node.input],
  // What a handler reads of an event is not looked for: it is its second argument.
  reads: () => [null],
  describe: (node) => {
    const { by, state, initial, handlers, stateBytesMax } = node;
    return {
      by: by.map(describeNamed),
      state: schemaSignature(state),
      initial,
      handlers:
        handlers.kind === 'all'
          ? describeFunction(handlers.fn)
          : [handlers.discriminator, handlers.of.map(({ type, fn }) => [type, describeFunction(fn)])],
      stateBytesMax,
      // Said where it is so only: generations that time has no part in go on.
      frozenBy: tightest(freezingGroups(node))?.name,
    };
  },
  explain: (node, fused) => {
    const { by, columns, handlers } = node;
    return {
      what:
        `by ${by.map(namedText).join(', ') || '(nothing: all rows)'}: ${columns.map(({ name }) => name).join(', ')}` +
        (handlers.kind === 'all' ? '' : `, changed by ${handlers.of.map(({ type }) => type).join(', ')}`) +
        (fused ? ' (kept in the view’s rows)' : ''),
      cost: 'O(|Δ|)',
      growth: growthOf(node),
    };
  },
  compile(node, compiler) {
    compiler.needsOrder(node.input.relation, 'position');
    const { vertex, by, eventOf } = groupedInput(node, compiler);
    const { groups, show }: { groups: Keyed<Evolved>; show?: EvolveOptions['show'] } = compiler.isFused(node)
      ? compiler.groupsInRows(node, evolvedCodec)
      : { groups: compiler.keyed('groups', evolvedCodec) };
    const rowOf = generatedRow([
      ...by.map(({ name, path }) => ({ name, from: { path: `sample.${path}` } })),
      ...node.columns.map(({ name }) => ({ name, from: { path: `state.${name}` } })),
    ]);
    const groupOf = generatedRow(by.map(({ name, path }) => ({ name, from: { path } })));
    const { frozen, frozenAt } = frozenGroups(
      node.input.relation,
      freezingGroups(node).map(({ column }) => column),
      { members: [], compiler },
    );
    const operator = new Evolve(
      groups,
      {
        groupKeyOf: groupText(by),
        groupOf: (row) => groupOf(row, []),
        eventOf,
        handlerOf: handlerOf(node),
        rowOf: (sample, state) => rowOf({ sample, state }, []),
        initial: node.initial,
        stateBytesMax: node.stateBytesMax,
        show,
        frozen,
        frozenAt: frozenAt && ((row) => frozenAt(eventOf(row))),
      },
      compiler.errorsOf('evolve'),
      compiler.parking,
    );
    return compiler.add('evolve', operator, [vertex]);
  },
};

/** What time frees of groups, or never will. */
function growthOf(node: EvolveNode): Growth {
  const freezing = tightest(freezingGroups(node));
  if (freezing !== null) return `freed by ${freezing.name}`;
  // Of events there is always a later one, and a group for it.
  return node.by.some(({ value: { column } }) => isInstant(column.type))
    ? 'grows for ever'
    : 'one entry per group';
}

interface GroupedInput {
  readonly vertex: number;
  readonly by: readonly { readonly name: string; readonly path: string; readonly column: Column }[];
  readonly eventOf: (row: Row) => Row;
}

/**
 * Events that are late for their group are left out. Where a column to group by is computed, a select comes before the fold,
 * and the event is one of its columns.
 */
function groupedInput(node: EvolveNode, compiler: PlanCompiler): GroupedInput {
  const { input, by } = node;
  const vertex = compiler.onTime(input, freezingGroups(node));
  const paths = by.flatMap(({ name, value }) =>
    value.kind === 'path' ? [{ name, path: value.path, column: value.column }] : [],
  );
  if (paths.length === by.length) return { vertex, by: paths, eventOf: (row) => row };
  const columns: SelectedColumn[] = [
    { name: 'event', value: { kind: 'row' } },
    ...by.map(({ value }, index) => ({
      name: `c${index}`,
      value: compiler.selected(value, input.relation),
    })),
  ];
  return {
    vertex: compiler.add('select', new Select(columns, compiler.errorsOf('groupBy')), [vertex]),
    by: by.map(({ name, value }, index) => ({ name, path: `c${index}`, column: value.column })),
    eventOf: (row) => row.event as unknown as Row,
  };
}

/** The handler of an event, by its type. */
function handlerOf({ handlers, state, columns }: EvolveNode): (event: Row) => RowCalls<Row | null> | null {
  const check = rowCheckOf(state, columns);
  const callsOf = (fn: UserFunction): RowCalls<Row | null> =>
    new RowCalls<Row | null>({
      call: fn.call as (given: StateAndEvent) => unknown,
      check: (given) => (given === null ? null : check(given)),
    });
  if (handlers.kind === 'all') {
    const calls = callsOf(handlers.fn);
    return () => calls;
  }
  const byType = new Map(handlers.of.map(({ type, fn }) => [type, callsOf(fn)]));
  const typeOf = generatedRead(handlers.discriminator);
  return (event) => byType.get(typeOf(event) as never) ?? null;
}
