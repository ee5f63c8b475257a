import { shortText } from '../circuit/row-function.js';
import { messageOf } from '../errors/stillwater-error.js';
import { isFields } from './conform.js';

/** The fields of an entry, each once. */
export type Texts = ReadonlyMap<string, string>;

/** What of a stream a reader needs to know. */
export interface EventColumns {
  /** The column that an event's type goes to; null where there is none. */
  readonly type: string | null;
  readonly names: ReadonlySet<string>;
  /** Fields as the columns they name hold them. */
  readonly readFlat: (texts: Texts) => Record<string, unknown>;
}

/** Why an entry is no event. */
export class UnreadableEntry extends Error {
  override readonly name = 'UnreadableEntry';
}

/** @throws UnreadableEntry */
export function parsed(field: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new UnreadableEntry(`\`${field}\` is not JSON: ${messageOf(thrown)}`);
  }
}

/** An event's own fields, what stands around them, and its type. */
export interface Wrapped {
  readonly type: string;
  readonly data: unknown;
  readonly around: Readonly<Record<string, unknown>>;
}

/**
 * One event of what an envelope holds: the fields of its data, those of the envelope that the schema has columns for and
 * the data says nothing of, and the type in the column that tells types.
 * @throws UnreadableEntry
 */
export function merged({ type, data, around }: Wrapped, columns: EventColumns): Record<string, unknown> {
  if (!isFields(data))
    throw new UnreadableEntry(`\`data\` is ${shortText(data)}, not an object with the event's fields.`);
  const { type: discriminator } = columns;
  if (discriminator !== null && Object.hasOwn(data, discriminator) && data[discriminator] !== type)
    throw new UnreadableEntry(
      `The type is ${JSON.stringify(type)}, and ${shortText(data[discriminator])} in the event's own \`${discriminator}\`; which of them counts cannot be told.`,
    );
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(around)) if (columns.names.has(name)) event[name] = value;
  Object.assign(event, data);
  if (discriminator !== null) event[discriminator] = type;
  return event;
}

/** The event in `{ type, data, …metadata }`. @throws UnreadableEntry */
export function envelope(value: unknown, columns: EventColumns): unknown {
  if (!isFields(value))
    throw new UnreadableEntry(
      `An envelope is an object with \`type\` and \`data\`, not ${shortText(value)}.`,
    );
  const { type, data, ...around } = value;
  if (typeof type !== 'string' || type === '')
    throw new UnreadableEntry(`The envelope's \`type\` is ${shortText(type)}, not a text.`);
  if (data === undefined) throw new UnreadableEntry('The envelope has no `data`.');
  return merged({ type, data, around }, columns);
}
