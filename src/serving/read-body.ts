import { StillwaterError } from '../errors/stillwater-error.js';

/** A body as it came, for the content types a handler reads itself: lines of JSON. */
export class LinesBody {
  constructor(readonly text: string) {}
}

export const NDJSON = 'application/x-ndjson';

/** The events of a body: one object, an array, or lines of JSON. @throws StillwaterError `malformed-body` */
export function eventsOf(body: unknown): unknown[] {
  if (body instanceof LinesBody) return linesOf(body.text);
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
    consequence: 'Nothing was appended.',
    remedy: 'Send JSON as application/json (curl --json does), or one event a line as application/x-ndjson.',
  });
