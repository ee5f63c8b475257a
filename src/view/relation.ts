import { z } from 'zod';
import { PART } from '../circuit/operators/parts.js';
import type { ColumnTime } from '../circuit/time.js';
import { nullable, renamed, type Column } from './column.js';
import type { NamedExpression } from './expression.js';
import { inputNameOf, type SourceDeclaration } from './declarations.js';
import { freezing } from './freezing.js';
import type { PlanNode } from './plan.js';

/** What is known of a collection at declaration. */
export interface Relation {
  /** In order: the order of the fields of its rows. */
  readonly columns: readonly Column[];
  /** Columns that identify a row, if any are known to. */
  readonly uniqueKey: readonly string[] | null;
  /** No row is ever retracted. */
  readonly appendOnly: boolean;
  /** The one stream its rows come from without a stateful operator between, so that each has a place in the log; null otherwise. */
  readonly log: string | null;
  /** No two rows of a partition share their place in its log. */
  readonly ownPlace?: boolean;
  /**
   * Columns of this relation whose values decide the partition a row is in, per input partitioning; null where no
   * longer known. Two relations can be joined, or one grouped, without an exchange where these agree.
   */
  readonly partitionedBy: readonly string[] | null;
  readonly partitions: number;
  /** Columns of which it is known, as time passes, that no smaller values come any more. */
  readonly watermarks: readonly ColumnWatermark[];
  /**
   * Rows may be late: they come from a stream with a lateness through operators that keep nothing. The watermarks hold
   * for those that are not.
   */
  readonly lates: boolean;
}

/** A column that holds instants, and how its watermark follows from those of sources. */
export interface ColumnWatermark {
  readonly column: string;
  readonly time: ColumnTime;
}

/** What is known of the rows of a plan's nodes. Each function gives the relation of one kind of node. */

export function sourceRelation(source: SourceDeclaration): Relation {
  if (source.kind === 'view') {
    const { partitionedBy, watermarks, lates } = source.plan.relation;
    return {
      columns: source.columns,
      uniqueKey: source.key,
      appendOnly: false,
      log: null,
      partitions: source.partitions,
      partitionedBy,
      // A changelog does not say which rows were late.
      watermarks: lates ? [] : watermarks,
      lates: false,
    };
  }
  const timed = source.kind === 'stream' && source.eventTime !== null && source.latenessMs !== null;
  const decidedBy = source.kind === 'table' ? source.key : source.partitionBy;
  return {
    columns: source.columns,
    uniqueKey: source.kind === 'table' ? source.key : null,
    appendOnly: source.kind === 'stream',
    log: source.kind === 'stream' ? source.name : null,
    ownPlace: source.kind === 'stream',
    partitions: source.partitions,
    partitionedBy: source.partitions === 1 ? [] : decidedBy,
    watermarks: timed
      ? [{ column: source.eventTime!, time: [{ source: inputNameOf(source), delayMs: 0 }] }]
      : [],
    lates: timed,
  };
}

/** Events of some types: their columns, of which all that places or dates an event are in every variant. */
export const ofRelation = (input: Relation, columns: readonly Column[]): Relation => ({ ...input, columns });

export function selectRelation(input: Relation, columns: readonly NamedExpression[]): Relation {
  return {
    ...input,
    columns: columns.map(({ name, value }) => renamed(value.column, name)),
    uniqueKey: renamedColumns(input.uniqueKey, columns) ?? placeKey(input, columns),
    partitionedBy: renamedColumns(input.partitionedBy, columns),
    watermarks: renamedWatermarks(input.watermarks, columns),
  };
}

/** The column that holds each row's own place in the log, after what decides in which partition's: each has places of its own. */
function placeKey(input: Relation, columns: readonly NamedExpression[]): readonly string[] | null {
  const place = columns.find(({ value }) => value.kind === 'position');
  if (place === undefined || input.log === null || !input.ownPlace) return null;
  const partition = input.partitions === 1 ? [] : renamedColumns(input.partitionedBy, columns);
  return partition && [...partition, place.name];
}

export const flatMapRelation = (input: Relation, columns: readonly Column[]): Relation => ({
  ...input,
  columns,
  uniqueKey: null,
  partitionedBy: input.partitions === 1 ? [] : null,
  watermarks: [],
});

export const unnestRelation = (input: Relation, element: Column): Relation => ({
  ...input,
  columns: [...input.columns, element],
  uniqueKey: null,
});

export function unionRelation(inputs: readonly [Relation, ...Relation[]]): Relation {
  const [first, ...rest] = inputs;
  return {
    columns: first.columns.map((column, index) =>
      rest.some((input) => input.columns[index]?.type.nullable) ? nullable(column) : column,
    ),
    uniqueKey: null,
    appendOnly: inputs.every((input) => input.appendOnly),
    log: rest.every((input) => input.log === first.log) ? first.log : null,
    partitions: Math.max(...inputs.map((input) => input.partitions)),
    partitionedBy: rest.every(
      (input) => input.partitions === first.partitions && sameNames(input.partitionedBy, first.partitionedBy),
    )
      ? first.partitionedBy
      : null,
    watermarks: first.watermarks.flatMap(({ column, time }) => {
      const others = rest.map((input) => input.watermarks.find((other) => other.column === column));
      if (others.includes(undefined)) return [];
      return [{ column, time: [...time, ...others.flatMap((other) => other!.time)] }];
    }),
    lates: inputs.some((input) => input.lates),
  };
}

/** Rows come in the order of no log any more. */
export const exchangeRelation = (input: Relation, by: readonly string[], partitions: number): Relation => ({
  ...input,
  log: null,
  ownPlace: false,
  partitions: by.length === 0 ? 1 : partitions,
  partitionedBy: by,
});

export const distinctRelation = (input: Relation): Relation => ({
  ...input,
  uniqueKey: input.uniqueKey ?? input.columns.map((column) => column.name),
  log: null,
  // Late rows are left out before.
  watermarks: freezing(input),
  lates: false,
});

export const aggregateRelation = (
  input: Relation,
  by: readonly NamedExpression[],
  results: readonly Column[],
  key: readonly string[] = by.map(({ name }) => name),
  over?: ColumnWatermark,
): Relation => ({
  columns: [...by.map(({ name, value }) => renamed(value.column, name)), ...results],
  uniqueKey: key,
  appendOnly: false,
  log: null,
  partitions: input.partitions,
  partitionedBy: renamedColumns(input.partitionedBy, by),
  // Late rows are left out before.
  watermarks: [...renamedWatermarks(freezing(input), by), ...(over ? [over] : [])],
  lates: false,
});

const PART_COLUMN: Column = { name: PART, schema: z.string(), type: { kind: 'string', nullable: false } };

/** Of parts of groups, each of one tick: rows whose group never loses any are said to be only added, as its rows are. */
export const partsRelation = (input: Relation, by: readonly NamedExpression[]): Relation => ({
  ...input,
  columns: [...by.map(({ name, value }) => renamed(value.column, name)), PART_COLUMN],
  uniqueKey: null,
  log: null,
  ownPlace: false,
  partitionedBy: renamedColumns(input.partitionedBy, by),
  // Late rows are left out before.
  watermarks: renamedWatermarks(freezing(input), by),
  lates: false,
});

/** The names that columns have after a projection; null if one of them does not come through as it is. */
function renamedColumns(
  names: readonly string[] | null,
  columns: readonly NamedExpression[],
): readonly string[] | null {
  if (names === null) return null;
  const found = names.map(
    (name) => columns.find(({ value }) => value.kind === 'path' && value.path === name)?.name,
  );
  return found.every((name) => name !== undefined) ? (found as string[]) : null;
}

/** Watermarks of columns that come through as they are, under their new names; a column may come through twice. */
const renamedWatermarks = (
  watermarks: readonly ColumnWatermark[],
  columns: readonly NamedExpression[],
): readonly ColumnWatermark[] =>
  columns.flatMap(({ name, value }) => {
    if (value.kind !== 'path') return [];
    const watermark = watermarks.find(({ column }) => column === value.path);
    return watermark ? [{ column: name, time: watermark.time }] : [];
  });

const sameNames = (left: readonly string[] | null, right: readonly string[] | null): boolean =>
  left !== null &&
  right !== null &&
  left.length === right.length &&
  left.every((name, index) => name === right[index]);

export const columnNames = (node: PlanNode | Relation): string => {
  const { columns } = 'relation' in node ? node.relation : node;
  return columns.map((column) => column.name).join(', ') || '(none)';
};

export const partitionText = ({ relation: { partitions, partitionedBy } }: PlanNode): string =>
  partitions === 1
    ? '1 partition'
    : `${partitions} partitions by ${partitionedBy?.join(', ') ?? 'what is no longer a column'}`;

/** Each row comes once, under a key that no other has, and never goes: nobody need look what was there. */
export const onlyComes = ({ appendOnly, uniqueKey }: Relation, key: readonly string[]): boolean =>
  appendOnly && uniqueKey !== null && uniqueKey.every((name) => key.includes(name));
