import { toInstantText } from '../zset/instant-text.js';
import { EventForm } from '../runtime/event-form.js';
import { partitionKeys, partitionOf, type RecordSource } from '../runtime/placement.js';
import type { RawEntry } from '../runtime/ports/source-log.js';
import { RowDecoder } from '../runtime/row-decoder.js';
import { TableKey } from '../runtime/table-key.js';

/** An entry of one partition of a stream or table. */
export interface AppendedEntry {
  readonly source: RecordSource;
  readonly partition: number;
  readonly entry: RawEntry;
}

/** A heartbeat of one partition, recorded after what was appended before it. */
export interface RecordedHeartbeat {
  readonly source: RecordSource;
  readonly partition: number;
  /** What it raises the partition's clock to, in ms. */
  readonly heartbeat: number;
}

/** What was appended in one go, in the order of the log. */
export type Append = readonly (AppendedEntry | RecordedHeartbeat)[];

/** The entries of a test, made as a producer would make them; ids rise over all of them and never lie before an event's time. */
export class LogWriter {
  #ms = 0;
  #sequence = 0;

  /**
   * One entry for each record, in the form the source's entries have. What the schema refuses is written too: it is an
   * error when it is read.
   */
  records(source: RecordSource, records: readonly unknown[]): Append {
    const rows = new RowDecoder(source);
    const placeOf = partitionOf(source);
    const form = EventForm.of(source);
    if (form?.isUnknown)
      throw new TypeError(
        `The entries of "${source.name}" are read by a function: give them as they lie in Redis, with .entries().`,
      );
    return records.map((record, index) => {
      const json = JSON.stringify(record);
      if (json === undefined)
        throw new TypeError(
          `Record ${index} given for "${source.name}" is ${String(record)}, which JSON cannot say.`,
        );
      const given = form?.eventOf(JSON.parse(json)) ?? { event: JSON.parse(json) };
      const row = 'event' in given ? rows.decode(given.event) : null;
      const time = row !== null && source.eventTime !== null ? toInstantText(row[source.eventTime]) : null;
      const partition = row === null ? 0 : (placeOf?.(row) ?? 0);
      const event = { record: JSON.parse(json), json, row: row ?? {}, index };
      const written = form?.fieldsOf(event) ?? { fields: ['data', json] };
      const fields = 'fields' in written ? written.fields : ['data', json];
      return { source, partition, entry: [this.#nextId(time), fields] };
    });
  }

  tombstones(source: RecordSource, keys: readonly unknown[]): Append {
    if (source.kind !== 'table')
      throw new TypeError(`"${source.name}" is a stream: its events are never deleted.`);
    const tableKey = new TableKey(source);
    const placeOf = partitionOf(source);
    return keys.map((key) => {
      const values: readonly unknown[] = Array.isArray(key) ? key : [key];
      const fields = Object.fromEntries(source.key.map((name, index) => [name, values[index]]));
      const decoded = tableKey.decode(fields);
      const partition = 'row' in decoded ? (placeOf?.(decoded.row) ?? 0) : 0;
      return {
        source,
        partition,
        entry: [this.#nextId(null), ['op', 'delete', 'data', JSON.stringify(fields)]],
      };
    });
  }

  /** Time passes without entries, in all partitions. */
  heartbeats(source: RecordSource, instant: string | number | Date): Append {
    if (source.eventTime === null)
      throw new TypeError(
        `"${source.name}" has no event time: declare \`eventTime\` for time to pass in it.`,
      );
    const heartbeat = new Date(instant).getTime();
    if (Number.isNaN(heartbeat)) throw new TypeError(`${JSON.stringify(instant)} is no instant.`);
    return partitionKeys(source).map((_, partition) => ({ source, partition, heartbeat }));
  }

  /** Entries exactly as they would lie in Redis, field by field. */
  entries(source: RecordSource, entries: readonly Readonly<Record<string, string>>[]): Append {
    return entries.map((fields) => ({
      source,
      partition: 0,
      entry: [this.#nextId(null), Object.entries(fields).flat()],
    }));
  }

  #nextId(time: string | null): string {
    const ms = time === null ? 0 : Math.max(0, Date.parse(time));
    if (ms > this.#ms) {
      this.#ms = ms;
      this.#sequence = 0;
    }
    return `${this.#ms}-${++this.#sequence}`;
  }
}
