import { messageOf } from '../errors/stillwater-error.js';
import { Archiver } from './archive/archiver.js';
import { Merging } from './archive/merging.js';
import { ArchivedLog } from './archive/archived-log.js';
import { beginArchive } from './archive/begin-archive.js';
import { inputNameOf } from '../view/declarations.js';
import type { Catalog } from './catalog.js';
import type { Clock } from './clock.js';
import { forgetReader } from './drop-generation.js';
import { inState } from './in-state.js';
import type { Limits } from './limits.js';
import { type LogOf, LogReaders, type LowestReader, nameOf } from './log-readers.js';
import type { Logger } from './logger.js';
import { maintained } from './maintained.js';
import type { Metrics } from './metrics.js';
import { partitionKeys, type RecordSource } from './placement.js';
import type { Generation } from './ports/registry.js';
import type { SourceLog } from './ports/source-log.js';
import type { TaskStore } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';
import type { Workers } from './ports/workers.js';
import { BEGINNING, comparePositions, earlierOf, END, laterOf, type Position } from './position.js';
import type { RegistryWatch } from './registry-watch.js';
import { isTransient } from './task-end.js';

export interface RetentionOptions {
  catalog: () => Catalog;
  registry: RegistryWatch;
  tasks: TaskStore;
  views: ViewStore;
  log: SourceLog;
  workers: Workers;
  id: string;
  clock: Clock;
  limits: Limits;
  metrics: Metrics;
  logger: Logger;
}

/** Entries one trimming call removes at the most: a longer one would be felt by others. */
const TRIM_ENTRIES_MAX = 10_000;
/** And so many calls one round makes for a log: what is left then waits for the next. */
const TRIM_CALLS_MAX = 1_000;

/**
 * Trims the streams that declare a retention: behind the lowest position of every generation that reads them (also
 * paused, kept and building ones) and of every foreign consumer group, and never the entry at that position.
 *
 * Where there is an archive, nothing is trimmed that is not in it.
 *
 * What stands still would hold them back for ever. So generations kept for a rollback go after `keptMs`, and one whose code
 * no live worker has counts for `orphanMs` from when this process first saw it so; its rows stay, and should its code come
 * back too late it is rebuilt. One of which a task is parked counts for `parkedHoldsBackMs`: of it, and of those that wait for its
 * rows, only what their other tasks read.
 */
export class Retention {
  readonly #stopped = new AbortController();
  #loop: Promise<void> | null = null;
  /** Generations without code, and when they were first seen so by this process, as the one that trims. */
  readonly #orphans = new Map<string, { since: number; told: boolean }>();
  readonly #readers: LogReaders;
  /** Who holds back the trimming of a log, and since when. */
  readonly #heldBack = new Map<string, { by: string; since: number }>();
  readonly #archiver: Archiver | null;
  readonly #merging: Merging | null;
  /** It was said that this process must not trim. */
  #refused = false;
  /** Streams that could not be trimmed, and what was said of it. */
  readonly #failing = new Map<string, string>();

  constructor(readonly options: RetentionOptions) {
    const { log } = options;
    this.#readers = new LogReaders(options, (generation) => this.#isForgotten(generation));
    const archived = ArchivedLog.in(log);
    this.#archiver = archived && new Archiver({ ...options, log: archived.log, archive: archived.archive });
    this.#merging = archived && new Merging(archived.archive, options.limits);
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, limits, logger, workers, id } = this.options;
    while (!this.#stopped.signal.aborted) {
      await clock.sleep(limits.retentionMs, this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
      try {
        // Any worker may do it, and doing it twice does no harm: the least one does, of those that have an archive if any has.
        const { live } = await workers.live();
        const archiving = live.filter(({ archives }) => archives);
        const able = archiving.length > 0 ? archiving : live;
        if (able.map((worker) => worker.id).sort()[0] !== id) {
          this.#orphans.clear();
          this.#readers.forget();
          this.#sayNothingOfTrimming();
          continue;
        }
        await this.dropKept();
        await this.trim();
      } catch (thrown) {
        logger.warn(
          `Streams were not trimmed: ${messageOf(thrown)}. It is tried again in ${limits.retentionMs} ms.`,
        );
      }
    }
  }

  /** Gives up the generations that were kept long enough. */
  async dropKept(): Promise<void> {
    const { registry, clock, limits, logger } = this.options;
    const now = clock.now();
    const old = (generations: readonly Generation[]): Generation[] => {
      const read = maintained(
        generations.filter((generation) => generation.state === 'kept' || !this.#isForgotten(generation)),
      );
      return generations.filter(
        (generation) =>
          generation.state === 'kept' && now - generation.since >= limits.keptMs && !read.has(generation),
      );
    };
    if (old(registry.snapshot.generations).length === 0) return;
    let dropped: Generation[] = [];
    await registry.change(({ generations }) => {
      dropped = old(generations);
      return { puts: dropped.map((generation) => inState(generation, 'dropping', now)) };
    });
    for (const { view, number } of dropped)
      logger.info(`Generation ${number} of "${view}" is no longer kept for a rollback.`);
  }

  /** One round over all streams. How many entries went, by Redis key. */
  async trim(): Promise<Map<string, number>> {
    const { catalog, workers, registry, metrics, logger } = this.options;
    // A generation that another process has just made reads from the beginning, and this one may not know of it yet.
    await registry.refresh();
    await beginArchive(this.options);
    if (this.#archiver === null && registry.snapshot.archived) return this.#refuse();
    const { now, live } = await workers.live();
    await this.#lookForOrphans(new Set(live.flatMap(({ fingerprints }) => fingerprints)));
    const trimmed = new Map<string, number>();
    const sources = [...catalog().streams.values(), ...catalog().tables.values()].filter(
      ({ retain }) => retain,
    );
    await this.#readers.look(now, sources.length > 0);
    for (const source of sources) {
      for (const [partition, redisKey] of partitionKeys(source).entries()) {
        try {
          const count = await this.#trimLog(
            { redisKey, partition, input: inputNameOf(source) },
            source.retain!,
            now,
          );
          if (count > 0) trimmed.set(redisKey, count);
          await this.#merge(source, partition, redisKey);
          this.#failing.delete(redisKey);
        } catch (thrown) {
          // A stream that cannot be archived must not keep the others from being trimmed.
          if (isTransient(thrown)) throw thrown;
          metrics.trimFailures.add({ stream: redisKey });
          if (this.#failing.get(redisKey) !== messageOf(thrown))
            logger.error(`The stream "${redisKey}" is not trimmed.\n${messageOf(thrown)}`);
          this.#failing.set(redisKey, messageOf(thrown));
        }
      }
    }
    return trimmed;
  }

  /** What is trimmed is to be archived, and this process cannot. */
  #refuse(): Map<string, number> {
    if (!this.#refused)
      this.options.logger.warn(
        'Streams are not trimmed: what is trimmed goes into an archive, and this process, which is to do it, has none. ' +
          'Give it the archive that the others have (STILLWATER_ARCHIVE); or, when no process has one any more, give it up: start one with STILLWATER_ARCHIVE=none.',
      );
    this.#refused = true;
    this.#sayNothingOfTrimming();
    return new Map();
  }

  async #trimLog(of: LogOf, retain: NonNullable<RecordSource['retain']>, now: number): Promise<number> {
    const { log } = this.options;
    const { redisKey } = of;
    const lowest = await this.#readers.lowest(of);
    let trimmed = 0;
    for (let call = 0; call < TRIM_CALLS_MAX && !this.#stopped.signal.aborted; call++) {
      const declared = await this.#wantedFrom(redisKey, retain, now);
      if (comparePositions(lowest.position, declared) < 0) this.#isHeldBack(redisKey, lowest, now);
      else this.#goesOn(redisKey);
      const wanted = earlierOf(declared, lowest.position);
      if (wanted === BEGINNING) break;
      const position = this.#archiver === null ? wanted : await this.#archiver.archive(redisKey, wanted, now);
      const count = position === BEGINNING ? 0 : await log.trim(redisKey, position, TRIM_ENTRIES_MAX);
      if (count === 0) break;
      trimmed += count;
    }
    return trimmed;
  }

  async #merge(source: RecordSource, partition: number, redisKey: string): Promise<void> {
    if (this.#merging === null) return;
    const [end] = await this.options.log.ends([redisKey]);
    if (end?.first) await this.#merging.merge({ redisKey, source, partition, first: end.first });
  }

  /** The first entry that the declaration wants kept, as far as one look finds it. */
  async #wantedFrom(
    redisKey: string,
    { ageMs, entriesMax }: { ageMs: number | null; entriesMax: number | null },
    now: number,
  ): Promise<Position> {
    const { log, limits } = this.options;
    const [end] = await log.ends([redisKey]);
    if (!end?.exists || end.length === 0) return BEGINNING;
    const young: Position = ageMs === null ? BEGINNING : `${Math.max(0, now - ageMs)}-0`;
    if (entriesMax === null || end.length <= entriesMax) return young;
    // The entries are read to find an id: no more of them than one read may hold.
    const entryBytes = ((await log.bytes(redisKey)) ?? limits.readBytesMax) / end.length;
    const surplus = Math.min(
      end.length - entriesMax,
      TRIM_ENTRIES_MAX,
      Math.max(1, Math.floor(limits.readBytesMax / Math.max(1, entryBytes))),
    );
    const [last] = (await log.range(redisKey, BEGINNING, END, surplus + 1)).slice(-1);
    return last === undefined ? young : laterOf(young, last[0]);
  }

  /** Finds generations whose code is gone; of those that are so for long, upstreams need not keep changelogs either. */
  async #lookForOrphans(code: ReadonlySet<string>): Promise<void> {
    const { registry, clock, limits, views, logger } = this.options;
    const { generations } = registry.snapshot;
    const names = new Set(generations.map(nameOf));
    for (const name of this.#orphans.keys()) if (!names.has(name)) this.#orphans.delete(name);
    for (const generation of generations) {
      const name = nameOf(generation);
      if (code.has(generation.fingerprint)) this.#orphans.delete(name);
      else if (!this.#orphans.has(name)) this.#orphans.set(name, { since: clock.monotonicMs(), told: false });
      if (!this.#isForgotten(generation)) continue;
      await forgetReader(generation, { views, registry });
      const orphan = this.#orphans.get(name)!;
      if (orphan.told) continue;
      orphan.told = true;
      logger.warn(
        `Generation ${generation.number} of "${generation.view}" holds back no trimming any more: no worker had its code for ${limits.orphanMs} ms. ` +
          `Its rows are served as they are. If the view is not to come back: \`stillwater drop ${generation.view}\`.`,
      );
    }
  }

  #isForgotten(generation: Generation): boolean {
    const { clock, limits } = this.options;
    const orphan = this.#orphans.get(nameOf(generation));
    return orphan !== undefined && clock.monotonicMs() - orphan.since >= limits.orphanMs;
  }

  #isHeldBack(redisKey: string, { by, since }: LowestReader, now: number): void {
    const known = this.#heldBack.get(redisKey);
    if (known !== undefined && known.by !== by) this.#goesOn(redisKey);
    const held = { by, since: since ?? (known?.by === by ? known.since : now) };
    this.#heldBack.set(redisKey, held);
    this.options.metrics.trimHeldBack.set({ stream: redisKey, by }, held.since / 1_000);
  }

  /** Who does not trim does not know who holds it back. */
  #sayNothingOfTrimming(): void {
    for (const redisKey of [...this.#heldBack.keys()]) this.#goesOn(redisKey);
  }

  #goesOn(redisKey: string): void {
    const known = this.#heldBack.get(redisKey);
    if (known === undefined) return;
    this.#heldBack.delete(redisKey);
    this.options.metrics.trimHeldBack.remove({ stream: redisKey, by: known.by });
  }
}
