import { keyTextOfColumns } from '../../view/row-texts.js';
import { EntryDecoder } from '../decode-entry.js';
import type { Clock } from '../clock.js';
import type { Limits } from '../limits.js';
import type { RecordSource } from '../placement.js';
import type { Heartbeat, RawEntry } from '../ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from '../position.js';
import type { LogArchive } from './log-archive.js';
import type { Segment } from './segment.js';

/** So many neighbours of one size become one. */
const MERGED = 8;
/** A table's segments are worth merging where they are full as well: most of their records may be superseded. */
const TABLE_SEGMENTS = 10;
/** Entries decoded in one go: others must have their turn. */
const DECODED_MAX = 2_000;

export interface MergedLog {
  redisKey: string;
  source: RecordSource;
  partition: number;
  /** The first entry that the log still holds. */
  first: Position;
}

/**
 * Keeps the archive of a log to few objects: eight neighbours of one size become one, and eight of these one again.
 *
 * Of a table only the last record of each key is kept, also where that is a deletion: a replay may stand in between, having
 * read what the deletion takes back; so is the first record that there is, where the log's own beginning is gone. Where a record says since when it holds, the former ones hold before, and all are kept.
 *
 * A merged object is there before those that it replaces go, a round later: who has just found them still reads them.
 */
export class Merging {
  /** What was found to be replaced, by stream, in the round before. */
  readonly #replaced = new Map<string, ReadonlySet<string>>();
  /** What would be too much in one object. */
  readonly #tooLarge = new Set<string>();

  constructor(
    readonly archive: LogArchive,
    readonly limits: Pick<Limits, 'archiveEntriesMax'>,
  ) {}

  /** One merge at the most. */
  async merge(log: MergedLog): Promise<void> {
    const { redisKey, first } = log;
    const run = await this.archive.run(redisKey);
    if (run === null) return;
    const replaced = this.#replaced.get(redisKey);
    for (const segment of run.spare)
      if (replaced?.has(segment.name)) await this.archive.remove(redisKey, segment);
    this.#replaced.set(redisKey, new Set(run.spare.map(({ name }) => name)));

    const settled = run.segments.filter(({ last }) => comparePositions(last, first) < 0);
    for (let at = 0; at + MERGED <= settled.length; at++) {
      const some = settled.slice(at, at + MERGED);
      if (!some.every((each) => sizeOf(each) === sizeOf(some[0]!)) || this.#tooLarge.has(some[0]!.name))
        continue;
      // What came before the run is not there, or was never archived: who began with its first entry is known by that.
      const keepsFirst = at === 0 && run.after !== BEGINNING;
      if (await this.#merge(log, some, keepsFirst)) return;
      this.#tooLarge.add(some[0]!.name);
    }
  }

  async #merge(
    { redisKey, source, partition }: MergedLog,
    segments: readonly Segment[],
    keepsFirst: boolean,
  ): Promise<boolean> {
    const lastRecords = source.kind === 'table' && source.eventTime === null;
    const entriesMax = this.limits.archiveEntriesMax * (lastRecords ? TABLE_SEGMENTS : 1);
    if (!lastRecords && sum(segments, ({ entries }) => entries) > entriesMax) return false;
    const superseded = lastRecords ? new Superseded(source, partition, this.archive.clock) : null;
    const kept: RawEntry[][] = [];
    const heartbeats: Heartbeat[][] = [];
    const [{ after, first }] = segments as [Segment];
    // The end is where one reads on, whatever is in it.
    const bounds = new Set([segments.at(-1)!.last, ...(keepsFirst ? [first] : [])]);
    const isBound = ([id]: RawEntry): boolean => bounds.has(id);
    for (const segment of [...segments].reverse()) {
      const content = await this.archive.content(redisKey, segment);
      kept.unshift(superseded ? await superseded.without(content.entries, isBound) : [...content.entries]);
      heartbeats.unshift([...content.heartbeats]);
      if (sum(kept, ({ length }) => length) > entriesMax) return false;
    }
    await this.archive.put(redisKey, {
      after,
      covers: sum(segments, ({ covers }) => covers),
      entries: kept.flat(),
      heartbeats: heartbeats.flat(),
    });
    return true;
  }
}

/** Finds the records that are not the last of their key, going back from the newest. What cannot be read is nobody's, and kept. */
class Superseded {
  readonly #decoder: EntryDecoder;
  readonly #keyOf: ReturnType<typeof keyTextOfColumns>;
  readonly #seen = new Set<string>();

  readonly #clock: Clock;

  constructor(source: Extract<RecordSource, { kind: 'table' }>, partition: number, clock: Clock) {
    this.#clock = clock;
    this.#decoder = new EntryDecoder(source, partition);
    this.#keyOf = keyTextOfColumns(source.columns, source.key);
  }

  /** These entries, which come before all that were given until now, without those that are superseded. */
  async without(entries: readonly RawEntry[], isKept: (entry: RawEntry) => boolean): Promise<RawEntry[]> {
    const kept: RawEntry[] = [];
    for (let end = entries.length; end > 0; end -= DECODED_MAX) {
      const some = entries.slice(Math.max(0, end - DECODED_MAX), end);
      const { rows, ends, errors } = this.#decoder.decode(some);
      const unread = new Set(errors.map(({ entry }) => entry));
      for (let index = some.length - 1; index >= 0; index--) {
        const keys = rows.slice(index === 0 ? 0 : ends[index - 1], ends[index]).map(this.#keyOf);
        const isLast = keys.some((key) => !this.#seen.has(key));
        keys.forEach((key) => this.#seen.add(key));
        if (isLast || unread.has(index) || isKept(some[index]!)) kept.push(some[index]!);
      }
      await this.#clock.sleep(0);
    }
    return kept.reverse();
  }
}

/** Segments of one size are within a factor of eight of each other. */
const sizeOf = ({ covers }: Segment): number => Math.floor(Math.log(covers) / Math.log(MERGED) + 1e-9);

const sum = <T>(of: readonly T[], by: (each: T) => number): number =>
  of.reduce((total, each) => total + by(each), 0);
