import { z } from 'zod';
import type { AggregatorOptions } from '../../src/circuit/aggregator.js';
import { freezeRow } from '../../src/circuit/row-function.js';
import { aggregateSpec, type AggregateKind } from '../../src/view/aggregate-spec.js';
import type { Row } from '../../src/zset/value.js';
import { wholeNumber } from '../../src/view/order-nodes.js';
import { dedupeRelation, overRelation, topRelation } from '../../src/view/order-relations.js';
import { orderTerm, orderWords } from '../../src/view/order-terms.js';
import { exceptRelation, intersectRelation } from '../../src/view/set-relations.js';
import { columnOf, elementSchema } from '../../src/view/columns.js';
import { columnsOf } from './declared.js';
import { columnAt } from '../../src/view/column.js';
import type { Expression } from '../../src/view/expression.js';
import type { SourceDeclaration, ViewDeclaration } from '../../src/view/declarations.js';
import type { UserFunction } from '../../src/view/user-function.js';
import type { JoinKind } from '../../src/view/join-plan.js';
import type { OrderTerm, OverFunction, PlanNode } from '../../src/view/plan.js';
import type { Reach } from '../../src/circuit/over-columns.js';
import { joinRelation, semiJoinRelation } from '../../src/view/join-relation.js';
import {
  aggregateRelation,
  distinctRelation,
  flatMapRelation,
  selectRelation,
  sourceRelation,
  unionRelation,
  unnestRelation,
  type Relation,
} from '../../src/view/relation.js';

/** Plans without the declaration language: its nodes, built by hand. */

export const fn = <R>(call: (row: any) => R): UserFunction<R> => ({ call, source: call.toString() });

export interface ComputedText {
  schema: z.ZodType;
  call: (row: any) => unknown;
}
export type Written = string | ComputedText;
export interface WrittenAggregate {
  kind: AggregateKind;
  value?: string;
  by?: string;
  test?: (row: any) => boolean;
  options?: AggregatorOptions;
}

export const source = (declaration: SourceDeclaration): PlanNode => ({
  op: 'source',
  source: declaration,
  relation: sourceRelation(declaration),
  place: null,
});

export const where = (input: PlanNode, predicate: (row: any) => unknown): PlanNode => ({
  op: 'where',
  input,
  predicate: fn(predicate as (row: any) => boolean),
  relation: input.relation,
  place: null,
});

export function select(input: PlanNode, columns: Record<string, Written>): PlanNode {
  const named = namedExpressions(input.relation, columns);
  return {
    op: 'select',
    input,
    columns: named,
    relation: selectRelation(input.relation, named),
    place: null,
  };
}

export const flatMap = (
  input: PlanNode,
  row: z.ZodType,
  call: (row: any) => Iterable<unknown>,
): PlanNode => ({
  op: 'flatMap',
  input,
  row,
  fn: fn(call),
  relation: flatMapRelation(input.relation, columnsOf(row)),
  place: null,
});

export function unnest(input: PlanNode, path: string, as: string): PlanNode {
  const { schema } = columnAt(input.relation.columns, path)!;
  const element = columnOf(as, elementSchema(schema));
  return { op: 'unnest', input, path, as, relation: unnestRelation(input.relation, element), place: null };
}

export const union = (...inputs: [PlanNode, ...PlanNode[]]): PlanNode => ({
  op: 'union',
  inputs,
  relation: unionRelation(inputs.map(({ relation }) => relation) as [Relation, ...Relation[]]),
  place: null,
});

export const distinct = (input: PlanNode): PlanNode => ({
  op: 'distinct',
  input,
  relation: distinctRelation(input.relation),
  place: null,
});

export const compared = (
  op: 'except' | 'intersect',
  left: PlanNode,
  right: PlanNode,
  all: boolean,
): PlanNode => ({
  op,
  left,
  right,
  all,
  relation: (op === 'except' ? exceptRelation : intersectRelation)(left.relation, right.relation, all),
  place: null,
});

export const dedupe = (input: PlanNode, by: readonly string[], withinMs: number | null): PlanNode => ({
  op: 'dedupe',
  input,
  by,
  withinMs,
  at: null,
  relation: dedupeRelation(input.relation, { by, withinMs, at: null }),
  place: null,
});

export function over(
  input: PlanNode,
  how: { per?: readonly string[]; order: string },
  functions: readonly OverFunction[],
): PlanNode {
  const { columns } = input.relation;
  const { per = [] } = how;
  const order = orderWords(how.order).map((word) => orderTerm(columns, word) as OrderTerm);
  return {
    op: 'over',
    input,
    per,
    order,
    functions,
    relation: overRelation(input.relation, { per, order, functions }),
    place: null,
  };
}

export function rolling(
  { relation }: PlanNode,
  name: string,
  {
    kind,
    value = null,
    test = null,
  }: { kind: AggregateKind; value?: string | null; test?: ((row: any) => boolean) | null },
  reach: Reach,
): OverFunction {
  const request = { kind, value, by: null, test, options: {}, given: undefined, place: null };
  const spec = aggregateSpec(name, request, relation, {
    note: (problem) => {
      throw new Error(problem.what);
    },
  });
  return { kind: 'rolling', aggregate: spec, reach, column: spec.column };
}

export function top(
  input: PlanNode,
  count: number,
  options: { per?: readonly string[]; order: string; offset?: number; rank?: string },
): PlanNode {
  const { columns } = input.relation;
  const { per = [], offset = 0, rank = null } = options;
  return {
    op: 'top',
    input,
    count,
    offset,
    per,
    order: orderWords(options.order).map((word) => orderTerm(columns, word) as OrderTerm),
    rank,
    relation: topRelation(input.relation, { count, per, rank: rank === null ? null : wholeNumber(rank) }),
    place: null,
  };
}

export function aggregate(
  input: PlanNode,
  by: Record<string, Written>,
  aggregates: Record<string, WrittenAggregate>,
): PlanNode {
  const named = namedExpressions(input.relation, by);
  const specs = Object.entries(aggregates).map(
    ([name, { kind, value = null, by = null, test = null, options = {} }]) => ({
      name,
      aggregate: aggregateSpec(
        name,
        { kind, value, by, test, options, place: null } as never,
        input.relation,
        {
          note: (problem) => {
            throw new Error(problem.what);
          },
        },
      ),
    }),
  );
  const relation = aggregateRelation(
    input.relation,
    named,
    specs.map(({ aggregate }) => aggregate.column),
  );
  return { op: 'aggregate', input, by: named, aggregates: specs, relation, place: null };
}

/** Rows folded into the state that a group had before, `initial` at first; null ends it. */
export function evolve(
  input: PlanNode,
  by: Record<string, Written>,
  state: z.ZodType,
  initial: Row,
  fold: (state: any, event: any) => unknown,
): PlanNode {
  const named = namedExpressions(input.relation, by);
  const columns = columnsOf(state);
  return {
    op: 'evolve',
    input,
    by: named,
    state,
    columns,
    initial: freezeRow(initial),
    handlers: {
      kind: 'all',
      fn: { ...fn(({ state, event }) => fold(state, event)), source: fold.toString() },
    },
    stateBytesMax: 262_144,
    relation: aggregateRelation(input.relation, named, columns),
    place: null,
  };
}

export function join(
  left: PlanNode,
  right: PlanNode,
  as: string,
  on: Record<string, string>,
  kind: JoinKind = 'inner',
  where: ((row: any) => unknown) | null = null,
): PlanNode {
  const pairs = Object.entries(on).map(([left, right]) => ({ left, right }));
  return {
    op: 'join',
    kind,
    left,
    right,
    as,
    on: pairs,
    where: where && fn(where as (row: any) => boolean),
    relation: joinRelation(left.relation, right.relation, { kind, as, on: pairs }),
    place: null,
  };
}

export function semiJoin(
  left: PlanNode,
  right: PlanNode,
  on: Record<string, string>,
  kind: 'semi' | 'anti' = 'semi',
  where: ((left: any, right: any) => boolean) | null = null,
): PlanNode {
  const pairs = Object.entries(on).map(([left, right]) => ({ left, right }));
  return {
    op: 'semiJoin',
    kind,
    left,
    right,
    on: pairs,
    where: where && { call: where, source: where.toString() },
    relation: semiJoinRelation(left.relation, right.relation, { kind, on: pairs }),
    place: null,
  };
}

export function viewOf(
  name: string,
  plan: PlanNode,
  key: readonly string[],
  indexes: readonly string[] = [],
  buckets = 4,
): ViewDeclaration {
  const { columns } = plan.relation;
  return {
    kind: 'view',
    partitions: plan.relation.partitions,
    name,
    plan,
    columns,
    key,
    indexes: indexes.map((text) => ({
      name: text,
      columns: text.split(',').map((term) => {
        const path = term.replace(/\.(asc|desc)$/, '');
        return { path, descending: term.endsWith('.desc'), column: columnAt(columns, path)! };
      }),
    })),
    version: null,
    promote: 'auto',
    buckets,
    errorsMax: 100,
    description: null,
    place: null,
    fingerprint: '0'.repeat(16),
  };
}

function namedExpressions(
  relation: Relation,
  columns: Record<string, Written>,
): { name: string; value: Expression }[] {
  return Object.entries(columns).map(([name, written]) => ({
    name,
    value: expression(relation, name, written),
  }));
}

function expression(relation: Relation, name: string, written: Written): Expression {
  if (written === '$position') return { kind: 'position', column: columnOf(name, z.string()) };
  if (typeof written !== 'string')
    return { kind: 'computed', fn: fn(written.call), column: columnOf(name, written.schema) };
  return { kind: 'path', path: written, column: { ...columnAt(relation.columns, written)!, name } };
}
