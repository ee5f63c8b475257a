import type { ColumnTime } from '../circuit/time.js';
import type { Build } from './build.js';
import { columnAt } from './columns.js';
import { pathOf } from './expression.js';
import { freezing, tightest } from './freezing.js';
import { nodesOf } from './plan-nodes.js';
import type { ColumnType, PlanNode, Relation } from './plan.js';

/** A column of instants that was named. */
export function namedTime(plan: PlanNode, name: unknown, purpose: string, build: Build): string {
  const column = pathOf(plan.relation, name, { purpose, ...build });
  if (!isInstant(column.type))
    build.noteType(column, `is to ${purpose} and does not hold instants`, `Declare it as instant().`);
  return String(name);
}

/** The column that says when a row was, where none is named: that with a watermark, else the stream's event time. Null, noted, if there is none. */
export function ownTime(
  plan: PlanNode,
  asked: string,
  build: Build,
  option = asked === 'window()' ? 'on' : 'by',
): string | null {
  const { relation } = plan;
  const column = tightest(freezing(relation))?.column ?? eventTimeOf(plan);
  if (column !== null) return column;
  build.note({
    code: 'no-time-column',
    what: `Nothing says which time of its rows ${asked} means.`,
    evidence: { instants: instantsOf(relation).join(', ') || '(none)' },
    remedy: `Name a column of instants: { ${option}: '…' }.`,
    place: build.place,
  });
  return null;
}

/** The only event time of the streams it is made of that is a column still. */
function eventTimeOf(plan: PlanNode): string | null {
  const names = new Set<string>();
  for (const node of nodesOf(plan)) {
    if (node.op !== 'source' || node.source.kind !== 'stream' || node.source.eventTime === null) continue;
    const column = columnAt(plan.relation.columns, node.source.eventTime);
    if (column !== null && isInstant(column.type)) names.add(node.source.eventTime);
  }
  return names.size === 1 ? [...names][0]! : null;
}

/** The sources whose present is now, for rows with this column: those of its watermark, else all that have a time. */
export function timeOf(plan: PlanNode, column: string): ColumnTime {
  const watermark = plan.relation.watermarks.find((one) => one.column === column);
  return watermark?.time ?? [...streamsOf(plan)].map((source) => ({ source, delayMs: 0 }));
}

function streamsOf(plan: PlanNode, found = new Set<string>()): Set<string> {
  for (const node of nodesOf(plan))
    if (node.op === 'source') {
      if (node.source.kind === 'stream') found.add(`stream:${node.source.name}`);
      else if (node.source.kind === 'view') streamsOf(node.source.plan, found);
    }
  return found;
}

export const instantsOf = ({ columns }: Relation): string[] =>
  columns.filter(({ type }) => isInstant(type)).map(({ name }) => name);

const isInstant = (type: ColumnType): boolean => type.kind === 'string' && type.format === 'instant';
