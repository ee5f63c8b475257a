import type { z } from 'zod';
import { Declared } from './declared.js';
import type { Duration } from './duration.js';
import { placeOfDeclaration } from './place.js';
import type { TableDeclaration } from './declarations.js';
import { OptionReader, type RecordOptions } from './record-source.js';
import type { RowOfSchema, StorableRow } from './row-type.js';
import type { EventTime, KeyColumns, Names } from './stream.js';

export interface TableOptions<
  S extends z.core.$ZodType,
  Key extends Names,
  Time extends string = string,
> extends RecordOptions {
  /** Of one row. Its output is what views see. */
  readonly schema: S & StorableRow<S>;
  /** The columns that identify a row, and decide its partition. */
  readonly key: KeyColumns<RowOfSchema<S>, Key>;
  /**
   * The column that says since when a record holds. With it the record of the latest time is a key's row, whatever the
   * order they come in; without it the last one is.
   */
  readonly eventTime?: EventTime<RowOfSchema<S>, Time>;
  /** How far behind the newest record one may arrive; without it none is late. */
  readonly lateness?: Duration;
}

declare const appended: unique symbol;

/** Rows that are replaced and deleted by key, in a Redis Stream of their changes. `Input`: what is put, before defaults and transforms. */
export class Table<in out Row, out Key extends string, out Input = any> extends Declared<
  TableDeclaration,
  Row,
  Key
> {
  declare readonly [appended]: Input;
}

const OPTIONS: Readonly<Record<keyof TableOptions<any, any, any>, true>> = {
  schema: true,
  redisKey: true,
  partitions: true,
  retain: true,
  key: true,
  eventTime: true,
  lateness: true,
};

/** Declares a table: a record replaces or deletes the row of its key. */
export function table<S extends z.core.$ZodType, const Key extends Names, const Time extends string>(
  name: string,
  given: TableOptions<S, Key, Time>,
): Table<RowOfSchema<S>, (Key extends readonly string[] ? Key[number] : Key) & string, z.input<S>> {
  const place = placeOfDeclaration();
  const read = new OptionReader(`Table "${name}"`, place);
  const options = read.options(given, OPTIONS);
  const columns = read.columns(options.schema);
  const key = read.keyColumns(columns, options.key, 'key');
  if (key.length === 0)
    read.note('no-key', 'does not say what identifies a row.', {}, `Name a column: key: '…'.`);
  read.noStamps(options.schema, columns);
  return new Table(
    {
      kind: 'table',
      name: read.name(name),
      schema: read.schema(options.schema),
      columns,
      redisKey: read.redisKey(options.redisKey, name),
      partitions: read.partitions(options.partitions),
      place,
      key,
      eventTime: read.eventTime(columns, options.eventTime as string | undefined),
      latenessMs: read.lateness(options, 'since when a record holds'),
      retain: read.retain(options.retain),
    },
    read.problems,
  );
}
