import { z } from 'zod';
import type { AggregateRequest } from './aggregates.js';
import {
  arrayColumn,
  isScalar,
  kindOf,
  notNull,
  nullable,
  objectColumn,
  renamed,
  typeText,
} from './columns.js';
import { noteFunction, pathOf, type Written } from './expression.js';
import type { AggregateSpec, Column, Expression, Relation } from './plan.js';
import { functionProblem, userFunction } from './user-function.js';

/** What an aggregate is on rows of a relation, and the column of this name that it gives. */
export function aggregateSpec(
  name: string,
  request: AggregateRequest,
  input: Relation,
  { note }: Pick<Written, 'note'>,
): AggregateSpec {
  const { kind, place } = request;
  const at = (path: string | null, purpose: string): Column | null =>
    path === null ? null : pathOf(input, path, { purpose, place, note });
  const value = at(request.value, PURPOSE[kind]);
  const by = at(request.by, 'order by');
  if (request.test !== null) {
    const problem = functionProblem(request.test);
    if (problem !== null) noteFunction(problem, `the test of the aggregate "${name}"`, place, note);
  }
  if ((kind === 'sum' || kind === 'sumIf' || kind === 'avg') && value) needNumbers(value);
  if ((kind === 'min' || kind === 'max' || kind === 'countDistinct') && value) needScalar(value);
  if (by) needScalar(by);
  if ((kind === 'first' || kind === 'last') && by === null && input.log === null)
    note({
      code: 'no-order',
      what: `The aggregate "${name}" takes the ${kind} value of rows that have no place in a log.`,
      evidence: { [kind]: request.value ?? '' },
      remedy: `Say what orders them, ${kind}('${request.value}', { by: '…' }), or aggregate straight from one stream.`,
      place,
    });
  return {
    kind,
    value: expression(value, request.value),
    by: expression(by, request.by),
    test: request.test && userFunction(request.test as (row: any) => boolean),
    ...(kind === 'collect' && { descending: request.descending }),
    column: renamed(resultColumn(name, kind, value, by, input), name),
  };

  function needNumbers(column: Column): void {
    if (kindOf(column.type) !== 'numbers')
      noteType(
        column,
        'needs numbers',
        'Aggregate a column of numbers; a transform states them with .pipe(z.number()).',
      );
  }
  function needScalar(column: Column): void {
    if (!isScalar(column.type))
      noteType(
        column,
        'needs values that have an order',
        'Aggregate a column of text, numbers or booleans, or a path into the object.',
      );
  }
  function noteType(column: Column, needs: string, remedy: string): void {
    const evidence = { [column.name]: typeText(column.type) };
    note({
      code: 'wrong-type',
      what: `The aggregate "${name}" (${kind}) ${needs}, and "${column.name}" does not hold them.`,
      evidence,
      remedy,
      place,
    });
  }
}

const PURPOSE: Readonly<Record<AggregateRequest['kind'], string>> = {
  count: 'count',
  countIf: 'count',
  countDistinct: 'count',
  sum: 'sum',
  sumIf: 'sum',
  avg: 'average',
  min: 'order',
  max: 'order',
  first: 'take',
  last: 'take',
  minBy: 'take',
  maxBy: 'take',
  collect: 'collect',
};

const expression = (column: Column | null, path: string | null): Expression | null =>
  column && { kind: 'path', path: path!, column };

const number = (integer: boolean): Column => ({
  name: '',
  schema: integer ? z.int() : z.number(),
  type: { kind: 'number', integer, nullable: false },
});

/** A group that is shown has rows; null is possible where all of them may lack a value. */
function resultColumn(
  name: string,
  kind: AggregateSpec['kind'],
  value: Column | null,
  by: Column | null,
  input: Relation,
): Column {
  const nullIf = (column: Column, isNullable: boolean | undefined): Column =>
    isNullable ? nullable(column) : column;
  switch (kind) {
    case 'count':
    case 'countIf':
    case 'countDistinct':
      return number(true);
    case 'sum':
    case 'sumIf':
      return nullIf(
        number(value!.type.kind === 'number' && value!.type.integer),
        kind === 'sumIf' || value!.type.nullable,
      );
    case 'avg':
      return nullIf(number(false), value!.type.nullable);
    case 'min':
    case 'max':
      return value!;
    case 'first':
    case 'last':
      return nullIf(value!, by?.type.nullable);
    case 'minBy':
    case 'maxBy':
      return nullIf(value ?? objectColumn(name, input.columns), by?.type.nullable);
    case 'collect':
      return arrayColumn(name, notNull(value!));
  }
}
