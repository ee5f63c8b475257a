import { BEGINNING, comparePositions, type Position } from '../runtime/position.js';
import type { LogEnd } from '../runtime/ports/source-log.js';
import { isReply, valueOf } from './replies.js';

/** What XINFO says of a stream, and of one that is not there. */

/** For the error of XINFO where the key does not exist: null. */
export function absent(thrown: unknown): null {
  if (isReply(thrown) && /no such key/i.test(thrown.message)) return null;
  throw thrown;
}

/** A reply of XINFO among others; null where the key does not exist. */
export function infoAt(replies: [Error | null, unknown][] | null, index: number): unknown[] | null {
  try {
    return valueOf(replies, index) as unknown[];
  } catch (thrown) {
    return absent(thrown);
  }
}

export function fieldsOf(flat: readonly unknown[]): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (let index = 0; index + 1 < flat.length; index += 2) fields.set(flat[index] as string, flat[index + 1]);
  return fields;
}

export function logEnd(redisKey: string, info: unknown[] | null): LogEnd {
  if (info === null)
    return {
      redisKey,
      exists: false,
      length: 0,
      last: BEGINNING,
      first: null,
      entriesAdded: 0,
      maxDeleted: BEGINNING,
    };
  const fields = fieldsOf(info);
  const length = Number(fields.get('length'));
  const first = fields.get('recorded-first-entry-id') as Position;
  const added = Number(fields.get('entries-added'));
  return {
    redisKey,
    exists: true,
    length,
    last: fields.get('last-generated-id') as Position,
    first: length === 0 || comparePositions(first, BEGINNING) === 0 ? null : first,
    entriesAdded: Math.max(added, length),
    maxDeleted: fields.get('max-deleted-entry-id') as Position,
  };
}
