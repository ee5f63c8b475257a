import type { Collection } from './collection.js';
import type { Rows } from './collection-types.js';
import { Declared } from './declared.js';
import type { Duration } from './duration.js';
import { fingerprintOf } from './fingerprint.js';
import type { CheckedOrder } from './order-type.js';
import { placeOfDeclaration } from './place.js';
import type { ViewDeclaration } from './declarations.js';
import { problemsOf } from './problem.js';
import type { KeyColumns, Names, Stream } from './stream.js';
import type { Table } from './table.js';
import { ViewOptionReader, type Index } from './view-options.js';
import type { ViewTypeError } from './view-type-error.js';

type CheckedIndexes<Row, Indexes extends readonly unknown[]> = {
  [I in keyof Indexes]: CheckedOrder<Row, Indexes[I], 'index'>;
};
/** Columns of text, as instants are. */
type InstantColumn<Row> = {
  [C in keyof Row & string]: [Row[C]] extends [string | null] ? C : never;
}[keyof Row & string];
interface CommonOptions<Row, Indexes extends readonly Index[]> {
  /** The words of `order=`: `'flights.desc'`, `'city,flights.desc'` or `['city', 'flights.desc']`. */
  readonly indexes?: CheckedIndexes<Row, Indexes>;
  /**
   * Rows go when they are so old, by the column `by`: if none is named by `windowEnd`, or the event time.
   * Views that read this one see them go.
   */
  readonly retain?: Duration | { readonly age: Duration; readonly by?: InstantColumn<Row> };
  /** For what a fingerprint cannot see: a constant or a function used by the view's functions. */
  readonly version?: string;
  /** Whether a rebuilt generation is shown by itself when it has caught up, or on request. */
  readonly promote?: 'auto' | 'manual';
  /** Over how many partitions its rows are spread, by key; as many as the streams', if not said. */
  readonly partitions?: number;
  /**
   * Of a view of several partitions whose rows it brings together it takes up the changes as they come, rather than make that view
   * itself: cheaper, and for a moment it may show half of an event.
   */
  readonly mayTear?: boolean;
  /** The number of hashes each partition's rows lie in. */
  readonly buckets?: number;
  /** The view is parked when more than this many of its last thousand entries fail. */
  readonly errorsMax?: number;
  readonly description?: string;
}

type KeyOption<Row, Known extends string | null, Key extends Names> = [Known] extends [string]
  ? { readonly key?: KeyColumns<Row, Key> }
  : {
      readonly key:
        | KeyColumns<Row, Key>
        | ViewTypeError<'Nothing is known to identify a row of this view: name the columns that do as its key.'>;
    };

export type ViewOptions<
  Row,
  Known extends string | null,
  Key extends Names,
  Indexes extends readonly Index[],
> = {
  readonly from: Rows<Row, Known>;
} & KeyOption<Row, Known, Key> &
  CommonOptions<Row, Indexes>;

type KeyNames<Row, Known extends string | null, Key extends Names> = ([Names] extends [Key]
  ? [Known] extends [string]
    ? Known
    : string
  : Key extends readonly string[]
    ? Key[number]
    : Key) &
  keyof Row &
  string;

/** A maintained result: rows by key, kept up to date. Itself a collection that other views can read. */
export class View<in out Row, out Key extends string> extends Declared<ViewDeclaration, Row, Key> {}

export const BUCKETS_DEFAULT = 64;
export const BUCKETS_MAX = 4096;
export const ERRORS_MAX_DEFAULT = 100;

const OPTIONS: Readonly<Record<keyof ViewOptions<any, any, any, any>, true>> = {
  from: true,
  key: true,
  indexes: true,
  retain: true,
  version: true,
  promote: true,
  partitions: true,
  mayTear: true,
  buckets: true,
  errorsMax: true,
  description: true,
};

/** Declares a view of a collection. Its key is what is known to identify a row, where something is. */
export function view<
  Row,
  Known extends string | null,
  const Key extends Names = Names,
  const Indexes extends readonly Index[] = [],
>(name: string, given: ViewOptions<Row, Known, Key, Indexes>): View<Row, KeyNames<Row, Known, Key>> {
  const place = placeOfDeclaration();
  const read = new ViewOptionReader(`View "${name}"`, place);
  const options = read.options(given, OPTIONS);
  const from = options.from as Collection<Row, Known> | undefined;
  const rows = read.retained(read.inlined(read.plan(from)), options.retain);
  const key = read.key(rows, options.key as Names | undefined);
  const placed = read.placed(rows, key, options.partitions);
  const { partitions } = placed;
  const plan = read.madeWhole(placed.plan, partitions, options.mayTear);
  read.noteProcessingMoved(plan);
  const parts = {
    name: read.name(name),
    plan,
    partitions,
    columns: plan.relation.columns,
    key,
    indexes: read.indexes(plan.relation.columns, (options.indexes ?? []) as readonly Index[]),
    version: options.version ?? null,
    buckets: read.whole('buckets', options.buckets ?? BUCKETS_DEFAULT, 1, BUCKETS_MAX),
  };
  read.noteColumns(parts.columns);
  const promote = options.promote ?? 'auto';
  if (promote !== 'auto' && promote !== 'manual')
    read.note('bad-option', 'has an unknown `promote`.', { promote }, `Write 'auto' or 'manual'.`);
  return new View(
    {
      kind: 'view',
      ...parts,
      promote,
      errorsMax: read.whole('errorsMax', options.errorsMax ?? ERRORS_MAX_DEFAULT, 0, 1000),
      description: options.description ?? null,
      place,
      fingerprint: fingerprintOf(parts),
    },
    [...(from ? problemsOf(from) : []), ...read.problems],
  );
}

/** The row of a stream, a table, a view or any collection. */
export type RowOf<R> = R extends Rows<infer Row, string | null> ? Row : never;
/** The key's columns of a table or a view. */
export type KeyOf<R> = R extends Rows<infer Row, infer Key> ? Pick<Row, Key & keyof Row> : never;
/** What is appended to a stream or a table: its schema's input. */
export type EventOf<R> =
  R extends Stream<any, infer Input, any> ? Input : R extends Table<any, any, infer Input> ? Input : never;
