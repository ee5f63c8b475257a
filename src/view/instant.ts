import { z } from 'zod';
import { instantText as textOfMs } from '../zset/instant-text.js';

/**
 * A point in time. Takes an ISO date-time that says its offset (`2001-01-01T00:00-05:00`, `…Z`), milliseconds since 1970
 * or a Date, and gives UTC text of one width, `2001-01-01T05:00:00.000Z`: the order of the texts is the order
 * in time. What is finer than a millisecond is cut off. Years 0000 to 9999.
 */
export function instant(): z.ZodPipe<z.ZodTransform<string, string | number | Date>, z.ZodString> {
  return z.pipe(toInstant, instantText) as never;
}

/** Registered, so that a schema made by another copy of this module is still known for what it is. */
const INSTANT = Symbol.for('stillwater.instant');

export const isInstantText = (schema: object): boolean => INSTANT in schema;

const textSchema = (): z.ZodString =>
  Object.defineProperty(z.string().meta({ format: 'date-time' }), INSTANT, { value: true });
const instantText = textSchema();

/** The same, to be known from others. */
export const markedInstant = (mark: symbol, value: string): ReturnType<typeof instant> =>
  z.pipe(toInstant, Object.defineProperty(textSchema(), mark, { value })) as never;

/** The instant that `instant()` makes of a value, or null for what is none. */
export function instantOf(value: unknown): string | null {
  if (typeof value === 'string') return fromText(value);
  if (typeof value === 'number') return fromMs(value);
  return value instanceof Date ? fromMs(value.getTime()) : null;
}

const toInstant = z.transform((value: string | number | Date, context) => {
  const text = instantOf(value);
  if (text !== null) return text;
  context.issues.push({
    code: 'custom',
    input: value,
    message:
      'Invalid instant: expected a date and time with its offset (2001-01-01T05:00:00Z) or whole milliseconds since 1970',
  });
  return z.NEVER;
});

const SHAPE =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2}))$/;

function fromText(text: string): string | null {
  const match = SHAPE.exec(text);
  if (!match) return null;
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second = '00',
    fraction = '',
    utc,
    sign,
    offsetHour = '0',
    offsetMinute = '0',
  ] = match;
  if (+month! < 1 || +month! > 12 || +day! < 1 || +day! > daysIn(+year!, +month!)) return null;
  if (+hour! > 23 || +minute! > 59 || +second > 59 || +offsetHour > 23 || +offsetMinute > 59) return null;
  const millis = fraction.slice(0, 3).padEnd(3, '0');
  if (utc !== undefined) return `${year}-${month}-${day}T${hour}:${minute}:${second}.${millis}Z`;
  const local = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millis}Z`);
  const offsetMs = (+offsetHour * 60 + +offsetMinute) * 60_000;
  return fromMs(sign === '-' ? local + offsetMs : local - offsetMs);
}

const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

function fromMs(ms: number): string | null {
  return Number.isInteger(ms) && ms >= FIRST_MS && ms <= LAST_MS ? textOfMs(ms) : null;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
