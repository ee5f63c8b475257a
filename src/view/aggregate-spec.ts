import type { AggregatorOptions } from '../circuit/aggregator.js';
import { aggregateFacts, type Takes } from './aggregate-facts.js';
import { optionExample, optionProblem } from './aggregate-options.js';
import type { AggregateRequest } from './aggregates.js';
import {
  columnAt,
  isDecimal,
  isScalar,
  kindOf,
  renamed,
  typeText,
  type Column,
  type ColumnType,
} from './column.js';
import type { Relation } from './relation.js';
import { type Expression, noteFunction, pathOf, type Written } from './expression.js';
import { noteAggregateOptions } from './options.js';
import { functionProblem, type UserFunction, userFunction } from './user-function.js';

export type AggregateKind =
  | 'count'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'first'
  | 'last'
  | 'minBy'
  | 'maxBy'
  | 'countDistinct'
  | 'countIf'
  | 'sumIf'
  | 'variance'
  | 'stddev'
  | 'every'
  | 'some'
  | 'histogram'
  | 'median'
  | 'percentile'
  | 'topK'
  | 'collect'
  | 'collectDistinct'
  | 'joinText'
  | 'approxCountDistinct'
  | 'approxPercentile'
  | 'approxTopK'
  | 'approxContains';

export interface AggregateSpec {
  readonly kind: AggregateKind;
  /** What is aggregated; null for rows, and for a test of them. */
  readonly value: Expression | null;
  /** `minBy`, `maxBy`: what is compared. `first`, `last`: what orders, null for the place in the log. Lists: their order, null for the values'. */
  readonly by: Expression | null;
  /** `countIf`, `sumIf`, `every`, `some`. */
  readonly test: UserFunction<boolean> | null;
  readonly options: AggregatorOptions;
  /** The column it gives. */
  readonly column: Column;
}

/** A result of a group. */
export interface NamedAggregate {
  readonly name: string;
  readonly aggregate: AggregateSpec;
}

/** What an aggregate is on rows of a relation, and the column of this name that it gives. */
export function aggregateSpec(
  name: string,
  request: AggregateRequest,
  input: Relation,
  { note }: Pick<Written, 'note'>,
): AggregateSpec {
  const { kind, options, place } = request;
  const facts = aggregateFacts[kind];
  const at = (path: string | null, purpose: string): Column | null =>
    path === null ? null : pathOf(input, path, { purpose, place, note });
  const value = at(request.value, facts.purpose);
  const by = at(request.by, 'order by');
  if (request.test !== null) {
    const problem = functionProblem(request.test);
    if (problem !== null) noteFunction(problem, `the test of the aggregate "${name}"`, place, note);
  }
  if (value) need(value, typeof facts.takes === 'function' ? facts.takes(options) : facts.takes);
  if (by) need(by, 'values with an order');
  noteAggregateOptions(request.given, kind, { note, place });
  const wrong = optionProblem(kind, options);
  if (wrong !== null)
    note({
      code: 'bad-option',
      what: `The aggregate "${name}" (${kind}) ${wrong}.`,
      evidence: { given: JSON.stringify(options) },
      remedy: `Write ${optionExample(kind)}.`,
      place,
    });
  if (facts.insteadIfRetracted !== undefined && !input.appendOnly)
    note({
      code: 'retracts',
      what: `The aggregate "${name}" (${kind}) cannot take rows back, and these rows may go: they come through a table, a view or groups.`,
      evidence: { of: request.value ?? '' },
      remedy: `Use ${facts.insteadIfRetracted}, or aggregate straight from a stream.`,
      place,
    });
  else if (facts.usesPlace && by === null && input.log === null)
    note({
      code: 'no-order',
      what: `The aggregate "${name}" (${kind}) asks for the place in a log of rows that have none.`,
      evidence: { [kind]: request.value ?? '' },
      remedy:
        facts.insteadIfRetracted === undefined
          ? `Say what orders them, ${kind}('${request.value}', { by: '…' }), or aggregate straight from one stream.`
          : `Use ${facts.insteadIfRetracted}, or aggregate straight from one stream.`,
      place,
    });
  return {
    kind,
    value: expression(value, request.value),
    by: expression(by, request.by),
    test: request.test && userFunction(request.test as (row: any) => boolean),
    options,
    column: renamed(facts.column({ name, value, by, input, options }), name),
  };

  function need(column: Column, takes: Takes): void {
    const { holds, remedy } = NEEDS[takes];
    // A column that is not there has been noted.
    if (holds(column.type) || columnAt(input.columns, column.name) === null) return;
    note({
      code: 'wrong-type',
      what: `The aggregate "${name}" (${kind}) needs ${takes}, and "${column.name}" holds others.`,
      evidence: { [column.name]: typeText(column.type) },
      remedy,
      place,
    });
  }
}

const NEEDS: Readonly<Record<Takes, { holds: (type: ColumnType) => boolean; remedy: string }>> = {
  anything: { holds: () => true, remedy: '' },
  'values with an order': {
    holds: isScalar,
    remedy: 'Aggregate a column of text, numbers or booleans, or a path into the object.',
  },
  numbers: {
    holds: (type) => kindOf(type) === 'numbers',
    remedy:
      'Aggregate a column of numbers; a transform states them with .pipe(z.number()), and computed(z.number(), fn) makes them of decimals.',
  },
  'numbers or decimals': {
    holds: (type) => kindOf(type) === 'numbers' || isDecimal(type),
    remedy:
      'Aggregate a column of numbers, or of decimal(scale); a transform states them with .pipe(z.number()).',
  },
  booleans: {
    holds: (type) => kindOf(type) === 'booleans',
    remedy: 'Aggregate a column of booleans, or give a test: every((row) => …).',
  },
  text: {
    holds: (type) => kindOf(type) === 'text',
    remedy: 'Aggregate a column of text; select computed(z.string(), fn) makes one.',
  },
};

const expression = (column: Column | null, path: string | null): Expression | null =>
  column && { kind: 'path', path: String(path), column };
