import type { Value } from '../zset/value.js';
import { aggregateSpec } from './aggregate-spec.js';
import type { Build } from './build.js';
import { kindOf, nullable, renamed } from './columns.js';
import { checkOf } from './computed-value.js';
import { DURATION_EXAMPLES, durationMs } from './duration.js';
import { pathOf } from './expression.js';
import { groupedBy } from './exchange.js';
import { groupPaths, noteWhole, orderTerms, wholeNumber } from './order-nodes.js';
import { overRelation } from './order-relations.js';
import type { Order } from './order-terms.js';
import type {
  AggregateKind,
  Column,
  OrderTerm,
  OverFunction,
  OverNode,
  PlanNode,
  RollingReach,
} from './plan.js';
import { columnNames } from './relation.js';
import type { RowFunctionRequest } from './row-functions.js';

/** How many rows away a row looks at most. */
export const ROWS_AWAY_MAX = 1_000;

const ROLLING: readonly AggregateKind[] = ['count', 'sum', 'avg', 'min', 'max'];

export interface OverRequest {
  readonly per?: string | readonly string[];
  readonly order: Order;
}

/** The node of the columns that rows have of their place among others. */
export function overNode(build: Build, rows: PlanNode, how: OverRequest, columns: object): OverNode {
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
  const relation = overRelation(input.relation, { per, columns: functions.map(({ column }) => column) });
  return { op: 'over', input, per, order, functions, relation, place: build.place };
}

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
    default:
      build.note({
        code: 'bad-option',
        what: `The column "${name}" of over() is nothing that a row has of its place.`,
        evidence: { given: typeof request },
        remedy: `Give rowNumber(), rank(), denseRank(), lag('column'), lead('column') or rolling(sum('column'), { rows: 3 }).`,
        place: build.place,
      });
      return null;
  }
}

function neighbour(
  build: Build,
  input: PlanNode,
  name: string,
  { kind, value, offset, otherwise, place }: Extract<RowFunctionRequest, { kind: 'lag' | 'lead' }>,
): OverFunction {
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
  const { aggregate, frame, place } = request;
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
  const { rows, range } = (frame ?? {}) as { readonly rows?: unknown; readonly range?: unknown };
  if (range === undefined) {
    noteWhole(build, `The frame of the column "${name}"`, 'rows', rows as number, 1, ROWS_AWAY_MAX);
    return { kind: 'rolling', aggregate: spec, reach: { rows: rows as number }, column: spec.column };
  }
  const reach = reachOf(build, range, { name, order, place });
  return reach && { kind: 'rolling', aggregate: spec, reach, column: spec.column };
}

/** How far a range reaches in the one column of the order: milliseconds of instants, or numbers. */
function reachOf(
  build: Build,
  range: unknown,
  { name, order, place }: Pick<Asked, 'name' | 'order'> & { readonly place: string | null },
): RollingReach | null {
  if (order.length === 0) return null; // Noted already.
  const [term] = order;
  if (order.length > 1 || !(isInstant(term!.column) || kindOf(term!.column.type) === 'numbers')) {
    build.note({
      code: 'bad-order',
      what: `The range of the column "${name}" is measured by the order, which is not one column of instants or of numbers.`,
      evidence: { order: order.map(({ path }) => path).join(', ') },
      remedy: `Order by that column alone, or count rows: { rows: 10 }.`,
      place,
    });
    return null;
  }
  const instants = isInstant(term!.column);
  const span = instants
    ? durationMs(range)
    : typeof range === 'number' && Number.isFinite(range) && range >= 0
      ? range
      : null;
  if (span === null)
    build.note({
      code: 'bad-option',
      what: `The column "${name}" has an impossible range.`,
      evidence: { range: String(range), order: term!.path },
      remedy: instants
        ? `Write a duration: ${DURATION_EXAMPLES}.`
        : 'Give a number that is not below 0: by so much the values may differ.',
      place,
    });
  return span === null ? null : { span };
}

export const isInstant = ({ type }: Column): boolean => type.kind === 'string' && type.format === 'instant';
