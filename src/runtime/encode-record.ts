import { StillwaterError, messageOf } from '../errors/stillwater-error.js';
import type { StreamDeclaration, TableDeclaration } from '../view/declarations.js';
import { shortText } from '../circuit/row-function.js';
import { canonical, type Row } from '../zset/value.js';
import { arrivingSchema, isFields, type RowIssue } from './conform.js';
import { entryLimits } from './decode-entry.js';
import type { WrittenEvent } from './entry-writer.js';
import { EventForm } from './event-form.js';
import { EventTypes } from './event-types.js';
import { readText } from './flat-fields.js';
import { instantText, toInstantText } from '../zset/instant-text.js';
import { partitionOf, type RecordSource } from './placement.js';
import { partitionOfText } from '../zset/partition-of-text.js';
import { RowDecoder } from './row-decoder.js';
import { TableKey } from './table-key.js';

/** An entry to append: to which partition, and its fields, flat. */
export interface EncodedEntry {
  readonly partition: number;
  readonly fields: readonly string[];
}

/** What is wrong with the event at an index, and where in it. */
export interface RecordIssue extends RowIssue {
  readonly index: number;
}

export interface EncodeLimits {
  /** UTF-8 bytes of one event's JSON. */
  eventBytesMax: number;
  /** Events of one request. */
  eventsMax: number;
}

export const encodeLimits: Readonly<EncodeLimits> = { eventBytesMax: 1024 * 1024, eventsMax: 10_000 };

/** Records that were refused before anything was appended: all that is wrong with all of them, up to a limit. */
export class InvalidRecords extends StillwaterError {
  override readonly name = 'InvalidRecords';
  constructor(
    source: RecordSource,
    readonly issues: readonly RecordIssue[],
    count: number,
  ) {
    const wrong = new Set(issues.map(({ index }) => index)).size;
    super(source.kind === 'stream' ? 'invalid-events' : 'invalid-row', {
      what:
        source.kind === 'stream'
          ? `${wrong} of ${count} ${count === 1 ? 'event' : 'events'} cannot be appended to the stream "${source.name}".`
          : `The row cannot be written to the table "${source.name}".`,
      evidence: issues
        .slice(0, ISSUES_PRINTED_MAX)
        .map(
          ({ index, path, message }) =>
            `  ${[source.kind === 'stream' ? `[${index}]` : '', path].filter(Boolean).join('.') || 'row'}  ${message}`,
        )
        .join('\n'),
      consequence: 'Nothing was appended.',
      remedy:
        source.kind === 'stream'
          ? 'Correct or leave out the named events and send the request again.'
          : 'Correct the row and send the request again.',
    });
  }
}

const ISSUES_PRINTED_MAX = 20;
/** Issues kept of one request; a request of nothing but mistakes says enough with the first. */
const ISSUES_MAX = 1_000;

/**
 * The entries of events, in their order, after looking at every one. The stored JSON is what was sent, all its fields
 * in their order: a later schema may read what today's does not.
 *
 * With `now`, events that would be ahead of their entries are refused too, rather than found in error when read.
 * @throws InvalidRecords if any is not what the schema takes; StillwaterError `too-many-events`
 */
export function encodeEvents(
  stream: StreamDeclaration,
  events: readonly unknown[],
  { limits = encodeLimits, now }: { limits?: Readonly<EncodeLimits>; now?: number } = {},
): EncodedEntry[] {
  if (events.length > limits.eventsMax)
    throw new StillwaterError('too-many-events', {
      what: `The request to append to the stream "${stream.name}" has too many events.`,
      evidence: `  events     ${events.length}\n  eventsMax  ${limits.eventsMax}`,
      consequence: 'Nothing was appended.',
      remedy: 'Send them in several requests.',
    });
  const encoder = encoderOf(stream);
  if (encoder.form?.isUnknown)
    throw new StillwaterError('decoder-function', {
      what: `Events cannot be appended to the stream "${stream.name}" here.`,
      evidence: '  decoder  a function, which reads entries and does not say how they are written',
      consequence: 'Nothing was appended.',
      remedy: `Append entries as the function reads them: XADD ${stream.redisKey} '*' …`,
    });
  const issues: RecordIssue[] = [];
  const entries: EncodedEntry[] = [];
  for (let index = 0; index < events.length && issues.length < ISSUES_MAX; index++) {
    const encoded = encoder.encode(events[index], limits, index);
    if ('issues' in encoded) {
      issues.push(...encoded.issues.map((issue) => ({ index, ...issue })));
      continue;
    }
    const time =
      stream.eventTime === null || now === undefined ? null : toInstantText(encoded.row[stream.eventTime]);
    if (time !== null && time > instantText(now! + entryLimits.aheadMsMax))
      issues.push({
        index,
        path: stream.eventTime!,
        message: `${time} is more than ${entryLimits.aheadMsMax / 3_600_000} h ahead of now, ${instantText(now!)}`,
      });
    else entries.push({ partition: encoded.partition, fields: encoded.fields });
  }
  if (issues.length > 0) throw new InvalidRecords(stream, issues, events.length);
  return entries;
}

/**
 * The entry that makes `row` the row of `key`. The key's values come in the order of the table's key columns, as texts
 * where they come from a path. What the row says of them must agree; what it does not say is taken from the key.
 * @throws InvalidRecords
 */
export function encodeUpsert(
  table: TableDeclaration,
  key: readonly unknown[],
  row: unknown,
  { limits = encodeLimits }: { limits?: Readonly<EncodeLimits> } = {},
): EncodedEntry {
  const { values, keyRow, keyText } = decodeKey(table, key);
  if (!isFields(row))
    throw new InvalidRecords(
      table,
      [{ index: 0, path: '', message: 'a row is a JSON object of its columns' }],
      1,
    );
  const whole = { ...values, ...row };
  const encoder = encoderOf(table);
  const encoded = encoder.encode(whole, limits);
  if ('issues' in encoded)
    throw new InvalidRecords(
      table,
      encoded.issues.map((issue) => ({ index: 0, ...issue })),
      1,
    );
  if (encoder.tableKey!.textOf(encoded.row) !== keyText)
    throw new InvalidRecords(
      table,
      table.key
        .filter((name) => JSON.stringify(encoded.row[name]) !== JSON.stringify(keyRow[name]))
        .map((name) => ({
          index: 0,
          path: name,
          message: `is ${JSON.stringify(encoded.row[name])} in the row and ${JSON.stringify(keyRow[name])} in the key it is put under`,
        })),
      1,
    );
  return { partition: encoded.partition, fields: encoded.fields };
}

/** The entry that takes the row of `key` away. @throws InvalidRecords */
export function encodeTombstone(table: TableDeclaration, key: readonly unknown[]): EncodedEntry {
  const { values, keyText } = decodeKey(table, key);
  return {
    partition: partitionOfText(keyText, table.partitions),
    fields: ['op', 'delete', 'data', JSON.stringify(values)],
  };
}

/** A key's values as they are stored, and as rows hold them. */
function decodeKey(
  table: TableDeclaration,
  key: readonly unknown[],
): { values: Record<string, unknown>; keyRow: Row; keyText: string } {
  const { tableKey } = encoderOf(table);
  if (key.length !== table.key.length)
    throw new InvalidRecords(
      table,
      [
        {
          index: 0,
          path: table.key.join(', '),
          message: `the key has ${table.key.length} ${table.key.length === 1 ? 'part' : 'parts'}, and ${key.length} ${key.length === 1 ? 'was' : 'were'} given`,
        },
      ],
      1,
    );
  const values = Object.fromEntries(
    tableKey!.columns.map((column, index) => {
      const value = key[index];
      return [
        column.name,
        typeof value === 'string' ? readText(value, column.type, arrivingSchema(table, column)) : value,
      ];
    }),
  );
  const decoded = tableKey!.decode(values);
  if ('issues' in decoded)
    throw new InvalidRecords(
      table,
      decoded.issues.map((issue) => ({ index: 0, ...issue })),
      1,
    );
  return { values, keyRow: decoded.row, keyText: tableKey!.textOf(decoded.row) };
}

type Encoded = { row: Row; partition: number; fields: readonly string[] } | { issues: RowIssue[] };

/** What encoding needs of a declaration, made once for each. */
class RecordEncoder {
  readonly tableKey: TableKey | null;
  readonly #rows: RowDecoder;
  readonly #types: EventTypes | null;
  readonly form: EventForm | null;
  readonly #partitionOf: ((row: Row) => number) | null;

  constructor(readonly source: RecordSource) {
    this.tableKey = source.kind === 'table' ? new TableKey(source) : null;
    this.#rows = new RowDecoder(source);
    this.#types = EventTypes.of(source);
    this.form = EventForm.of(source);
    this.#partitionOf = partitionOf(source);
  }

  /** `index`: of the record in its request. */
  encode(record: unknown, limits: Readonly<EncodeLimits>, index = 0): Encoded {
    const given = this.form?.eventOf(record) ?? { event: record };
    if ('reason' in given) return { issues: [{ path: '', message: given.reason }] };
    const row = this.#rows.decode(given.event);
    if (row === null) return { issues: this.#issues(given.event) };
    try {
      // Fields that no column reads today are stored as well, and must not have been rounded on the way.
      canonical(record);
    } catch (thrown) {
      return { issues: [{ path: '', message: messageOf(thrown) }] };
    }
    const json = JSON.stringify(record);
    const bytes = Buffer.byteLength(json);
    if (bytes > limits.eventBytesMax)
      return {
        issues: [
          {
            path: '',
            message: `has ${bytes} bytes of JSON, more than eventBytesMax (${limits.eventBytesMax})`,
          },
        ],
      };
    const partition =
      this.#partitionOf === null ? partitionOfText(json, this.source.partitions) : this.#partitionOf(row);
    const written = this.#fields({ record, json, row, index });
    return 'issues' in written ? written : { row, partition, fields: written.fields };
  }

  /** The entry's fields. What would be read back as another event is not written. */
  #fields(event: WrittenEvent): { fields: readonly string[] } | { issues: RowIssue[] } {
    if (this.form === null) return { fields: ['data', event.json] };
    const written = this.form.fieldsOf(event);
    if ('issues' in written) return written;
    const read = this.form.read(written.fields);
    const row = 'event' in read ? this.#rows.decode(read.event) : null;
    if (row !== null && this.form.isAs(row, event.row)) return written;
    const message = 'reason' in read ? read.reason : `would be read as ${shortText(row ?? read.event)}`;
    return { issues: [{ path: '', message: `cannot be written in the form of this stream: it ${message}` }] };
  }

  #issues(record: unknown): RowIssue[] {
    const type = this.#types?.unknownTypeOf(record) ?? null;
    if (type === null) return this.#rows.issues(record);
    return [{ path: this.#types!.variants.discriminator, message: this.#types!.refusal(type) }];
  }
}

const encoders = new WeakMap<RecordSource, RecordEncoder>();

function encoderOf(source: RecordSource): RecordEncoder {
  let encoder = encoders.get(source);
  if (encoder === undefined) encoders.set(source, (encoder = new RecordEncoder(source)));
  return encoder;
}
