import { z } from 'zod';
import { columnOf, isSchema } from './columns.js';
import { columnAt, renamed, type Column } from './column.js';
import { isComputed } from './computed.js';
import type { Problem } from './problem.js';
import { columnNames, type Relation } from './relation.js';
import { functionProblem, type UserFunction, userFunction } from './user-function.js';

export type Expression =
  | { readonly kind: 'path'; readonly path: string; readonly column: Column }
  | { readonly kind: 'computed'; readonly fn: UserFunction; readonly column: Column }
  /** The place of a row in its stream's log (`$position`): entry id and index in the entry. */
  | { readonly kind: 'position'; readonly column: Column };

export interface NamedExpression {
  readonly name: string;
  readonly value: Expression;
}

export const POSITION = '$position';

/** Notes a problem of the declaration being built. */
export type Note = (problem: Problem) => void;

export interface Written {
  /** What the expression is for, as an infinitive: `select`, `group by`. */
  readonly purpose: string;
  readonly place: string | null;
  readonly note: Note;
}

/** What a path or `computed(…)` means on rows of a relation, as a column of this name. */
export function expressionOf(relation: Relation, value: unknown, name: string, written: Written): Expression {
  if (value === POSITION) return positionOf(relation, name, written);
  if (isComputed(value)) {
    const problem = functionProblem(value.call);
    if (problem !== null)
      noteFunction(problem, `the function of column "${name}"`, value.place, written.note);
    if (!isSchema(value.schema))
      written.note({
        code: 'bad-schema',
        what: `The computed column "${name}" has no schema to say what its function gives.`,
        evidence: { given: typeof value.schema },
        remedy: 'Write computed(z.number(), (row) => …).',
        place: value.place,
      });
    const schema = isSchema(value.schema) ? value.schema : z.unknown();
    const { unstorable, ...column } = columnOf(name, schema);
    noteUnstorable(unstorable, `The computed column "${name}"`, value.place, written.note);
    return { kind: 'computed', fn: userFunction(value.call), column };
  }
  const column = pathOf(relation, value, written);
  return { kind: 'path', path: String(value), column: renamed(column, name) };
}

/** The column a path leads to; any stand-in where there is none, after noting it. */
export function pathOf(relation: Relation, path: unknown, { purpose, place, note }: Written): Column {
  const column = typeof path === 'string' ? columnAt(relation.columns, path) : null;
  if (column !== null) return column;
  note({
    code: 'unknown-column',
    what:
      typeof path === 'string'
        ? `There is no column "${path}" to ${purpose}.`
        : `A column to ${purpose} is a path or computed(schema, fn), not ${path === null ? 'null' : typeof path}.`,
    evidence: { columns: columnNames(relation) },
    remedy: 'Name one of these columns, or a path into one that holds objects.',
    place,
  });
  return { name: String(path), schema: z.unknown(), type: { kind: 'json', nullable: true } };
}

function positionOf(relation: Relation, name: string, { place, note }: Written): Expression {
  if (relation.log === null)
    note({
      code: 'no-position',
      what: `"${POSITION}" is asked of rows that no longer come straight from one stream.`,
      evidence: { columns: columnNames(relation) },
      remedy: `Select "${POSITION}" before joining, grouping or making distinct; rows of a table or a view have none.`,
      place,
    });
  return {
    kind: 'position',
    column: { name, schema: z.string(), type: { kind: 'string', nullable: false } },
  };
}

export function noteFunction(problem: string, where: string, place: string | null, note: Note): void {
  note({
    code: 'bad-function',
    what: `A view cannot use ${where}: ${problem}.`,
    remedy: 'Give a function that returns its value at once, from nothing but the row.',
    place,
  });
}

export function noteUnstorable(
  unstorable: readonly string[],
  where: string,
  place: string | null,
  note: Note,
): void {
  for (const what of unstorable)
    note({
      code: 'unstorable-column',
      what: `${where} has a schema whose values JSON cannot keep: ${what}.`,
      remedy:
        'Use instant() for points in time, a string for large integers, arrays and plain objects for the rest.',
      place,
    });
}
