import { pure } from '../circuit/pure.js';
import { messageOf } from '../errors/stillwater-error.js';
import type { EventDecoder } from '../view/declarations.js';
import type { UserFunction } from '../view/user-function.js';
import { cloudEvent } from './cloud-event.js';
import {
  envelope,
  type EventColumns,
  merged,
  parsed,
  type Texts,
  UnreadableEntry,
} from './event-envelope.js';
import type { Position } from './position.js';

/** What an entry holds: events that are not looked at yet, nothing that is one, or something that cannot be read. */
export type ReadEntry =
  | { readonly events: readonly unknown[]; readonly inBatch: boolean }
  | { readonly skipped: string }
  | { readonly reason: string };

/** Reads the events out of entries that are written as one decoder says. */
export type EntryReader = (id: Position, texts: Texts) => ReadEntry;

/** What is counted where a decoder function leaves an entry out. */
export const LEFT_OUT = '(left out by the decoder)';

/** The reader of a decoder; null for the one that takes whatever form an entry has. */
export function entryReader(decoder: EventDecoder, columns: EventColumns): EntryReader | null {
  switch (decoder) {
    case 'any':
      return null;
    case 'json':
      return reading((_id, texts) => inJson(texts, (event) => event));
    case 'fields':
      return reading((_id, texts) => one(columns.readFlat(texts)));
    case 'envelope':
      return reading((_id, texts) =>
        texts.has('type')
          ? one(flatEnvelope(texts, columns))
          : inJson(texts, (value) => envelope(value, columns)),
      );
    case 'cloudevents':
      return reading((_id, texts) =>
        isBinary(texts)
          ? one(binaryCloudEvent(texts, columns))
          : inJson(texts, (value) => merged(cloudEvent(value), columns)),
      );
    default:
      return (id, texts) => byFunction(decoder, id, texts);
  }
}

const reading =
  (read: EntryReader): EntryReader =>
  (id, texts) => {
    try {
      return read(id, texts);
    } catch (thrown) {
      if (thrown instanceof UnreadableEntry) return { reason: thrown.message };
      throw thrown;
    }
  };

const one = (event: unknown): ReadEntry => ({ events: [event], inBatch: false });

/** `data` with one event, or `batch` with an array of them, and nothing else. */
function inJson(texts: Texts, eventOf: (value: unknown) => unknown): ReadEntry {
  if (texts.size === 1 && texts.has('data')) return one(eventOf(parsed('data', texts.get('data')!)));
  if (texts.size === 1 && texts.has('batch')) {
    const values = parsed('batch', texts.get('batch')!);
    if (!Array.isArray(values)) throw new UnreadableEntry('`batch` is not an array of events.');
    return { events: values.map(eventOf), inBatch: true };
  }
  const fields = [...texts.keys()].slice(0, 10).map((field) => `\`${field.slice(0, 40).toWellFormed()}\``);
  throw new UnreadableEntry(
    `The entry has ${fields.join(', ')}; this stream's have \`data\` or \`batch\` alone.`,
  );
}

/** The fields `type` and `data` of an entry, and metadata beside them. */
function flatEnvelope(texts: Texts, columns: EventColumns): unknown {
  const data = texts.get('data');
  if (data === undefined) throw new UnreadableEntry('The envelope has no `data`.');
  const around = flatOf(texts, ['type', 'data'], columns);
  return merged({ type: texts.get('type')!, data: parsed('data', data), around }, columns);
}

const ATTRIBUTE = /^ce[-_]/;
const isBinary = (texts: Texts): boolean => [...texts.keys()].some((field) => ATTRIBUTE.test(field));

/** Attributes as fields `ce-…` or `ce_…`, the payload in `data`. */
function binaryCloudEvent(texts: Texts, columns: EventColumns): unknown {
  const attributes = new Map<string, string>();
  for (const [field, text] of texts) {
    const name = field.replace(ATTRIBUTE, '');
    if (name === field && field !== 'data' && field !== 'content-type' && field !== 'datacontenttype')
      throw new UnreadableEntry(
        `The entry has \`${field.slice(0, 40).toWellFormed()}\` beside the attributes of a CloudEvent, which begin with \`ce-\`.`,
      );
    if (name === field) continue;
    if (attributes.has(name)) throw new UnreadableEntry(`The attribute \`${name}\` occurs twice.`);
    attributes.set(name, text);
  }
  const contentType = texts.get('content-type') ?? texts.get('datacontenttype');
  const data = texts.get('data');
  const { type, around } = cloudEvent({
    ...Object.fromEntries(attributes),
    ...(contentType !== undefined && { datacontenttype: contentType }),
    data: {},
  });
  return merged(
    {
      type,
      data: data === undefined ? {} : parsed('data', data),
      around: { ...around, ...flatOf(attributes, ['type'], columns) },
    },
    columns,
  );
}

/** Of these fields those that the schema has columns for, as the columns hold them. */
function flatOf(texts: Texts, without: readonly string[], columns: EventColumns): Record<string, unknown> {
  const named = new Map([...texts].filter(([name]) => columns.names.has(name) && !without.includes(name)));
  const type = texts.get('type');
  if (columns.type !== null && type !== undefined) named.set(columns.type, type);
  const values = columns.readFlat(named);
  return Object.fromEntries(
    [...named.keys()].filter((name) => name !== columns.type).map((name) => [name, values[name]]),
  );
}

/** An entry, as a decoder function is given it. */
function byFunction({ call }: UserFunction, id: Position, texts: Texts): ReadEntry {
  let event: unknown;
  try {
    event = pure(() => call(Object.freeze({ id, fields: Object.freeze(Object.fromEntries(texts)) })));
  } catch (thrown) {
    return { reason: `The decoder threw: ${messageOf(thrown)}` };
  }
  if (event === null) return { skipped: LEFT_OUT };
  if (event === undefined || isPromise(event))
    return {
      reason: `The decoder gave ${event === undefined ? 'nothing' : 'a promise'}; it gives an event, or null for none.`,
    };
  return one(event);
}

function isPromise(value: unknown): boolean {
  if (typeof (value as { then?: unknown }).then !== 'function') return false;
  void Promise.resolve(value as PromiseLike<unknown>).then(undefined, () => {});
  return true;
}

/** What `upcast` makes of an event before it is looked at; itself where there is none. */
export function upcasted(
  upcast: UserFunction | null,
  event: unknown,
): { event: unknown } | { reason: string } {
  if (upcast === null) return { event };
  try {
    const made = pure(() => upcast.call(event));
    if (made !== null && made !== undefined && isPromise(made))
      return { reason: '`upcast` gave a promise; it gives an event.' };
    return { event: made };
  } catch (thrown) {
    return { reason: `\`upcast\` threw: ${messageOf(thrown)}` };
  }
}
