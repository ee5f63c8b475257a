import type { StreamDeclaration } from '../view/declarations.js';
import type { Row } from '../zset/value.js';
import { cloudEvent } from './cloud-event.js';
import { isFields } from './conform.js';
import { type EntryReader, entryReader, upcasted } from './entry-reader.js';
import { entryFields, type WrittenEvent } from './entry-writer.js';
import { type EventColumns, merged, UnreadableEntry } from './event-envelope.js';
import { eventColumns, EventTypes } from './event-types.js';
import { FlatFields } from './flat-fields.js';
import type { RowIssue } from './conform.js';
import type { RecordSource } from './placement.js';

type Event = { event: unknown } | { reason: string };

/**
 * In which form a stream's events are written into entries, for those who append: events are given as the schema has them,
 * and lie in the entry as its decoder reads them.
 */
export class EventForm {
  readonly #columns: EventColumns;
  readonly #reader: EntryReader | null;

  private constructor(readonly stream: StreamDeclaration) {
    const flat = new FlatFields(stream);
    const types = EventTypes.of(stream);
    this.#columns = eventColumns(stream, (texts) => types?.readFlat(texts) ?? flat.read(texts));
    this.#reader = entryReader(stream.decoder, this.#columns);
  }

  /** Null where an event is nothing but JSON in `data`. */
  static of(source: RecordSource): EventForm | null {
    return source.kind === 'stream' && (source.decoder !== 'any' || source.upcast !== null)
      ? new EventForm(source)
      : null;
  }

  /** Entries are read by a function, of which nobody knows what it wants written. */
  get isUnknown(): boolean {
    return typeof this.stream.decoder !== 'string';
  }

  /** What is given to be appended, as the schema is to see it. A CloudEvent may be given whole. */
  eventOf(record: unknown): Event {
    const { decoder, upcast } = this.stream;
    let event = record;
    if (decoder === 'cloudevents' && isFields(record) && Object.hasOwn(record, 'specversion'))
      try {
        event = merged(cloudEvent(record), this.#columns);
      } catch (thrown) {
        if (thrown instanceof UnreadableEntry) return { reason: thrown.message };
        throw thrown;
      }
    // What is made of it is not to change what is stored.
    return upcast === null ? { event } : upcasted(upcast, JSON.parse(JSON.stringify(event) ?? 'null'));
  }

  fieldsOf(event: WrittenEvent): { fields: readonly string[] } | { issues: RowIssue[] } {
    return entryFields(this.stream, event, this.#columns.type);
  }

  /** Whether what was read is what was written. Attributes that a CloudEvent must have may say what the event left open. */
  isAs(read: Row, written: Row): boolean {
    const mayAdd = this.stream.decoder === 'cloudevents';
    return Object.keys(written).every(
      (name) =>
        (mayAdd && written[name] === null) || JSON.stringify(read[name]) === JSON.stringify(written[name]),
    );
  }

  /** The event in an entry of these fields. */
  read(fields: readonly string[]): Event {
    const texts = new Map<string, string>();
    for (let index = 0; index < fields.length; index += 2) texts.set(fields[index]!, fields[index + 1]!);
    if (this.#reader === null) return upcasted(this.stream.upcast, JSON.parse(texts.get('data')!));
    const read = this.#reader('0-1', texts);
    if (!('events' in read)) return { reason: 'reason' in read ? read.reason : 'it is left out' };
    return upcasted(this.stream.upcast, read.events[0]);
  }
}
