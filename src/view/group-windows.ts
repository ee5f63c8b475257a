import { aggregateSpec, type NamedAggregate } from './aggregate-spec.js';
import { max } from './ordered-aggregates.js';
import type { AggregateRequest } from './aggregates.js';
import type { Build } from './build.js';
import type { NamedExpression } from './expression.js';
import { columnAt } from './column.js';
import { groupedBy } from './exchange.js';
import type { Groups } from './group-nodes.js';
import { withComputed } from './grouped-rows.js';
import type { PlanNode, SessionNode, SlidingNode } from './plan.js';
import { asItIs, type NamedPath } from './projected.js';
import { sessionEnd, sessionRelation, slidingRelation, WINDOW_COLUMNS } from './time-relation.js';

/** What is asked of windows that follow from a group's rows, before the groups are. */
export interface GroupWindow {
  readonly kind: 'session' | 'sliding';
  /** The gap between sessions, the size of sliding windows. */
  readonly ms: number;
  readonly column: string;
}

/** Puts rows into windows within the groups of these columns. */
export function inGroupWindows(
  rows: PlanNode,
  { kind, ms, column }: GroupWindow,
  by: readonly NamedExpression[],
  build: Build,
): Groups {
  for (const name of WINDOW_COLUMNS)
    if (by.some((one) => one.name === name))
      build.note({
        code: 'column-twice',
        what: `A column to group by is named "${name}", as one of the ${kind === 'session' ? 'session' : 'window'} is.`,
        remedy: 'Give it another name.',
        place: build.place,
      });
  const { node: columns, by: paths } = withComputed(build, rows, by);
  const per = paths.map(({ value }) => value.path);
  const input = groupedBy(build, columns, per, kind === 'session' ? 'put in sessions' : 'put in windows');
  const { place } = build;
  if (kind === 'sliding') {
    const relation = slidingRelation(input.relation, column, ms);
    const node: SlidingNode = Object.freeze({
      op: 'sliding',
      input,
      sizeMs: ms,
      column,
      per,
      relation,
      place,
    });
    const grouped = [...paths, ...WINDOW_COLUMNS.map((name) => windowColumn(node, name))];
    const key = grouped.slice(0, -1).map(({ name }) => name);
    return { input: node, by: grouped, place, key };
  }
  const relation = sessionRelation(input.relation);
  const node: SessionNode = Object.freeze({ op: 'session', input, gapMs: ms, column, per, relation, place });
  const grouped = [...paths, windowColumn(node, WINDOW_COLUMNS[0])];
  const over = sessionEnd(input.relation, column);
  return { input: node, by: grouped, place, before: [sessionEnds(node)], over };
}

const windowColumn = ({ relation: { columns } }: PlanNode, name: string): NamedPath =>
  asItIs(columnAt(columns, name)!);

/** The result that is a session's end: the latest that any of its rows makes it. */
const sessionEnds = ({ relation }: SessionNode): NamedAggregate => {
  const [, name] = WINDOW_COLUMNS;
  const request = max<{ windowEnd: string }, 'windowEnd'>(name) as unknown as AggregateRequest;
  return { name, aggregate: aggregateSpec(name, request, relation, { note: () => {} }) };
};
