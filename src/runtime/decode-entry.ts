import type { Row, Value } from '../zset/value.js';
import { AheadBound } from './ahead-bound.js';
import type { RowIssue } from './conform.js';
import { DecodedBatch } from './decoded-batch.js';
import type { UserFunction } from '../view/user-function.js';
import { eventColumns, EventTypes } from './event-types.js';
import { type EntryReader, entryReader, type ReadEntry, upcasted } from './entry-reader.js';
import type { Texts } from './event-envelope.js';
import { EventParser } from './event-parser.js';
import { FlatFields } from './flat-fields.js';
import { instantText } from '../zset/instant-text.js';
import { partitionOf, partitionKeys, placedBy, type RecordSource } from './placement.js';
import { type Position, timeOf } from './position.js';
import type { RawEntry } from './ports/source-log.js';
import { RowDecoder } from './row-decoder.js';
import { Stamper } from './stamper.js';
import { TableKey } from './table-key.js';

/** The bounds of what an entry may be. They decide which entries are errors, so a view depends on them. */
export interface EntryLimits {
  /** How much later than its entry's own time an event may be dated. */
  aheadMsMax: number;
  /** Characters of an entry, names and values. */
  entryLengthMax: number;
  /** Events in one entry. */
  batchEventsMax: number;
  /** Characters kept of an entry in error, for people. */
  rawLengthMax: number;
}

export const entryLimits: Readonly<EntryLimits> = {
  aheadMsMax: 24 * 60 * 60 * 1000,
  entryLengthMax: 16 * 1024 * 1024,
  batchEventsMax: 100_000,
  rawLengthMax: 2_000,
};

/**
 * Makes rows of a source partition's entries.
 *
 *   data   '{…}'                      one event
 *   batch  '[{…}, …]'                 several, all of them or none
 *   origin ORD  delay 3  …            one event, field by field
 *   op delete  iata ORD               (tables) the row of a key goes; the key's columns as fields or as an object in `data`
 *   op upsert  …                      (tables) said or not, what an entry without `delete` does
 *
 * What could mean two things is an error, and so is an entry in another partition than its key's and an event dated
 * further ahead of its entry than clocks explain. An entry is used whole or not at all. The same entries give the
 * same rows always, however they are cut into batches.
 */
export class EntryDecoder {
  readonly #rows: RowDecoder;
  readonly #parser = new EventParser();
  readonly #flat: FlatFields;
  /** Of streams whose events are of several types. */
  readonly #types: EventTypes | null;
  /** Of streams that say in which form their events are; null where any will do. */
  readonly #reader: EntryReader | null;
  readonly #upcast: UserFunction | null;
  /** An entry of nothing but `data` is one event as JSON. */
  readonly #plain: boolean;
  readonly #tableKey: TableKey | null;
  readonly #partitionOf: ((row: Row) => number) | null;
  readonly #eventTime: string | null;
  readonly #stamper: Stamper | null;

  constructor(
    readonly source: RecordSource,
    readonly partition: number,
    readonly limits: Readonly<EntryLimits> = entryLimits,
    /** What `processingTime()` is; if nobody tells it, the time of the entry. */
    now: (() => number) | null = null,
  ) {
    this.#rows = new RowDecoder(source);
    this.#flat = new FlatFields(source);
    this.#types = EventTypes.of(source);
    const decoder = source.kind === 'stream' ? source.decoder : 'any';
    this.#reader = entryReader(
      decoder,
      eventColumns(source, (texts) => this.#readFlat(texts)),
    );
    this.#plain = decoder === 'any' || decoder === 'json';
    this.#upcast = source.kind === 'stream' ? source.upcast : null;
    this.#tableKey = source.kind === 'table' ? new TableKey(source) : null;
    this.#partitionOf = partitionOf(source);
    this.#eventTime = source.eventTime;
    this.#stamper = Stamper.of(source, now);
  }

  decode(entries: readonly RawEntry[]): DecodedBatch {
    const batch = new DecodedBatch(this.#eventTime, this.source.latenessMs);
    // A time that Stillwater gives is believed, however old the entry is that is processed now.
    const dated = this.#stamper?.gives(this.#eventTime) ? null : this.#eventTime;
    const bound = new AheadBound(dated, entries[0]?.[0], this.limits.aheadMsMax);
    this.#stamper?.begin();
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index]!;
      const id = entry[0];
      const fields = entry[1];
      let length = 0;
      for (let field = 0; field < fields.length; field++) length += fields[field]!.length;
      batch.bytes += length;
      const before = batch.rows.length;
      let reason: string | null;
      if (length > this.limits.entryLengthMax)
        reason = `The entry has ${length} characters, more than entryLengthMax (${this.limits.entryLengthMax}).`;
      else if (this.#plain && fields.length === 2 && fields[0] === 'data')
        reason = this.#event(fields[1]!, batch);
      else reason = this.#otherForm(fields, id, batch);
      for (let row = before; reason === null && row < batch.rows.length; row++) {
        this.#stamper?.stamp(batch.rows[row]!, id);
        reason = this.#misplaced(batch.rows[row]!) ?? bound.ahead(batch.rows[row]!, id);
      }
      if (reason !== null) {
        batch.rows.length = batch.weights.length = before;
        batch.undated = batch.undated?.filter((row) => row < before) ?? null;
        batch.unskip(index);
        batch.errors.push({ entry: index, reason, raw: rawText(fields, this.limits.rawLengthMax) });
      }
      batch.ids.push(id);
      batch.ends.push(batch.rows.length);
    }
    return batch;
  }

  /** Decodes one event, or says why it is none. */
  #event(text: string, batch: DecodedBatch): string | null {
    let value: unknown;
    try {
      value = this.#parser.parse(text);
    } catch (thrown) {
      return `\`data\` is not JSON: ${(thrown as Error).message}`;
    }
    return this.#record(value, '', batch);
  }

  #record(given: unknown, prefix: string, batch: DecodedBatch): string | null {
    let value = given;
    if (this.#upcast !== null) {
      const made = upcasted(this.#upcast, given);
      if ('reason' in made) return prefix ? `${prefix}: ${made.reason}` : made.reason;
      value = made.event;
    }
    const row = this.#rows.decode(value);
    if (row === null) return this.#refused(value, prefix, batch);
    batch.rows.push(row);
    batch.weights.push(1);
    return null;
  }

  /** What becomes of a value that is no row: a reason, or nothing where events of its type are skipped. */
  #refused(value: unknown, prefix: string, batch: DecodedBatch): string | null {
    const type = this.#types?.unknownTypeOf(value) ?? null;
    if (type === null) return reasonOf(this.#rows.issues(value), prefix);
    if (this.#types!.skips) {
      batch.skipped.push({ entry: batch.ids.length, type });
      return null;
    }
    const { discriminator } = this.#types!.variants;
    return reasonOf([{ path: discriminator, message: this.#types!.refusal(type) }], prefix);
  }

  #otherForm(fields: readonly string[], id: Position, batch: DecodedBatch): string | null {
    if (fields.length === 0 || fields.length % 2 === 1)
      return `The entry has ${fields.length} texts, which are not pairs of a field and its value.`;
    const texts = new Map<string, string>();
    for (let index = 0; index < fields.length; index += 2) {
      if (texts.has(fields[index]!)) return `The field \`${fields[index]}\` occurs twice.`;
      texts.set(fields[index]!, fields[index + 1]!);
    }
    if (this.#reader !== null) return this.#read(this.#reader(id, texts), batch);
    if (this.#tableKey !== null && texts.has('op')) {
      const op = texts.get('op')!;
      if (op !== 'upsert' && op !== 'delete')
        return `\`op\` is "${cut(op, 40)}"; it can be "upsert" or "delete".`;
      texts.delete('op');
      if (op === 'delete') return this.#tombstone(texts, id, batch);
    }
    if (texts.size === 1 && texts.has('data')) return this.#event(texts.get('data')!, batch);
    if (texts.size === 1 && texts.has('batch')) return this.#batch(texts.get('batch')!, batch);
    if (texts.has('data') || texts.has('batch')) return ambiguous(texts);
    if (!this.source.columns.some(({ name }) => texts.has(name)))
      return `The entry has none of the columns ${named(this.source.columns)}, no \`data\` and no \`batch\`; it has ${
        [...texts.keys()]
          .map((field) => `\`${cut(field, 40)}\``)
          .slice(0, 10)
          .join(', ') || 'nothing else'
      }.`;
    return this.#record(this.#readFlat(texts), '', batch);
  }

  #readFlat(texts: Texts): Record<string, unknown> {
    return this.#types?.readFlat(texts) ?? this.#flat.read(texts);
  }

  /** The events that a reader found in an entry. */
  #read(read: ReadEntry, batch: DecodedBatch): string | null {
    if ('reason' in read) return read.reason;
    if ('skipped' in read) {
      batch.skipped.push({ entry: batch.ids.length, type: read.skipped });
      return null;
    }
    return read.inBatch ? this.#records(read.events, batch) : this.#record(read.events[0], '', batch);
  }

  #batch(text: string, batch: DecodedBatch): string | null {
    let values: unknown;
    try {
      values = JSON.parse(text);
    } catch (thrown) {
      return `\`batch\` is not JSON: ${(thrown as Error).message}`;
    }
    if (!Array.isArray(values)) return '`batch` is not an array of events.';
    return this.#records(values, batch);
  }

  #records(values: readonly unknown[], batch: DecodedBatch): string | null {
    const { batchEventsMax } = this.limits;
    if (values.length > batchEventsMax)
      return `\`batch\` has ${values.length} events, more than batchEventsMax (${batchEventsMax}).`;
    for (let index = 0; index < values.length; index++) {
      const reason = this.#record(values[index], `[${index}]`, batch);
      if (reason !== null) return `${reason} None of the entry's ${values.length} events is used.`;
    }
    return null;
  }

  #tombstone(texts: Map<string, string>, id: Position, batch: DecodedBatch): string | null {
    let fields: Record<string, unknown> = this.#flat.read(texts);
    if (texts.has('batch') || (texts.has('data') && texts.size > 1)) return ambiguous(texts);
    if (texts.has('data')) {
      try {
        fields = JSON.parse(texts.get('data')!) as Record<string, unknown>;
      } catch (thrown) {
        return `\`data\` is not JSON: ${(thrown as Error).message}`;
      }
      if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
        return '`data` of a deletion is not an object with the key.';
    }
    const decoded = this.#tableKey!.decode(fields);
    if ('issues' in decoded)
      return `A deletion needs the key ${named(this.#tableKey!.columns)}. ${reasonOf(decoded.issues, '')}`;
    const { row } = decoded as { row: Record<string, Value> };
    if (this.#eventTime !== null && row[this.#eventTime] === null) {
      row[this.#eventTime] = instantText(timeOf(id));
      (batch.undated ??= []).push(batch.rows.length);
    }
    batch.rows.push(row);
    batch.weights.push(-1);
    return null;
  }

  #misplaced(row: Row): string | null {
    if (this.#partitionOf === null) return null;
    const belongs = this.#partitionOf(row);
    if (belongs === this.partition) return null;
    const keys = partitionKeys(this.source);
    const by = placedBy(this.source)!.join(', ');
    return `misplaced: by its ${by} it belongs in "${keys[belongs]}", and lies in "${keys[this.partition]}".`;
  }
}

/** How many of an event's issues its error names. */
const ISSUES_NAMED_MAX = 5;

function reasonOf(issues: readonly RowIssue[], prefix: string): string {
  const named = issues.slice(0, ISSUES_NAMED_MAX).map(({ path, message }) => {
    const at = prefix && path ? `${prefix}.${path}` : prefix || path;
    return message.startsWith(path) && path !== '' && prefix === ''
      ? message
      : at
        ? `${at}: ${message}`
        : message;
  });
  const more = issues.length - named.length;
  return named.map(sentence).join(' ') + (more > 0 ? ` And ${more} more.` : '');
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const ambiguous = (texts: ReadonlyMap<string, string>): string =>
  `The entry has \`${texts.has('data') ? 'data' : 'batch'}\` beside other fields (${[...texts.keys()]
    .map((field) => cut(field, 40))
    .slice(0, 10)
    .join(', ')}); which of them is the event cannot be told.`;

const named = (columns: readonly { name: string }[]): string =>
  columns.map(({ name }) => `\`${name}\``).join(', ');

const cut = (text: string, length: number): string =>
  text.length <= length ? text : text.slice(0, length).toWellFormed();

/** An entry as a person would look for it: its event's text, or its fields as JSON. */
function rawText(fields: readonly string[], length: number): string {
  if (fields.length === 2 && (fields[0] === 'data' || fields[0] === 'batch')) return cut(fields[1]!, length);
  return cut(JSON.stringify(fields.map((text) => cut(text, length))), length);
}
