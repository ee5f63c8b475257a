import { messageOf, StillwaterError } from '../../errors/stillwater-error.js';
import type { Clock } from '../clock.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { Heartbeat, RawEntry } from '../ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from '../position.js';
import {
  type ArchiveRun,
  damaged,
  decodeSegment,
  encodeSegment,
  folderOf,
  GZIP,
  newestRun,
  type NewSegment,
  type Packing,
  type Segment,
  type SegmentContent,
  segmentAfter,
  segmentOf,
} from './segment.js';

/** How long a listing is believed where a newer one would change nothing but a figure. */
const LISTED_MS = 1_000;
/** Segments kept decoded: a replay takes many reads out of each. */
const DECODED_MAX = 4;

/** The archived beginnings of logs: what retention has taken out of them. */
export class LogArchive {
  readonly #listed = new Map<string, { run: ArchiveRun | null; at: number }>();
  /** By name; an object never changes, and was looked at when it was decoded. */
  readonly #decoded = new Map<string, Promise<SegmentContent>>();

  constructor(
    readonly store: ObjectStore,
    /** Several installations may share a store. */
    readonly prefix: string,
    readonly clock: Clock,
    readonly packing: Packing = GZIP,
  ) {}

  /** What can be read of a log's beginning; null for nothing. Looked up anew, or up to a second old. */
  async run(redisKey: string, freshness: 'now' | 'lately' = 'now'): Promise<ArchiveRun | null> {
    const known = this.#listed.get(redisKey);
    const at = this.clock.monotonicMs();
    if (freshness === 'lately' && known !== undefined && at - known.at < LISTED_MS) return known.run;
    const names = await reached(this.store.list(folderOf(this.prefix, redisKey)));
    const run = newestRun(names.map(segmentOf).filter((segment) => segment !== null));
    this.#listed.set(redisKey, { run, at });
    return run;
  }

  /** Stores a segment. When it returns the log may lose what is in it. */
  async put(redisKey: string, segment: NewSegment): Promise<void> {
    const { name, content } = await encodeSegment(
      folderOf(this.prefix, redisKey),
      redisKey,
      segment,
      this.packing,
    );
    await reached(this.store.put(name, content));
    this.#listed.delete(redisKey);
  }

  async remove(redisKey: string, { name }: Segment): Promise<void> {
    await reached(this.store.remove(name));
    this.#listed.delete(redisKey);
  }

  /**
   * Entries after a position, at most those of one segment, and the heartbeats of the position and of these. Null where
   * the archive does not continue there.
   * @throws StillwaterError `archive-damaged`
   */
  async after(
    redisKey: string,
    position: Position,
    countMax: number,
  ): Promise<{ entries: RawEntry[]; heartbeats: Heartbeat[] } | null> {
    const found =
      (await this.#at(redisKey, position, 'lately')) ?? (await this.#at(redisKey, position, 'now'));
    if (found === null) return null;
    const { segment, entries, heartbeats } = found;
    const from = indexAfter(entries, position);
    const isInside = position !== BEGINNING && position !== segment.after;
    // A record that was compacted away has been read by who stands at it.
    if (isInside && segment.entries === segment.covers && entries[from - 1]?.[0] !== position) return null;
    const some = entries.slice(from, from + countMax);
    const last = some.at(-1)![0];
    return {
      entries: some,
      heartbeats: heartbeats.filter(
        ({ anchor }) => comparePositions(anchor, position) >= 0 && comparePositions(anchor, last) <= 0,
      ),
    };
  }

  /** The segment that holds what follows a position. Null where there is none, or what was found lately is replaced by now. */
  async #at(
    redisKey: string,
    position: Position,
    freshness: 'now' | 'lately',
  ): Promise<(SegmentContent & { segment: Segment }) | null> {
    const run = await this.run(redisKey, freshness);
    const segment = run && segmentAfter(run, position);
    if (!segment) return null;
    try {
      return { segment, ...(await this.content(redisKey, segment)) };
    } catch (thrown) {
      if (freshness === 'lately') return null;
      throw thrown;
    }
  }

  /** How many entries of the log the run stands for that lie before a position, of which the run holds what follows. */
  async entriesBefore(redisKey: string, run: ArchiveRun, position: Position): Promise<number> {
    let before = run.covers;
    for (const segment of [...run.segments].reverse()) {
      if (comparePositions(segment.last, position) < 0) break;
      if (segment.last === position) return before - 1;
      before -= segment.covers;
      if (comparePositions(segment.first, position) > 0) continue;
      const { entries } = await this.content(redisKey, segment);
      return before + entries.filter(([id]) => comparePositions(id, position) < 0).length;
    }
    return before;
  }

  content(redisKey: string, segment: Segment): Promise<SegmentContent> {
    const known = this.#decoded.get(segment.name);
    if (known !== undefined) {
      // Used last, forgotten last.
      this.#decoded.delete(segment.name);
      this.#decoded.set(segment.name, known);
      return known;
    }
    const content = this.#load(redisKey, segment);
    content.catch(() => this.#decoded.delete(segment.name));
    this.#decoded.set(segment.name, content);
    const [oldest] = this.#decoded.keys();
    if (this.#decoded.size > DECODED_MAX) this.#decoded.delete(oldest!);
    return content;
  }

  async #load(redisKey: string, segment: Segment): Promise<SegmentContent> {
    const content = await reached(this.store.get(segment.name));
    if (content === null) throw damaged(redisKey, segment, 'nothing: it was there a moment ago');
    return decodeSegment(redisKey, segment, content, this.packing);
  }
}

/** Whatever a store fails with: it is tried again. */
async function reached<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    if (thrown instanceof StillwaterError) throw thrown;
    throw new StillwaterError(
      'archive-unreachable',
      {
        what: 'The archive cannot be read or written.',
        evidence: `  said  ${messageOf(thrown)}`,
        consequence: 'Nothing is trimmed that is not archived; what needs the archive waits and tries again.',
        remedy: 'Correct what the store complains of. No other action.',
      },
      { cause: thrown },
    );
  }
}

/** The index of the first entry after a position. */
function indexAfter(entries: readonly RawEntry[], position: Position): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePositions(entries[middle]![0], position) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
