import { aggregateSpec } from './aggregate-spec.js';
import { max } from './ordered-aggregates.js';
import type { AggregateRequest } from './aggregates.js';
import type { Build, NamedExpression } from './build.js';
import { columnAt } from './columns.js';
import type { AggregateNode, ColumnWatermark, PlanNode, SessionNode } from './plan.js';
import { selectRelation } from './relation.js';
import { sessionEnd, sessionRelation, WINDOW_COLUMNS } from './time-relation.js';

/** What is asked of sessions before their groups are. */
export interface SessionsOf {
  readonly gapMs: number;
  readonly column: string;
}

/** Rows with their sessions, what they are grouped by then, and when groups are over. */
export function sessionNode(
  rows: PlanNode,
  { gapMs, column }: SessionsOf,
  by: readonly NamedExpression[],
  build: Build,
): { node: SessionNode; grouped: readonly NamedExpression[]; over: ColumnWatermark | undefined } {
  for (const name of WINDOW_COLUMNS)
    if (by.some((one) => one.name === name))
      build.note({
        code: 'column-twice',
        what: `A column to group by is named "${name}", as one of the session is.`,
        remedy: 'Give it another name.',
        place: build.place,
      });
  const { input, paths } = withComputed(rows, by, build);
  const node: SessionNode = Object.freeze({
    op: 'session',
    input,
    gapMs,
    column,
    per: paths.map(({ value }) => value.path),
    relation: sessionRelation(input.relation),
    place: build.place,
  });
  const start = columnAt(node.relation.columns, WINDOW_COLUMNS[0])!;
  return {
    node,
    grouped: [...paths, { name: start.name, value: { kind: 'path', path: start.name, column: start } }],
    over: sessionEnd(input.relation, column),
  };
}

/** The result that is a session's end: the latest that any of its rows makes it. */
export const sessionEnds = ({ relation }: SessionNode): AggregateNode['aggregates'][number] => {
  const [, name] = WINDOW_COLUMNS;
  const request = max<{ windowEnd: string }, 'windowEnd'>(name) as unknown as AggregateRequest;
  return { name, aggregate: aggregateSpec(name, request, relation, { note: () => {} }) };
};

interface NamedPath extends NamedExpression {
  readonly value: Extract<NamedExpression['value'], { kind: 'path' }>;
}

/** What is computed to group by becomes a column of the rows: sessions are of columns. */
function withComputed(
  rows: PlanNode,
  by: readonly NamedExpression[],
  build: Build,
): { input: PlanNode; paths: readonly NamedPath[] } {
  const computed = by.filter(({ value }) => value.kind !== 'path');
  const pathTo = (path: string, { value: { column } }: NamedExpression): NamedPath['value'] => ({
    kind: 'path',
    path,
    column,
  });
  const paths = by.map((one): NamedPath => ({
    name: one.name,
    value: one.value.kind === 'path' ? one.value : pathTo(one.name, one),
  }));
  if (computed.length === 0) return { input: rows, paths };
  build.noteTaken(computed.map(({ name }) => name));
  const columns = [
    ...rows.relation.columns.map((column): NamedExpression => ({
      name: column.name,
      value: { kind: 'path', path: column.name, column },
    })),
    ...computed,
  ];
  const input: PlanNode = Object.freeze({
    op: 'select',
    input: rows,
    columns,
    relation: selectRelation(rows.relation, columns),
    place: build.place,
  });
  return { input, paths };
}
