import { messageOf } from '../errors/stillwater-error.js';
import type { Catalog } from './catalog.js';
import type { Clock } from './clock.js';
import type { Limits } from './limits.js';
import type { Logger } from './logger.js';
import { partitionKeys } from './placement.js';
import type { SourceLog } from './ports/source-log.js';
import type { TaskStore } from './ports/task-store.js';
import type { Workers } from './ports/workers.js';
import { BEGINNING, comparePositions, earlierOf, type Position } from './position.js';
import { progressOf } from './progress.js';
import type { RegistryWatch } from './registry-watch.js';

/** Entries one trimming call removes at the most: a longer one would be felt by others. */
const TRIM_ENTRIES_MAX = 10_000;

/**
 * Trims the streams that declare a retention: behind the lowest position of every generation that reads them (also
 * paused, kept and building ones) and of every foreign consumer group, and never the entry at that position.
 */
export class Retention {
  readonly #stopped = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(
    readonly options: { catalog: () => Catalog; registry: RegistryWatch; tasks: TaskStore; log: SourceLog; workers: Workers; id: string; clock: Clock; limits: Limits; logger: Logger },
  ) {}

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
        // Any worker may do it, and doing it twice does no harm: the least one does.
        const { live } = await workers.live();
        if (live.map((worker) => worker.id).sort()[0] !== id) continue;
        await this.trim();
      } catch (thrown) {
        logger.warn(`Streams were not trimmed: ${messageOf(thrown)}. It is tried again in ${limits.retentionMs} ms.`);
      }
    }
  }

  /** One round over all streams. How many entries went, by Redis key. */
  async trim(): Promise<Map<string, number>> {
    const { catalog, log, workers } = this.options;
    const { now } = await workers.live();
    const trimmed = new Map<string, number>();
    for (const source of [...catalog().streams.values(), ...catalog().tables.values()]) {
      if (!source.retain) continue;
      for (const redisKey of partitionKeys(source)) {
        const [end] = await log.ends([redisKey]);
        if (!end?.exists || end.length === 0) continue;
        let upTo: Position = BEGINNING;
        if (source.retain.ageMs !== null) upTo = `${Math.max(0, now - source.retain.ageMs)}-0`;
        if (source.retain.entriesMax !== null && end.length > source.retain.entriesMax) {
          const surplus = Math.min(end.length - source.retain.entriesMax, TRIM_ENTRIES_MAX);
          const [last] = (await log.range(redisKey, BEGINNING, '18446744073709551615-18446744073709551615', surplus + 1)).slice(-1);
          if (last && comparePositions(last[0], upTo) > 0) upTo = last[0];
        }
        const position = earlierOf(upTo, await this.#lowestReader(redisKey));
        if (position === BEGINNING) continue;
        const count = await log.trim(redisKey, position, TRIM_ENTRIES_MAX);
        if (count > 0) trimmed.set(redisKey, count);
      }
    }
    return trimmed;
  }

  async #lowestReader(redisKey: string): Promise<Position> {
    const { registry, tasks, log } = this.options;
    let lowest: Position | null = null;
    for (const generation of registry.snapshot.generations) {
      if (generation.state === 'dropping' || !generation.sources.includes(redisKey)) continue;
      const { frontier } = await progressOf(generation, tasks, log);
      lowest = lowest === null ? frontier[redisKey]! : earlierOf(lowest, frontier[redisKey]!);
    }
    for (const { position } of await log.foreignReaders(redisKey)) lowest = lowest === null ? position : earlierOf(lowest, position);
    // A stream that nobody reads yet is kept: a view declared tomorrow wants it.
    return lowest ?? BEGINNING;
  }
}
