import { StillwaterError } from '../../errors/stillwater-error.js';
import type { Value } from '../../zset/value.js';

/** Where a page ended: the values it is ordered by and the key of its last row, and the way it was read. */
export interface Cursor {
  /** How the rows were found; a cursor continues only the same way. */
  readonly path: string;
  readonly values: readonly Value[];
  readonly key: string;
}

const CURSOR_LENGTH_MAX = 8_192;

export const encodeCursor = ({ path, values, key }: Cursor): string =>
  Buffer.from(JSON.stringify([path, values, key])).toString('base64url');

/** @throws StillwaterError `malformed-cursor` */
export function decodeCursor(text: string): Cursor {
  try {
    if (text.length > CURSOR_LENGTH_MAX || !/^[A-Za-z0-9_-]+$/.test(text)) throw new Error();
    const found = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
    const [path, values, key] = found as [unknown, unknown, unknown];
    if (typeof path !== 'string' || !Array.isArray(values) || typeof key !== 'string' || !key.isWellFormed())
      throw new Error();
    return { path, values: values as Value[], key };
  } catch {
    throw new StillwaterError('malformed-cursor', {
      what: 'The cursor is not one this service gave out.',
      evidence: `cursor  ${text.slice(0, 100)}`,
      consequence: 'Nothing was read.',
      remedy: 'Take it unchanged from the `Link: <…>; rel="next"` of the page before, or begin without one.',
    });
  }
}

export const otherPath = (): StillwaterError =>
  new StillwaterError('outdated-cursor', {
    what: 'The cursor belongs to another order or another generation of the view.',
    evidence: 'The rows are found in another way than when the page before was read.',
    consequence: 'Nothing was read: going on could leave rows out or repeat them.',
    remedy: 'Begin again without `cursor`, with the same filters and order in all pages.',
  });
