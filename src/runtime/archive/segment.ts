import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { messageOf, StillwaterError } from '../../errors/stillwater-error.js';
import type { Heartbeat, RawEntry } from '../ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from '../position.js';

/**
 * A run of entries of one log that follow each other, in one object that never changes. All that must be known to find a way
 * through the archive is in the names of its objects, so that a listing is the manifest:
 *
 *   <stream>/<after>_<first>_<last>_<covers>_<entries>_<bytes>_<checksum>.gz
 */
export interface Segment {
  readonly name: string;
  /** The entry before it; null where that is not in the archive. */
  readonly after: Position | null;
  readonly first: Position;
  readonly last: Position;
  /** Entries of the log from the one after `after` up to `last`. */
  readonly covers: number;
  /** Those of them that are kept: fewer where a table was compacted. */
  readonly entries: number;
  readonly bytes: number;
}

export interface SegmentContent {
  readonly entries: readonly RawEntry[];
  /** Of anchors from `after` on, before `last`: what has a successor has had its last heartbeat. */
  readonly heartbeats: readonly Heartbeat[];
}

export interface NewSegment extends SegmentContent {
  readonly after: Position | null;
  readonly covers: number;
}

const FORMAT = 1;
const NO_PREDECESSOR = 'gap';
const NAME = /^(gap|\d+-\d+)_(\d+-\d+)_(\d+-\d+)_(\d+)_(\d+)_(\d+)_([0-9a-f]{32})\.gz$/;
const CHECKSUM_LENGTH = 32;
/** Characters of a folder's name: file systems take 255 bytes. */
const FOLDER_LENGTH_MAX = 200;

/** How the text of a segment becomes an object. */
export interface Packing {
  pack(text: string): Promise<Uint8Array>;
  /** @throws for what was not packed. */
  unpack(content: Uint8Array): Promise<Uint8Array>;
}

/** With gzip, in threads of its own. */
export const GZIP: Packing = {
  pack: promisify<string, Uint8Array>(gzip),
  unpack: promisify<Uint8Array, Uint8Array>(gunzip),
};

/** The folder of a stream's segments. */
export function folderOf(prefix: string, redisKey: string): string {
  const plain = `${prefix}_${redisKey}`.replace(/[^A-Za-z0-9_-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
  if (plain.length <= FOLDER_LENGTH_MAX) return plain;
  return `${plain.slice(0, FOLDER_LENGTH_MAX - 33)}_${checksumOf(Buffer.from(plain))}`;
}

/** The segment that an object's name says it is; null for what is none: a file somebody left there. */
export function segmentOf(name: string): Segment | null {
  const parts = NAME.exec(name.slice(name.lastIndexOf('/') + 1));
  if (parts === null) return null;
  const [, after, first, last, covers, entries, bytes] = parts as unknown as string[];
  return {
    name,
    after: after === NO_PREDECESSOR ? null : after!,
    first: first!,
    last: last!,
    covers: Number(covers),
    entries: Number(entries),
    bytes: Number(bytes),
  };
}

/** The object of a segment, and its name, which its content decides. */
export async function encodeSegment(
  folder: string,
  redisKey: string,
  { after, covers, entries, heartbeats }: NewSegment,
  { pack }: Packing = GZIP,
): Promise<{ name: string; content: Uint8Array }> {
  const head = {
    format: FORMAT,
    stream: redisKey,
    heartbeats: heartbeats.map((of) => [of.anchor, of.clock]),
  };
  const text = [head, ...entries].map((line) => JSON.stringify(line)).join('\n');
  const content = await pack(text);
  const [first, last] = [entries[0]![0], entries.at(-1)![0]];
  const parts = [after ?? NO_PREDECESSOR, first, last, covers, entries.length, content.length];
  return { name: `${folder}/${parts.join('_')}_${checksumOf(content)}.gz`, content };
}

/**
 * What is in the object of a segment. It is believed only if it is what its name says.
 * @throws StillwaterError `archive-damaged`
 */
export async function decodeSegment(
  redisKey: string,
  segment: Segment,
  content: Uint8Array,
  { unpack }: Packing = GZIP,
): Promise<SegmentContent> {
  const expected = segment.name.slice(-CHECKSUM_LENGTH - '.gz'.length, -'.gz'.length);
  const found = checksumOf(content);
  if (found !== expected)
    throw damaged(redisKey, segment, `checksum ${found}, and its name says ${expected}`);
  let head: { format: number; stream: string; heartbeats: [Position, number][] };
  let entries: RawEntry[];
  try {
    const [first, ...rest] = Buffer.from(await unpack(content))
      .toString('utf8')
      .split('\n');
    head = JSON.parse(first!) as typeof head;
    entries = rest.map((line) => JSON.parse(line) as RawEntry);
  } catch (thrown) {
    throw damaged(redisKey, segment, messageOf(thrown));
  }
  if (head.format !== FORMAT)
    throw damaged(redisKey, segment, `format ${head.format}, and ${FORMAT} is known`);
  if (head.stream !== redisKey)
    throw damaged(redisKey, segment, `of the stream ${JSON.stringify(head.stream)}`);
  if (entries.length !== segment.entries || entries.at(-1)?.[0] !== segment.last)
    throw damaged(redisKey, segment, `${entries.length} entries up to ${entries.at(-1)?.[0] ?? 'none'}`);
  return { entries, heartbeats: head.heartbeats.map(([anchor, clock]) => ({ anchor, clock })) };
}

const checksumOf = (content: Uint8Array): string =>
  createHash('sha256').update(content).digest('hex').slice(0, CHECKSUM_LENGTH);

export function damaged(redisKey: string, { name, after, last }: Segment, found: string): StillwaterError {
  return new StillwaterError('archive-damaged', {
    what: `A file of the archive of the stream "${redisKey}" is not what was written.`,
    evidence: `  file   ${name}\n  found  ${found}\n  holds  entries after ${after ?? 'a gap'} up to ${last}`,
    consequence: 'Nothing of it was used, and nothing was read past it.',
    remedy:
      'Put the file back from a copy; views try again by themselves, a rebuild that failed is to be started again. If there is none, move it out of the archive; what is then missing is refused as trimmed, and `stillwater rebuild <view> --accept-trimmed` rebuilds from what is left.',
  });
}

/** The segments through which one reads without a gap, up to the newest. */
export interface ArchiveRun {
  readonly segments: readonly [Segment, ...Segment[]];
  /** What it follows: `0-0` where it begins with the log, null where what came before is not there. */
  readonly after: Position | null;
  readonly first: Position;
  readonly last: Position;
  /** Entries of the log it stands for. */
  readonly covers: number;
  readonly bytes: number;
  /** Objects that others of the run hold too: of archivers that worked at once, and of merges. */
  readonly spare: readonly Segment[];
}

/**
 * The newest run among segments: back from the last entry, each time to the segment that reaches furthest back. So several
 * may hold the same entries, and whichever is chosen leads to the beginning.
 */
export function newestRun(segments: readonly Segment[]): ArchiveRun | null {
  const byLast = new Map<Position, Segment>();
  for (const segment of segments) {
    const known = byLast.get(segment.last);
    if (known === undefined || reachesFurther(segment, known)) byLast.set(segment.last, segment);
  }
  let segment = [...byLast.values()].reduce<Segment | undefined>(
    (newest, each) => (newest && comparePositions(newest.last, each.last) > 0 ? newest : each),
    undefined,
  );
  const run: Segment[] = [];
  for (; segment !== undefined; segment = segment.after === null ? undefined : byLast.get(segment.after))
    run.unshift(segment);
  const [oldest] = run;
  if (oldest === undefined) return null;
  return {
    segments: run as [Segment, ...Segment[]],
    after: oldest.after,
    first: oldest.first,
    last: run.at(-1)!.last,
    covers: run.reduce((sum, { covers }) => sum + covers, 0),
    bytes: run.reduce((sum, { bytes }) => sum + bytes, 0),
    spare: segments.filter((each) => !run.includes(each) && run.some((kept) => isWithin(each, kept))),
  };
}

const startOf = ({ after, first }: Segment): Position => after ?? first;

function reachesFurther(one: Segment, other: Segment): boolean {
  const order = comparePositions(startOf(one), startOf(other));
  // Of two that reach as far, the one that holds less is the one that was compacted.
  return order < 0 || (order === 0 && one.entries < other.entries);
}

const isWithin = (inner: Segment, outer: Segment): boolean =>
  inner.after !== null &&
  outer.after !== null &&
  comparePositions(inner.after, outer.after) >= 0 &&
  comparePositions(inner.last, outer.last) <= 0;

/** The segment in which one goes on after a position; null where the run does not hold what follows. */
export function segmentAfter(run: ArchiveRun, position: Position): Segment | null {
  const segment = run.segments.find(({ last }) => comparePositions(last, position) > 0);
  if (segment === undefined) return null;
  if (position === BEGINNING) return segment;
  return comparePositions(position, startOf(segment)) >= 0 ? segment : null;
}
