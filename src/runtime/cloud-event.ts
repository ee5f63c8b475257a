import { createHash } from 'node:crypto';
import { shortText } from '../circuit/row-function.js';
import { isFields } from './conform.js';
import { parsed, UnreadableEntry, type Wrapped } from './event-envelope.js';

/** CloudEvents 1.0 (https://github.com/cloudevents/spec): the attributes an event must have. */
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;
const VERSION = '1.0';

/** What a CloudEvent in its JSON form holds. @throws UnreadableEntry */
export function cloudEvent(value: unknown): Wrapped {
  if (!isFields(value)) throw new UnreadableEntry(`A CloudEvent is an object, not ${shortText(value)}.`);
  const { data, data_base64: binary, datacontenttype: contentType, ...around } = value;
  for (const name of REQUIRED)
    if (typeof value[name] !== 'string' || value[name] === '')
      throw new UnreadableEntry(`The CloudEvent's \`${name}\` is ${shortText(value[name])}, not a text.`);
  if (value.specversion !== VERSION)
    throw new UnreadableEntry(
      `The CloudEvent's \`specversion\` is ${shortText(value.specversion)}; "${VERSION}" is known here.`,
    );
  if (contentType !== undefined && contentType !== null && !isJson(contentType))
    throw new UnreadableEntry(`The CloudEvent holds ${shortText(contentType)}, not JSON.`);
  const type = value.type as string;
  if (binary === undefined || binary === null) return { type, data: data ?? {}, around };
  if (typeof binary !== 'string') throw new UnreadableEntry("The CloudEvent's `data_base64` is not a text.");
  return { type, data: parsed('data_base64', Buffer.from(binary, 'base64').toString('utf8')), around };
}

const isJson = (contentType: unknown): boolean =>
  typeof contentType === 'string' && /^[^;]*[/+]json\s*(?:;|$)/i.test(contentType);

/** Attributes that an event's own columns may say. */
const OWN = ['id', 'source', 'subject', 'time'] as const;

/**
 * An event as a CloudEvent. Its own columns of the names of attributes become these. Without an `id` it is one of the
 * event's content and place in its request: the same request has the same ids when it is sent again.
 */
export function asCloudEvent(
  record: Readonly<Record<string, unknown>>,
  about: {
    readonly stream: string;
    readonly type: string;
    readonly time: string | null;
    readonly index: number;
  },
): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  const data: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record))
    if ((OWN as readonly string[]).includes(name) && typeof value === 'string' && value !== '')
      attributes[name] = value;
    else data[name] = value;
  const content = JSON.stringify([about.type, record, about.index]);
  return {
    specversion: VERSION,
    id: createHash('sha256').update(content).digest('hex').slice(0, 32),
    source: `/streams/${about.stream}`,
    ...(about.time !== null && { time: about.time }),
    ...attributes,
    type: about.type,
    data,
  };
}
