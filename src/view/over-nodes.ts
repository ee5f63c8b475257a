import { z } from 'zod';
import type { Value } from '../zset/value.js';
import { aggregateSpec, type AggregateKind } from './aggregate-spec.js';
import type { Build } from './build.js';
import { type Column, nullable, renamed } from './column.js';
import { checkOf } from './computed-value.js';
import { pathOf } from './expression.js';
import { groupedBy } from './exchange.js';
import { reachOf, ROWS_AWAY_MAX } from './frame.js';
import { noteOptions } from './options.js';
import { groupPaths, noteWhole, orderTerms, wholeNumber } from './order-nodes.js';
import { overRelation } from './order-relations.js';
import type { Order } from './order-terms.js';
import type { OrderTerm, OverFunction, OverNode, PlanNode } from './plan.js';
import { columnNames } from './relation.js';
import type { RowFunctionRequest } from './row-functions.js';

/** What forgets a row as it took it in, and the extremes. */
const ROLLING: readonly AggregateKind[] = [
  'count',
  'countIf',
  'sum',
  'sumIf',
  'avg',
  'min',
  'max',
  'every',
  'some',
  'variance',
  'stddev',
  'histogram',
];

export interface OverRequest {
  readonly per?: string | readonly string[];
  readonly order: Order;
}

/** The node of the columns that rows have of their place among others. */
export function overNode(build: Build, rows: PlanNode, how: OverRequest, columns: object): OverNode {
  noteOptions(how, 'over', build);
  const per = groupPaths(build, rows, how?.per);
  const input = groupedBy(build, rows, per, 'put in an order');
  const order = orderTerms(build, input, how?.order, 'over()');
  const entries = Object.entries(columns ?? {}) as [string, RowFunctionRequest][];
  if (entries.length === 0)
    build.note({
      code: 'no-columns',
      what: 'over() makes no columns.',
      evidence: { 'there are': columnNames(input) },
      remedy: 'Name at least one: { number: rowNumber() }.',
      place: build.place,
    });
  build.noteTaken(entries.map(([name]) => name));
  const functions = entries.flatMap(([name, request]) => {
    const made = overFunction(build, input, { name, request, order });
    return made === null ? [] : [made];
  });
  const known = overRelation(input.relation, { per, order, functions });
  // What was refused is a column all the same: that it is missing is not a second error.
  const refused = entries.filter(([name]) => !functions.some(({ column }) => column.name === name));
  const relation = { ...known, columns: [...known.columns, ...refused.map(([name]) => unknown(name))] };
  return { op: 'over', input, per, order, functions, relation, place: build.place };
}

const unknown = (name: string): Column => ({
  name,
  schema: z.unknown(),
  type: { kind: 'json', nullable: true },
});

interface Asked<R = RowFunctionRequest> {
  readonly name: string;
  readonly request: R;
  readonly order: readonly OrderTerm[];
}

function overFunction(build: Build, input: PlanNode, asked: Asked): OverFunction | null {
  const { name, request } = asked;
  switch (request?.kind) {
    case 'rowNumber':
    case 'rank':
    case 'denseRank':
      return { kind: request.kind, column: wholeNumber(name) };
    case 'lag':
    case 'lead':
      return neighbour(build, input, name, request);
    case 'rolling':
      return rolling(build, input, { ...asked, request });
    case 'firstValue':
    case 'lastValue':
      return edge(build, input, { ...asked, request });
    default:
      build.note({
        code: 'bad-option',
        what: `The column "${name}" of over() is nothing that a row has of its place.`,
        evidence: { given: typeof request },
        remedy: `Give rowNumber(), rank(), denseRank(), lag('column'), lead('column'), firstValue('column'), lastValue('column') or rolling(sum('column'), { rows: 3 }).`,
        place: build.place,
      });
      return null;
  }
}

function neighbour(
  build: Build,
  input: PlanNode,
  name: string,
  { kind, value, offset, otherwise, given, place }: Extract<RowFunctionRequest, { kind: 'lag' | 'lead' }>,
): OverFunction {
  noteOptions(given, kind, { note: build.note, place });
  const column = pathOf(input.relation, value, {
    purpose: kind === 'lag' ? 'look back to' : 'look ahead to',
    place,
    note: build.note,
  });
  noteWhole(build, `${kind}()`, 'offset', offset as number, 0, ROWS_AWAY_MAX);
  let shown: Value = null;
  if (otherwise !== null)
    try {
      shown = checkOf(column)(otherwise);
    } catch {
      build.note({
        code: 'bad-option',
        what: `The default of the column "${name}" is no value of "${column.name}".`,
        evidence: { default: JSON.stringify(otherwise) },
        remedy: 'Give one that the schema of the column takes, or none: null is shown then.',
        place,
      });
    }
  return {
    kind,
    value: { kind: 'path', path: String(value), column },
    offset: offset as number,
    otherwise: shown,
    column: renamed(shown === null ? nullable(column) : column, name),
  };
}

function rolling(
  build: Build,
  input: PlanNode,
  { name, request, order }: Asked<Extract<RowFunctionRequest, { kind: 'rolling' }>>,
): OverFunction | null {
  const { kind, aggregate, frame, place } = request;
  if (!ROLLING.includes(aggregate?.kind)) {
    build.note({
      code: 'bad-option',
      what: `The column "${name}" rolls an aggregate that cannot be: ${aggregate?.kind}.`,
      remedy: `Roll one of ${ROLLING.join(', ')}.`,
      place,
    });
    return null;
  }
  const spec = aggregateSpec(name, aggregate, input.relation, build);
  const reach = reachOf(build, frame, { name, kind, order, place });
  return reach && { kind: 'rolling', aggregate: spec, reach, column: spec.column };
}

function edge(
  build: Build,
  input: PlanNode,
  { name, request, order }: Asked<Extract<RowFunctionRequest, { kind: 'firstValue' | 'lastValue' }>>,
): OverFunction | null {
  const { kind, value, frame, place } = request;
  const column = pathOf(input.relation, value, {
    purpose: kind === 'firstValue' ? 'look back to' : 'look ahead to',
    place,
    note: build.note,
  });
  const reach = frame === undefined ? null : reachOf(build, frame, { name, kind, order, place });
  if (frame !== undefined && reach === null) return null;
  return {
    kind,
    value: { kind: 'path', path: String(value), column },
    // What a row has on its other side does not matter.
    reach: kind === 'firstValue' ? (reach?.before == null ? null : reach) : reach && { ...reach, before: 0 },
    column: renamed(column, name),
  };
}
