import { StillwaterError } from '../errors/stillwater-error.js';
import { BEGINNING, comparePositions, earlierOf, laterOf, type Position } from './position.js';

/** Per source partition (its Redis key), a position: everything up to there, or what somebody asks for up to there. */
export type Frontier = Readonly<Record<string, Position>>;

/**
 * A frontier as a text for people and programs to carry about, `airports@17-0,flights:0@1732184000000-3`: sorted by key,
 * so that equal frontiers have equal texts. Holds only characters that headers, paths and queries leave alone; others
 * in a key become `~` and the two hex digits of each of their UTF-8 bytes.
 */
export function encodeToken(frontier: Frontier): string {
  return Object.keys(frontier)
    .sort()
    .map((redisKey) => `${escapeKey(redisKey)}@${frontier[redisKey]}`)
    .join(',');
}

/** The inverse. The empty text is the frontier of nothing. @throws StillwaterError `malformed-token` */
export function decodeToken(text: string): Frontier {
  const frontier: Record<string, Position> = {};
  if (text === '') return frontier;
  if (text.length > TOKEN_LENGTH_MAX)
    throw malformed(text, `it is longer than ${TOKEN_LENGTH_MAX} characters`);
  for (const part of text.split(',')) {
    const found = PART.exec(part);
    if (found === null) throw malformed(text, `"${part}" is not of the form key@milliseconds-sequence`);
    const redisKey = unescapeKey(found[1]!);
    if (redisKey === null)
      throw malformed(text, `"${found[1]}" has a "~" without the two hex digits of a character`);
    if (Object.hasOwn(frontier, redisKey)) throw malformed(text, `it names "${redisKey}" twice`);
    // A plain assignment of `__proto__` would set no field.
    Object.defineProperty(frontier, redisKey, {
      value: found[2],
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return frontier;
}

/** One partition for which a frontier has not come as far as a token asks. */
export interface Shortfall {
  readonly redisKey: string;
  readonly has: Position;
  readonly wants: Position;
}

/** Where `frontier` is behind `token`; empty when it covers it. A key that the frontier does not have stands at its beginning. */
export function shortfalls(frontier: Frontier, token: Frontier): Shortfall[] {
  return Object.keys(token)
    .map((redisKey) => ({ redisKey, has: positionIn(frontier, redisKey), wants: token[redisKey]! }))
    .filter(({ has, wants }) => comparePositions(has, wants) < 0);
}

/** Whether everything the token names is contained. */
export const covers = (frontier: Frontier, token: Frontier): boolean =>
  shortfalls(frontier, token).length === 0;

/** What a token says of these keys: a view cannot come to positions in streams it does not read. */
export function restrictTo(token: Frontier, redisKeys: Iterable<string>): Frontier {
  const restricted: Record<string, Position> = {};
  for (const redisKey of redisKeys)
    if (Object.hasOwn(token, redisKey)) restricted[redisKey] = token[redisKey]!;
  return restricted;
}

/**
 * What is contained in each of several: the earlier position where several have a key. So tasks make up their view, of
 * which each reads partitions of its own and all read what they share.
 */
export const minFrontier = (...frontiers: readonly Frontier[]): Frontier => combine(frontiers, earlierOf);

/** What is contained in any of several: the later position. So several appends make up one token. */
export const maxFrontier = (...frontiers: readonly Frontier[]): Frontier => combine(frontiers, laterOf);

function combine(
  frontiers: readonly Frontier[],
  choose: (left: Position, right: Position) => Position,
): Frontier {
  const combined: Record<string, Position> = {};
  for (const frontier of frontiers)
    for (const redisKey of Object.keys(frontier))
      combined[redisKey] = Object.hasOwn(combined, redisKey)
        ? choose(combined[redisKey]!, frontier[redisKey]!)
        : frontier[redisKey]!;
  return combined;
}

const positionIn = (frontier: Frontier, redisKey: string): Position =>
  Object.hasOwn(frontier, redisKey) ? frontier[redisKey]! : BEGINNING;

/** Longer texts are not looked at. */
const TOKEN_LENGTH_MAX = 65_536;
const PART = /^([A-Za-z0-9\-_.:/~]*)@(\d{1,20}-\d{1,20})$/;

const escapeKey = (redisKey: string): string =>
  redisKey.replace(/[^A-Za-z0-9\-_.:/]+/gu, (characters) =>
    Array.from(
      Buffer.from(characters, 'utf8'),
      (byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  );

function unescapeKey(escaped: string): string | null {
  if (/~(?![0-9A-F]{2})/.test(escaped)) return null;
  const bytes = escaped.replace(/(?:~[0-9A-F]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('~', ''), 'hex').toString('utf8'),
  );
  return escapeKey(bytes) === escaped ? bytes : null;
}

const malformed = (text: string, reason: string): StillwaterError =>
  new StillwaterError('malformed-token', {
    what: 'The position token cannot be read.',
    evidence: `  token   ${text.slice(0, 200)}\n  reason  ${reason}`,
    consequence: 'Nothing was read or waited for.',
    remedy:
      'Send a token as it was given in a `Stillwater-Position` header or in the reply to an append, or none.',
  });
