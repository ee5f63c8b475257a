import { StillwaterError } from '../../errors/stillwater-error.js';
import type { Clock } from '../clock.js';
import type { Limits } from '../limits.js';
import type { Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import type { SourceLog } from '../ports/source-log.js';
import { BEGINNING, comparePositions, earlierOf, type Position } from '../position.js';
import type { LogArchive } from './log-archive.js';

export interface ArchiverOptions {
  archive: LogArchive;
  /** As it is in Redis, without what the archive holds of it. */
  log: SourceLog;
  clock: Clock;
  limits: Pick<Limits, 'archiveEntriesMax' | 'archiveMs' | 'archiveAgeMs' | 'readBytesMax'>;
  metrics: Pick<Metrics, 'archivedEntries'>;
  logger: Logger;
}

/**
 * Brings into the archive what is to be trimmed.
 *
 * It may end at any point and begin again, and two may work at once: a segment says which entry it follows, and what the
 * archive holds decides where the next one begins. Nothing young is archived: a Redis that loses its last seconds must not
 * find entries in the archive that it does not know.
 */
export class Archiver {
  /** By stream: when something of it was last archived, or it was first looked at. */
  readonly #since = new Map<string, number>();
  /** Where archives ended whose gaps behind that were told of. */
  readonly #gaps = new Map<string, Position>();

  constructor(readonly options: ArchiverOptions) {}

  /**
   * Archives a segment of what lies before `to`, if there is enough for one or it has waited long enough.
   * @param now The time of Redis.
   * @returns The entry before which everything may be trimmed: it is in the archive, and stays in the log.
   * @throws StillwaterError `archive-ahead`, `archive-unreachable`
   */
  async archive(redisKey: string, to: Position, now: number): Promise<Position> {
    const { archive, clock, limits, metrics } = this.options;
    const before = earlierOf(to, `${Math.max(0, now - limits.archiveAgeMs)}-0`);
    let last = await this.#end(redisKey);
    if (comparePositions(before, last) <= 0) return earlierOf(to, last);
    const countMax = await this.#countMax(redisKey);
    let missing = false;
    let read = await this.#readAfter(redisKey, last, countMax);
    while (!missing && (read.status === 'lost' || (await this.#isCut(redisKey, last)))) {
      // Another one may have archived and trimmed meanwhile, as often as it likes: something is missing only if the archive still
      // ends where it did.
      const end = await this.#end(redisKey);
      missing = end === last;
      last = end;
      if (!missing) read = await this.#readAfter(redisKey, last, countMax);
    }
    if (read.status === 'lost') {
      this.#broken(redisKey, last, read);
      last = BEGINNING;
      read = await this.#readAfter(redisKey, last, countMax);
    }
    if (read.status === 'lost') return BEGINNING;
    const entries = read.entries.filter(([id]) => comparePositions(id, before) <= 0);
    const isFull = entries.length === countMax;
    const at = clock.monotonicMs();
    const since = this.#since.get(redisKey);
    if (since === undefined) this.#since.set(redisKey, at);
    if (entries.length === 0 || !(isFull || at - (since ?? at) >= limits.archiveMs))
      return earlierOf(to, last);
    const end = entries.at(-1)![0];
    await archive.put(redisKey, {
      after: missing ? null : last,
      covers: entries.length,
      entries,
      heartbeats: (read.heartbeats ?? []).filter(({ anchor }) => comparePositions(anchor, end) < 0),
    });
    metrics.archivedEntries.add({ stream: redisKey }, entries.length);
    // More of the same is due: it follows at once.
    if (!isFull) this.#since.set(redisKey, at);
    return earlierOf(to, end);
  }

  /** Where the archive ends. */
  async #end(redisKey: string): Promise<Position> {
    return (await this.options.archive.run(redisKey))?.last ?? BEGINNING;
  }

  /**
   * Whether what was just read from the beginning may not have begun there: something was trimmed. Anywhere else a read names
   * the entry it follows, and says so itself.
   */
  async #isCut(redisKey: string, after: Position): Promise<boolean> {
    if (after !== BEGINNING) return false;
    const [end] = await this.options.log.ends([redisKey]);
    return end!.entriesAdded > end!.length;
  }

  #readAfter(redisKey: string, position: Position, countMax: number) {
    return this.options.log.read({
      redisKey,
      position,
      entriesRead: 0,
      countMax,
      through: 'range',
      heartbeats: true,
    });
  }

  /** A segment holds as many entries as one read may. */
  async #countMax(redisKey: string): Promise<number> {
    const { log, limits } = this.options;
    const [[end], bytes] = await Promise.all([log.ends([redisKey]), log.bytes(redisKey)]);
    const entryBytes = (bytes ?? limits.readBytesMax) / Math.max(1, end!.length);
    const fitting = Math.floor(limits.readBytesMax / Math.max(1, entryBytes));
    return Math.max(2, Math.min(limits.archiveEntriesMax, fitting));
  }

  /**
   * The entry with which the archive ends is not in the log. If the log was trimmed past it by somebody else, a new beginning
   * is made. If the log is another one, nothing of it may be mixed with what is archived.
   */
  #broken(
    redisKey: string,
    last: Position,
    { cause, first, last: end }: { cause: string; first: Position | null; last: Position },
  ): void {
    const evidence = `  archive  … ${last}\n  stream   ${first ?? 'empty'} … ${end}`;
    if (cause === 'went-back')
      throw new StillwaterError('archive-ahead', {
        what: `The archive of the stream "${redisKey}" holds entries that the stream never had: it was made anew, or Redis went back.`,
        evidence,
        consequence: 'Nothing is archived or trimmed of this stream.',
        remedy:
          'If the archive is of another stream, move its folder away: a new one is begun. If Redis was restored from an older backup, move away the files whose entries it lacks.',
      });
    if (this.#gaps.get(redisKey) === last) return;
    this.#gaps.set(redisKey, last);
    this.options.logger.warn(
      `The stream "${redisKey}" lost entries that were not archived: somebody else trimmed it, or deleted the entry at which the archive ended.\n${evidence}\n` +
        `The archive goes on behind the gap; a rebuild from the beginning is refused (log-trimmed) unless that is accepted.`,
    );
  }
}
