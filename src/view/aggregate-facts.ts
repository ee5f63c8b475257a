import { z } from 'zod';
import type { AggregatorOptions } from '../circuit/aggregator.js';
import { AVERAGE_DIGITS } from '../circuit/aggregators/decimal-sum.js';
import { decimal } from './decimal.js';
import { arrayColumn, notNull, nullable, objectColumn, type Column } from './column.js';
import type { AggregateKind } from './aggregate-spec.js';
import type { Relation } from './relation.js';
import type { Explained } from './node-kind.js';

/** What there is to know of one kind of aggregate, before it meets rows. */
export interface AggregateFacts {
  /** What its column is for, as an infinitive: `There is no column "x" to sum.` */
  readonly purpose: string;
  /** What its column must hold. */
  readonly takes: Takes | ((options: AggregatorOptions) => Takes);
  /** What a change costs and what is kept of a group. */
  readonly keeps: Kept;
  /** The same over rows that are never retracted, where that is less. */
  readonly keepsOfAppended?: Kept;
  /** Rows are told apart by their place in a log: always, or where nothing else orders them. */
  readonly usesPlace?: true;
  /** It remembers too little to take a row back. What to write where rows may go. */
  readonly insteadIfRetracted?: string;
  /** Rises when what it keeps of a group is written otherwise: a part of fingerprints, so that views are rebuilt. */
  readonly storedForm?: number;
  /** The column it gives. A group that is shown has rows; null is possible where all of them may lack a value. */
  readonly column: (of: Summarized) => Column;
}

export type Takes =
  'anything' | 'values with an order' | 'numbers' | 'numbers or decimals' | 'booleans' | 'text';
export type Kept = Pick<Explained, 'cost' | 'growth'>;

/** What an aggregate was declared over. */
export interface Summarized {
  readonly name: string;
  /** The column it takes; null for rows, and for a test of them. */
  readonly value: Column | null;
  readonly by: Column | null;
  readonly input: Relation;
  readonly options: AggregatorOptions;
}

/** One accumulator, folded. */
const LINEAR: Kept = { cost: 'O(|Δ|)', growth: 'one entry per group' };
/** A sketch, of one size however many values there are. */
const SKETCH: Kept = { cost: 'O(|Δ|)', growth: 'one sketch per group' };
/** Each value in an order, and a place in it. */
const ORDERED: Kept = { cost: 'O(|Δ| log n)', growth: 'one entry per value of a group' };
/** Each value in an order, all of them shown. */
const HOLISTIC: Kept = { cost: 'holistic: O(group)', growth: 'one entry per value of a group' };

const of = (schema: z.ZodType, type: Column['type']): Column => ({ name: '', schema, type });
const INTEGER = of(z.int(), { kind: 'number', integer: true, nullable: false });
const NUMBER = of(z.number(), { kind: 'number', integer: false, nullable: false });
const BOOLEAN = of(z.boolean(), { kind: 'boolean', nullable: false });
const TEXT = of(z.string(), { kind: 'string', nullable: false });

const nullIf = (column: Column, isNullable: boolean | undefined): Column =>
  isNullable ? nullable(column) : column;
/** Null where all values may be. */
const nullAs = (column: Column, value: Column | null): Column => nullIf(column, value?.type.nullable);
const decimals = (scale: number): Column =>
  of(decimal(scale), { kind: 'string', format: 'decimal', scale, nullable: false });
/** Of decimals at their own scale. */
function sumOf({ type }: Column): Column {
  if (type.kind === 'string' && type.format === 'decimal') return decimals(type.scale);
  return type.kind === 'number' && type.integer ? INTEGER : NUMBER;
}
const averageOf = ({ type }: Column): Column =>
  type.kind === 'string' && type.format === 'decimal' ? decimals(type.scale + AVERAGE_DIGITS) : NUMBER;
const listOf = ({ name, value }: Summarized): Column => arrayColumn(name, notNull(value!));
const spread = ({ value, options }: Summarized): Column =>
  nullIf(NUMBER, options.population !== true || value!.type.nullable);
const chosenValue = ({ value, by }: Summarized): Column => nullIf(value!, by?.type.nullable);
const chosenRow = ({ name, value, by, input }: Summarized): Column =>
  nullIf(value ?? objectColumn(name, input.columns), by?.type.nullable);

const BUCKET = objectColumn('', [
  { ...nullable(NUMBER), name: 'from' },
  { ...nullable(NUMBER), name: 'to' },
  { ...INTEGER, name: 'count' },
]);

const extreme: AggregateFacts = {
  purpose: 'order',
  takes: 'values with an order',
  keeps: ORDERED,
  keepsOfAppended: LINEAR,
  column: ({ value }) => value!,
};
const chosen: AggregateFacts = {
  purpose: 'take',
  takes: 'anything',
  keeps: ORDERED,
  keepsOfAppended: LINEAR,
  column: chosenValue,
};
const counted: AggregateFacts = {
  purpose: 'count',
  takes: 'anything',
  keeps: LINEAR,
  column: () => INTEGER,
};
const summed: AggregateFacts = {
  purpose: 'sum',
  takes: 'numbers or decimals',
  keeps: LINEAR,
  column: ({ value }) => nullAs(sumOf(value!), value),
};
const truth: AggregateFacts = {
  purpose: 'test',
  takes: 'booleans',
  keeps: LINEAR,
  column: ({ value }) => nullAs(BOOLEAN, value),
};
const ranked: AggregateFacts = {
  purpose: 'rank',
  takes: 'numbers',
  keeps: ORDERED,
  column: ({ value }) => nullAs(NUMBER, value),
};
const listed: AggregateFacts = { purpose: 'collect', takes: 'anything', keeps: HOLISTIC, column: listOf };

/** All kinds of aggregates: what they take, give, cost and keep. */
export const aggregateFacts: Readonly<Record<AggregateKind, AggregateFacts>> = {
  count: counted,
  countIf: counted,
  countDistinct: { ...counted, takes: 'values with an order', keeps: ORDERED },
  sum: summed,
  sumIf: { ...summed, column: ({ value }) => nullable(sumOf(value!)) },
  avg: { ...summed, purpose: 'average', column: ({ value }) => nullAs(averageOf(value!), value) },
  variance: { ...summed, takes: 'numbers', purpose: 'take the variance of', column: spread },
  stddev: { ...summed, takes: 'numbers', purpose: 'take the deviation of', column: spread },
  every: truth,
  some: truth,
  histogram: {
    ...summed,
    takes: 'numbers',
    purpose: 'put into buckets',
    column: ({ name }) => arrayColumn(name, BUCKET),
  },
  min: extreme,
  max: extreme,
  first: { ...chosen, usesPlace: true },
  last: { ...chosen, usesPlace: true },
  minBy: { ...chosen, column: chosenRow },
  maxBy: { ...chosen, column: chosenRow },
  median: ranked,
  percentile: {
    ...ranked,
    takes: ({ discrete }) => (discrete ? 'values with an order' : 'numbers'),
    column: ({ value, options }) => (options.discrete ? value! : nullAs(NUMBER, value)),
  },
  topK: { purpose: 'order', takes: 'values with an order', keeps: ORDERED, column: listOf },
  collect: listed,
  collectDistinct: listed,
  approxCountDistinct: {
    ...counted,
    takes: 'values with an order',
    keeps: SKETCH,
    insteadIfRetracted: 'countDistinct',
  },
  approxPercentile: { ...ranked, keeps: SKETCH, storedForm: 2 },
  approxTopK: {
    purpose: 'count',
    takes: 'values with an order',
    keeps: SKETCH,
    usesPlace: true,
    insteadIfRetracted: 'groupBy, count and top',
    column: ({ name, value }) =>
      arrayColumn(
        name,
        objectColumn('', [
          { ...notNull(value!), name: 'value' },
          { ...INTEGER, name: 'count' },
        ]),
      ),
  },
  approxContains: {
    purpose: 'find',
    takes: 'values with an order',
    keeps: SKETCH,
    insteadIfRetracted: 'collectDistinct',
    column: () => TEXT,
  },
  joinText: { ...listed, purpose: 'join', takes: 'text', column: ({ value }) => nullAs(TEXT, value) },
};

/** Whether a kind, of rows that are never retracted, keeps too little to take one back. */
export const takesNoneBack = (kind: AggregateKind): boolean =>
  aggregateFacts[kind].keepsOfAppended !== undefined || aggregateFacts[kind].insteadIfRetracted !== undefined;

/**
 * Whether rows can be folded before they are moved, and what is folded merged: the accumulator is all that is kept, and the
 * order of rows has no part in it.
 */
export function foldsInParts(kind: AggregateKind, appendOnly: boolean): boolean {
  const { keeps, keepsOfAppended, usesPlace } = aggregateFacts[kind];
  const kept = appendOnly ? (keepsOfAppended ?? keeps) : keeps;
  return usesPlace !== true && (kept === LINEAR || kept === SKETCH);
}

/** Whether what is folded of two panes of a window can be merged: the accumulator is all that is kept. */
export function mergesPanes(kind: AggregateKind, appendOnly: boolean): boolean {
  const kept = keptOf([kind], appendOnly);
  return kept === LINEAR || kept === SKETCH;
}

export const keepsSketch = (kind: AggregateKind): boolean => aggregateFacts[kind].keeps === SKETCH;

/** What all of these aggregates together cost and keep: the most of any. */
export function keptOf(kinds: readonly AggregateKind[], appendOnly: boolean): Kept {
  const kept = kinds.map((kind) => {
    const { keeps, keepsOfAppended } = aggregateFacts[kind];
    return appendOnly ? (keepsOfAppended ?? keeps) : keeps;
  });
  return [HOLISTIC, ORDERED, SKETCH].find((most) => kept.includes(most)) ?? LINEAR;
}
