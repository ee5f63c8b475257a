import type { z } from 'zod';
import type { TagOf } from './event-types.js';
import { Declared } from './declared.js';
import type { Duration } from './duration.js';
import { placeOfDeclaration } from './place.js';
import type { StreamDeclaration } from './declarations.js';
import { OptionReader, type RecordOptions } from './record-source.js';
import type { RowOfSchema, StorableRow } from './row-type.js';
import type { ViewTypeError } from './view-type-error.js';

export type EventTime<Row, C> = C extends keyof Row
  ? [Row[C]] extends [string]
    ? C
    : ViewTypeError<`Column "${C & string}" does not always hold an instant: declare it as instant().`>
  : | (keyof Row & string)
    | ViewTypeError<`The events have no column "${C & string}" to take their time from.`>;

/** What a column of a key must be; each of several, where several are named. */
export type KeyColumns<Row, Key> = Key extends string
  ? KeyColumn<Row, Key>
  : { [I in keyof Key]: Key[I] extends string ? KeyColumn<Row, Key[I]> : never };
type KeyColumn<Row, C extends string> = C extends keyof Row
  ? [Row[C]] extends [string | number | boolean | null]
    ? C
    : ViewTypeError<`Column "${C}" holds objects or arrays and cannot be a key.`>
  : (keyof Row & string) | ViewTypeError<`The rows have no column "${C}" to be their key.`>;

/** One name, or several in order. */
export type Names = string | readonly [string, ...string[]];

export interface StreamOptions<
  S extends z.core.$ZodType,
  Time extends string,
  By extends Names,
> extends RecordOptions {
  /** Of one event. Its output is what views see. */
  readonly schema: S & StorableRow<S>;
  /** The column that holds an event's time; the time of its entry, if not said. */
  readonly eventTime?: EventTime<RowOfSchema<S>, Time>;
  /** How far behind the newest event an event may arrive; without it nothing is late, and no window ever closes. */
  readonly lateness?: Duration;
  /** What decides the partition of an event; needed where there are several. */
  readonly partitionBy?: KeyColumns<RowOfSchema<S>, By>;
  /**
   * Of `z.discriminatedUnion(…)`: what an event is whose type none of the variants has. An error, if not said; with `skip`
   * it gives no row and is counted.
   */
  readonly unknownTypes?: [TagOf<S>] extends [null]
    ? ViewTypeError<'unknownTypes is for streams whose schema is z.discriminatedUnion(…).'>
    : 'skip' | 'error';
  /** In which form events lie in the entries: see `StreamDecoder`. A function gives an event, or null for none. */
  readonly decoder?: StreamDecoder;
  /** Turns old events into what the schema takes, before it is asked: from nothing but the event. */
  readonly upcast?: (event: any) => unknown;
}

/** An entry of a Redis Stream, as a decoder function is given it. */
export interface StreamEntry {
  /** `978325200000-3`: milliseconds, then a number. */
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** In which form events lie in the entries of a stream; if nothing is said, as `json` or as `fields`, entry by entry. */
export type StreamDecoder =
  'json' | 'fields' | 'envelope' | 'cloudevents' | ((entry: StreamEntry) => unknown);

declare const appended: unique symbol;

/**
 * A log of events, in a Redis Stream. `Input`: what is appended to it, before defaults and transforms. `Tag`: the column
 * that tells events of several types apart.
 */
export class Stream<in out Event, out Input = any, in out Tag extends string | null = null> extends Declared<
  StreamDeclaration,
  Event,
  null,
  Tag
> {
  declare readonly [appended]: Input;
}

const OPTIONS: Readonly<Record<keyof StreamOptions<any, any, any>, true>> = {
  schema: true,
  redisKey: true,
  partitions: true,
  retain: true,
  eventTime: true,
  lateness: true,
  partitionBy: true,
  unknownTypes: true,
  decoder: true,
  upcast: true,
};

/** Declares a stream: events that are appended and never change. */
export function stream<S extends z.core.$ZodType, const Time extends string, const By extends Names>(
  name: string,
  given: StreamOptions<S, Time, By>,
): Stream<RowOfSchema<S>, z.input<S>, TagOf<S>> {
  const place = placeOfDeclaration();
  const read = new OptionReader(`Stream "${name}"`, place);
  const options = read.options(given, OPTIONS);
  const columns = read.columns(options.schema);
  const partitions = read.partitions(options.partitions);
  const partitionBy =
    options.partitionBy === undefined ? null : read.keyColumns(columns, options.partitionBy, 'partitionBy');
  read.stamps(options.schema, columns, partitionBy ?? []);
  if (partitions > 1 && (partitionBy === null || partitionBy.length === 0))
    read.note(
      'no-partition-key',
      `has ${partitions} partitions and does not say what decides the partition of an event.`,
      { partitions: String(partitions) },
      `Name a column: partitionBy: '…'.`,
    );
  return new Stream(
    {
      kind: 'stream',
      name: read.name(name),
      schema: read.schema(options.schema),
      columns,
      redisKey: read.redisKey(options.redisKey, name),
      partitions,
      place,
      eventTime: read.eventTime(columns, options.eventTime as string | undefined),
      latenessMs: read.lateness(options, 'when an event happened'),
      partitionBy,
      unknownTypes: read.unknownTypes(options.schema, options.unknownTypes),
      decoder: read.decoder(options.decoder),
      upcast: read.optionalFunction(options.upcast, 'upcast'),
      retain: read.retain(options.retain),
    },
    read.problems,
  );
}
