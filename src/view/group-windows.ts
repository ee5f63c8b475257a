import { aggregateSpec } from './aggregate-spec.js';
import { max } from './ordered-aggregates.js';
import type { AggregateRequest } from './aggregates.js';
import type { Build, NamedExpression } from './build.js';
import { columnAt } from './columns.js';
import type { AggregateNode, ColumnWatermark, PlanNode, SessionNode, SlidingNode } from './plan.js';
import { selectRelation } from './relation.js';
import { sessionEnd, sessionRelation, slidingRelation, WINDOW_COLUMNS } from './time-relation.js';

/** What is asked of windows that follow from a group's rows, before the groups are. */
export interface GroupWindow {
  readonly kind: 'session' | 'sliding';
  /** The gap between sessions, the size of sliding windows. */
  readonly ms: number;
  readonly column: string;
}

/** Rows with their windows, and how they are grouped then. */
export interface InGroupWindows {
  readonly node: PlanNode;
  readonly grouped: readonly NamedExpression[];
  /** The columns that identify a group; all, if not said. */
  readonly key?: readonly string[];
  /** Results that come before those that are asked for. */
  readonly before: AggregateNode['aggregates'];
  /** One of them, by which groups are over. */
  readonly over: ColumnWatermark | undefined;
}

/** Puts rows into windows within the groups of these columns. */
export function inGroupWindows(
  rows: PlanNode,
  { kind, ms, column }: GroupWindow,
  by: readonly NamedExpression[],
  build: Build,
): InGroupWindows {
  for (const name of WINDOW_COLUMNS)
    if (by.some((one) => one.name === name))
      build.note({
        code: 'column-twice',
        what: `A column to group by is named "${name}", as one of the ${kind === 'session' ? 'session' : 'window'} is.`,
        remedy: 'Give it another name.',
        place: build.place,
      });
  const { input, paths } = withComputed(rows, by, build);
  const per = paths.map(({ value }) => value.path);
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
    const grouped = [...paths, ...WINDOW_COLUMNS.map((name) => named(node, name))];
    const key = grouped.slice(0, -1).map(({ name }) => name);
    return { node, grouped, key, before: [], over: undefined };
  }
  const relation = sessionRelation(input.relation);
  const node: SessionNode = Object.freeze({ op: 'session', input, gapMs: ms, column, per, relation, place });
  const grouped = [...paths, named(node, WINDOW_COLUMNS[0])];
  return { node, grouped, before: [sessionEnds(node)], over: sessionEnd(input.relation, column) };
}

/** A column of a node's rows, as it is. */
const named = ({ relation }: PlanNode, name: string): NamedExpression => ({
  name,
  value: { kind: 'path', path: name, column: columnAt(relation.columns, name)! },
});

/** The result that is a session's end: the latest that any of its rows makes it. */
const sessionEnds = ({ relation }: SessionNode): AggregateNode['aggregates'][number] => {
  const [, name] = WINDOW_COLUMNS;
  const request = max<{ windowEnd: string }, 'windowEnd'>(name) as unknown as AggregateRequest;
  return { name, aggregate: aggregateSpec(name, request, relation, { note: () => {} }) };
};

interface NamedPath extends NamedExpression {
  readonly value: Extract<NamedExpression['value'], { kind: 'path' }>;
}

/** What is computed to group by becomes a column of the rows: windows within groups are of columns. */
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
