/**
 * Instants as texts of fixed width, `2001-01-01T05:00:00.000Z`: the order of the texts is the order of the times.
 * Years 0000 to 9999.
 */
export const INSTANT_WIDTH = 24;

const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** The text of a time in milliseconds; what lies outside the years that fit becomes the first or last that does. */
export const instantText = (ms: number): string =>
  new Date(Math.min(LAST_MS, Math.max(FIRST_MS, ms))).toISOString();

/** Milliseconds since 1970 of an instant's text. */
export const instantMs = (text: string): number => Date.parse(text);

/** A column's value as an instant: an instant's text as it is, other date-times and epoch milliseconds converted, null for what is no time. */
export function toInstantText(value: unknown): string | null {
  if (typeof value === 'string') {
    if (value.length === INSTANT_WIDTH && value.charCodeAt(23) === 90) return value;
    const ms = Date.parse(value);
    return Number.isNaN(ms) ? null : instantText(ms);
  }
  return typeof value === 'number' ? instantText(value) : null;
}

const SHAPE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** Whether a text is an instant in its canonical form: a real date and time, UTC, milliseconds. */
export function isCanonicalInstant(text: string): boolean {
  if (!SHAPE.test(text)) return false;
  // Up to the 28th every month has the day: the calendar need not be asked.
  const tens = text.charCodeAt(8);
  if (tens < DIGIT_2 || (tens === DIGIT_2 && text.charCodeAt(9) < DIGIT_9)) return true;
  return new Date(Date.parse(text)).getUTCDate() === Number(text.slice(8, 10));
}

const DIGIT_2 = 50;
const DIGIT_9 = 57;
