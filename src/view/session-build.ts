import { aggregateSpec } from './aggregate-spec.js';
import { max } from './ordered-aggregates.js';
import type { AggregateRequest } from './aggregates.js';
import type { Build, NamedExpression } from './build.js';
import { columnAt } from './columns.js';
import { groupedBy } from './exchange.js';
import { withComputed } from './grouped-rows.js';
import type { AggregateNode, ColumnWatermark, PlanNode, SessionNode } from './plan.js';
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
  const { node: columns, by: paths } = withComputed(build, rows, by);
  const per = paths.map(({ value }) => value.path);
  const input = groupedBy(build, columns, per, 'put in sessions');
  const node: SessionNode = Object.freeze({
    op: 'session',
    input,
    gapMs,
    column,
    per,
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
