import { StillwaterError } from '../errors/stillwater-error.js';

/** The texts of UTF-8 only: what is none would silently become U+FFFD, and different keys the same. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** The text of a body. @throws StillwaterError `malformed-body` */
export function textOf(body: Uint8Array): string {
  try {
    return UTF_8.decode(body);
  } catch {
    throw malformed('The body is not UTF-8.', `body  ${body.length} bytes`);
  }
}

/** The JSON of a body, whatever its fields are called; undefined of an empty one, which is none. @throws StillwaterError `malformed-body` */
export function jsonOf(body: Uint8Array): unknown {
  const text = textOf(body);
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw malformed('The body is not JSON.', (thrown as Error).message);
  }
}

/** A body as it came, for the content types a handler reads itself: lines of JSON. */
export class LinesBody {
  constructor(readonly bytes: Uint8Array) {}
}

export const NDJSON = 'application/x-ndjson';

/** The events of a body: one object, an array, or lines of JSON. @throws StillwaterError `malformed-body` */
export function eventsOf(body: unknown): unknown[] {
  if (body instanceof LinesBody) return linesOf(textOf(body.bytes));
  if (Array.isArray(body)) return body;
  if (body !== null && typeof body === 'object') return [body];
  throw malformed(
    'The body must be an event or an array of events.',
    `body  ${body === undefined ? '(nothing)' : JSON.stringify(body).slice(0, 100)}`,
  );
}

/** The row of a body. */
export function rowOf(body: unknown): unknown {
  if (body !== null && typeof body === 'object' && !Array.isArray(body) && !(body instanceof LinesBody))
    return body;
  throw malformed(
    'The body must be one row: a JSON object.',
    `body  ${body === undefined ? '(nothing)' : Array.isArray(body) ? 'an array' : typeof body}`,
  );
}

function linesOf(text: string): unknown[] {
  const events: unknown[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    if (line.trim() === '') continue;
    try {
      events.push(JSON.parse(line));
    } catch (thrown) {
      throw malformed(
        'A line of the body is not JSON.',
        `line ${number}  ${line.slice(0, 100)}\n${(thrown as Error).message}`,
      );
    }
  }
  return events;
}

const malformed = (what: string, evidence: string): StillwaterError =>
  new StillwaterError('malformed-body', {
    what,
    evidence,
    consequence: 'Nothing was done.',
    remedy: 'Send JSON as application/json (curl --json does), or one event a line as application/x-ndjson.',
  });
