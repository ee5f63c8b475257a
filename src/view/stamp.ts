import type { z } from 'zod';
import type { Column } from './column.js';
import { elementSchema } from './columns.js';
import type { SourceDeclaration, StreamDeclaration, ViewDeclaration } from './declarations.js';
import { type instant, markedInstant } from './instant.js';
import { nodesOf, sourcesOf } from './plan-nodes.js';
import { variantsOfSchema } from './variants.js';

/**
 * A time that no event says: when its entry was appended, which its id in the log tells, or when a worker took it, which the
 * log does not tell.
 */
export type Stamp = 'entry' | 'processing';

type StampedSchema = z.ZodDefault<ReturnType<typeof instant>>;

/**
 * A column of a stream that holds when an event's entry was appended: the milliseconds of its id in Redis. Events leave it
 * out; what one says there is replaced. As `eventTime` it makes ingestion time, which is part of the log: a replay gives the same.
 */
export const entryTime = (): StampedSchema => stamped('entry');

/**
 * A column of a stream that holds when a worker first took an event for its views, by the clock of its machine. Events leave it out; what one
 * says there is replaced. **A replay gives other times**: views of it are not a function of the log, cannot be verified, and
 * change when they are rebuilt. `entryTime()` mostly does as well, and has none of this.
 */
export const processingTime = (): StampedSchema => stamped('processing');

/** Registered, so that a schema made by another copy of this module is still known for what it is. */
const STAMP = Symbol.for('stillwater.stamp');

/** Stands in for the time until it is known. */
const UNKNOWN = '1970-01-01T00:00:00.000Z';

const DESCRIPTIONS: Readonly<Record<Stamp, string>> = {
  entry: 'When it was appended. Given by Stillwater: what an event says here is replaced.',
  processing: 'When it was processed. Given by Stillwater: what an event says here is replaced.',
};

const stamped = (stamp: Stamp): StampedSchema =>
  markedInstant(STAMP, stamp).default(UNKNOWN).meta({ description: DESCRIPTIONS[stamp], readOnly: true });

/** The time that a schema stands for, whatever is around it; null of any other. */
function stampOf(schema: z.core.$ZodType): Stamp | null {
  if (STAMP in schema) return schema[STAMP] as Stamp;
  const { innerType, out } = schema._zod.def as { innerType?: z.core.$ZodType; out?: z.core.$ZodType };
  const within = innerType ?? out;
  return within === undefined ? null : stampOf(within);
}

/** The columns of a stream, where its events are of several types those of each. */
function columnsOfEvents(schema: z.core.$ZodType, columns: readonly Column[]): readonly Column[] {
  const variants = variantsOfSchema(schema);
  return variants === null ? columns : variants.variants.flatMap((variant) => variant.columns);
}

/** The columns of a stream that are given a time, by name. */
export function stampsOf(schema: z.core.$ZodType, columns: readonly Column[]): ReadonlyMap<string, Stamp> {
  return new Map(
    columnsOfEvents(schema, columns).flatMap(({ name, schema }) => {
      const stamp = stampOf(schema);
      return stamp === null ? [] : [[name, stamp] as const];
    }),
  );
}

/** Of those the columns that some types of event are given, and others say themselves or are given otherwise. */
export function stampedApart(schema: z.core.$ZodType, columns: readonly Column[]): readonly string[] {
  const stamps = stampsOf(schema, columns);
  const apart = columnsOfEvents(schema, columns).filter(
    (column) => stamps.has(column.name) && stampOf(column.schema) !== stamps.get(column.name),
  );
  return [...new Set(apart.map(({ name }) => name))];
}

/** Whether a column has such a time within it, where it would not be found. */
export function stampedWithin({ schema, type }: Pick<Column, 'schema' | 'type'>): boolean {
  const within =
    type.kind === 'object'
      ? type.columns
      : type.kind === 'array'
        ? [{ schema: elementSchema(schema), type: type.element }]
        : [];
  return within.some((part) => stampOf(part.schema) !== null || stampedWithin(part));
}

/** Whether a source gives its rows the time of their processing. */
export const isOfProcessing = (source: SourceDeclaration): source is StreamDeclaration =>
  source.kind === 'stream' && [...stampsOf(source.schema, source.columns).values()].includes('processing');

/** The streams that a view itself reads whose rows hold the time of their processing; not those of the views that it reads. */
export const takenWhenProcessed = ({ plan }: Pick<ViewDeclaration, 'plan'>): readonly StreamDeclaration[] =>
  sourcesOf(plan).filter(isOfProcessing);

/** Whether rows depend on when they were processed, by whatever way: they are not a function of the log. */
export const dependsOnProcessing = (view: Pick<ViewDeclaration, 'plan'>): boolean =>
  sourcesOf(view.plan).some((source) =>
    source.kind === 'view' ? dependsOnProcessing(source) : isOfProcessing(source),
  );

/** Whether rows are moved between partitions on their way through a plan. */
export const movesRows = ({ plan }: Pick<ViewDeclaration, 'plan'>): boolean =>
  nodesOf(plan).some(({ op }) => op === 'exchange');
