import { stampsOf } from '../view/stamp.js';
import type { StreamDeclaration } from '../view/declarations.js';
import type { Row } from '../zset/value.js';
import { asCloudEvent } from './cloud-event.js';
import { isFields, type RowIssue } from './conform.js';

/** An event to be written: as it was given, its JSON, the row it is, and its place in its request. */
export interface WrittenEvent {
  readonly record: unknown;
  readonly json: string;
  readonly row: Row;
  readonly index: number;
}

/** The fields of the entry that holds an event, as the decoder of its stream reads them; or why there are none. */
export function entryFields(
  stream: StreamDeclaration,
  event: WrittenEvent,
  typeColumn: string | null,
): { fields: readonly string[] } | { issues: RowIssue[] } {
  const { decoder } = stream;
  const { record, json, row, index } = event;
  if (decoder === 'any' || decoder === 'json' || !isFields(record)) return { fields: ['data', json] };
  const { [typeColumn ?? '']: own, ...data } = record;
  const type = typeColumn === null ? stream.name : own;
  switch (decoder) {
    case 'fields':
      return flatFields(record);
    case 'envelope':
      return typeof type === 'string'
        ? { fields: ['type', type, 'data', JSON.stringify(data)] }
        : noType(typeColumn!);
    case 'cloudevents': {
      // What is a CloudEvent already is written as it is.
      if (Object.hasOwn(record, 'specversion')) return { fields: ['data', json] };
      if (typeof type !== 'string') return noType(typeColumn!);
      // A time that is given to events when they are read is not said when they are written.
      const said =
        stream.eventTime !== null && !stampsOf(stream.schema, stream.columns).has(stream.eventTime);
      const time = said ? (row[stream.eventTime!] as string | null) : null;
      const made = asCloudEvent(data, { stream: stream.name, type, time, index });
      return { fields: ['data', JSON.stringify(made)] };
    }
    default:
      return { issues: [{ path: '', message: 'the entries of this stream are read by a function' }] };
  }
}

const noType = (column: string): { issues: RowIssue[] } => ({
  issues: [{ path: column, message: 'is no text, and an envelope is of a type' }],
});

/** One text for each field; a field that is null is left out. */
function flatFields(record: Readonly<Record<string, unknown>>): { fields: string[] } {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(record)) {
    if (value === null || value === undefined) continue;
    fields.push(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return { fields };
}
