import type { ColumnTime } from '../circuit/time.js';
import type { Build } from './build.js';
import { columnAt, isInstant } from './column.js';
import type { Relation } from './relation.js';
import { inputNameOf, type SourceDeclaration, type ViewDeclaration } from './declarations.js';
import { pathOf } from './expression.js';
import { freezing, tightest } from './freezing.js';
import { inputsOf, sourcesOf } from './plan-nodes.js';
import type { PlanNode } from './plan.js';

/** A column of instants that was named. */
export function namedTime(plan: PlanNode, name: unknown, purpose: string, build: Build): string {
  const column = pathOf(plan.relation, name, { purpose, ...build });
  if (!isInstant(column.type))
    build.noteType(column, `is to ${purpose} and does not hold instants`, `Declare it as instant().`);
  return String(name);
}

/**
 * The column that says when a row was, where none is named: the event time, as it came; else the column with a watermark. Rows are
 * the same whether a lateness is declared or not: a column that only has the event time's name is taken where it is the only
 * column of instants. Null, noted, if there is none.
 */
export function ownTime(
  plan: PlanNode,
  asked: string,
  build: Build,
  option = asked === 'window()' ? 'on' : 'by',
): string | null {
  const { relation } = plan;
  const named = eventTimeOf(plan);
  if (named !== null && isPassedOn(plan, named)) return named;
  const column = tightest(freezing(relation))?.column ?? (instantsOf(relation).length === 1 ? named : null);
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

/** The only event time of what it is made of that is a column still: of streams, else of tables. */
function eventTimeOf(plan: PlanNode): string | null {
  const names = new Set<string>();
  for (const { eventTime } of streamsElseTables(recordSources(plan))) {
    const column = columnAt(plan.relation.columns, eventTime!);
    if (column !== null && isInstant(column.type)) names.add(eventTime!);
  }
  return names.size === 1 ? [...names][0]! : null;
}

/** Whether a column is its source's of this name, and nothing that was made on the way. */
function isPassedOn(plan: PlanNode, name: string): boolean {
  if ('fn' in plan || 'state' in plan) return false;
  const made = plan.op === 'select' ? plan.columns : 'by' in plan && 'aggregates' in plan ? plan.by : null;
  if (made !== null) {
    const value = made.find((one) => one.name === name)?.value;
    if (value?.kind !== 'path' || value.path !== name) return false;
  }
  const inputs = inputsOf(plan).filter(({ relation }) => columnAt(relation.columns, name) !== null);
  return ('left' in plan ? inputs.slice(0, 1) : inputs).every((input) => isPassedOn(input, name));
}

/**
 * The sources whose present is now, for rows with this column: those of its watermark, else all that have a time. Of tables only
 * where no stream is among them.
 */
export function timeOf(plan: PlanNode, column: string): ColumnTime {
  const watermark = plan.relation.watermarks.find((one) => one.column === column);
  if (watermark !== undefined) {
    const ofStreams = watermark.time.filter(({ source }) => source.startsWith('stream:'));
    return ofStreams.length > 0 ? ofStreams : watermark.time;
  }
  return streamsElseTables(recordSourcesBelow(plan)).map((source) => ({
    source: inputNameOf(source),
    delayMs: 0,
  }));
}

type RecordSource = Exclude<SourceDeclaration, ViewDeclaration>;

/**
 * The sources that tell the time of their rows. Tables tell it where no stream does: beside a stream that goes on, a table that
 * nobody changes would hold it back.
 */
function streamsElseTables(sources: readonly RecordSource[]): readonly RecordSource[] {
  const timed = sources.filter(({ eventTime }) => eventTime !== null);
  const streams = timed.filter(({ kind }) => kind === 'stream');
  return streams.length > 0 ? streams : timed;
}

const recordSources = (plan: PlanNode): RecordSource[] =>
  sourcesOf(plan).filter((source): source is RecordSource => source.kind !== 'view');

/** Those too that only its upstream views read. */
export function recordSourcesBelow(plan: PlanNode): RecordSource[] {
  const found = sourcesOf(plan).flatMap((source) =>
    source.kind === 'view' ? recordSourcesBelow(source.plan) : [source],
  );
  return [...new Map(found.map((source) => [inputNameOf(source), source])).values()];
}

const instantsOf = ({ columns }: Relation): string[] =>
  columns.filter(({ type }) => isInstant(type)).map(({ name }) => name);
