import { z } from 'zod';
import type { Build } from './build.js';
import { elementSchema, isSchema } from './columns.js';
import { pathOf } from './expression.js';
import { noteOptions } from './options.js';
import type { FlatMapNode, PlanNode, SelectNode, UnnestNode, WhereNode } from './plan.js';
import type { Column } from './column.js';
import { projected } from './projected.js';
import { flatMapRelation, unnestRelation } from './relation.js';
import { userFunction } from './user-function.js';

/** The nodes of the operators that look at one row at a time, made of what was written. */

export function whereNode(build: Build, input: PlanNode, predicate: unknown): WhereNode {
  build.check(predicate, 'the function of where()');
  return {
    op: 'where',
    input,
    predicate: userFunction(predicate as (row: unknown) => boolean),
    relation: input.relation,
    place: build.place,
  };
}

export const selectNode = (build: Build, input: PlanNode, columns: unknown): SelectNode =>
  projected(input, build.columns(columns, 'select'), build.place);

/** Stands for the schema of rows that have none, which is noted. */
const NO_COLUMNS = z.object({});

export function flatMapNode(build: Build, input: PlanNode, row: z.core.$ZodType, fn: unknown): FlatMapNode {
  build.check(fn, 'the function of flatMap()');
  const columns = build.rowColumns(row, 'flatMap()');
  return {
    op: 'flatMap',
    input,
    fn: userFunction(fn as (row: unknown) => Iterable<unknown>),
    row: isSchema(row) ? row : NO_COLUMNS,
    relation: flatMapRelation(input.relation, columns),
    place: build.place,
  };
}

export function unnestNode(
  build: Build,
  input: PlanNode,
  path: unknown,
  options: { readonly as: unknown },
): UnnestNode {
  noteOptions(options, 'unnest', build);
  const as = String(options?.as);
  const column = pathOf(input.relation, path, { purpose: 'unnest', ...build });
  let element: Column = { name: as, schema: column.schema, type: column.type };
  if (column.type.kind === 'array')
    element = { name: as, schema: elementSchema(column.schema), type: column.type.element };
  else build.noteType(column, 'is unnested and does not hold an array', 'Unnest a column of arrays.');
  build.noteTaken([as]);
  return {
    op: 'unnest',
    input,
    path: String(path),
    as,
    relation: unnestRelation(input.relation, element),
    place: build.place,
  };
}
