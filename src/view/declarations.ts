import type { z } from 'zod';
import type { Column } from './column.js';
import type { OrderTerm, PlanNode } from './plan.js';
import type { UserFunction } from './user-function.js';

/** What `stream()`, `table()` and `view()` make, as frozen data: all that the rest of Stillwater reads of a declaration. */
export type SourceDeclaration = StreamDeclaration | TableDeclaration | ViewDeclaration;

/** `stream:flights`, `table:airports`, `view:delays`: what a source is called among all that is read. */
export const inputNameOf = ({ kind, name }: SourceDeclaration): string => `${kind}:${name}`;

interface RecordSource {
  readonly name: string;
  readonly schema: z.core.$ZodType;
  readonly columns: readonly Column[];
  /** The Redis key of the only partition, or what `:0`, `:1`, … are appended to. */
  readonly redisKey: string;
  readonly partitions: number;
  readonly place: string | null;
  /**
   * Column that holds an event's time, or since when a table's record holds. Null: a stream's events are of the time of
   * their entries, and a table's records replace one another in the order of the log.
   */
  readonly eventTime: string | null;
  /** How far behind its partition's clock an event may be; null: not said, and nothing is ever late or finished. */
  readonly latenessMs: number | null;
}

export interface StreamDeclaration extends RecordSource {
  readonly kind: 'stream';
  readonly partitionBy: readonly string[] | null;
  /** What an event is whose type none of the schema's variants has: an error, or nothing but counted. */
  readonly unknownTypes: 'skip' | 'error';
  /** In which form the events lie in the entries. */
  readonly decoder: EventDecoder;
  /** What old events are turned into before the schema is asked. */
  readonly upcast: UserFunction | null;
  readonly retain: Retention | null;
}

/** `any`: JSON in `data` or `batch`, or fields. */
export type EventDecoder = 'any' | 'json' | 'fields' | 'envelope' | 'cloudevents' | UserFunction;

export interface TableDeclaration extends RecordSource {
  readonly kind: 'table';
  /** Columns that identify a row, and decide its partition. */
  readonly key: readonly string[];
  readonly retain: Retention | null;
}

export interface Retention {
  readonly ageMs: number | null;
  readonly entriesMax: number | null;
}

export interface ViewDeclaration {
  readonly kind: 'view';
  readonly name: string;
  readonly plan: PlanNode;
  readonly columns: readonly Column[];
  /** Columns that identify a row. */
  readonly key: readonly string[];
  readonly indexes: readonly IndexDeclaration[];
  readonly version: string | null;
  readonly promote: 'auto' | 'manual';
  /** Over how many its rows are spread. */
  readonly partitions: number;
  /** The number of hashes each partition's rows and states lie in. */
  readonly buckets: number;
  /** Views that fail on more than this many of their last thousand entries are parked. */
  readonly errorsMax: number;
  readonly description: string | null;
  readonly place: string | null;
  /** 16 hex digits over everything that decides its rows. */
  readonly fingerprint: string;
}

export interface IndexDeclaration {
  /** As declared and as `order=` says it: `flights.desc`, `city,flights.desc`. */
  readonly name: string;
  readonly columns: readonly OrderTerm[];
}
