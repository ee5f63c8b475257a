import { gunzipSync, gzipSync } from 'node:zlib';
import { ArchivedLog } from '../../runtime/archive/archived-log.js';
import { LogArchive } from '../../runtime/archive/log-archive.js';
import type { Packing } from '../../runtime/archive/segment.js';
import type { Clock } from '../../runtime/clock.js';
import type { ObjectStore } from '../../runtime/ports/object-store.js';
import type { RawEntry, SourceLog } from '../../runtime/ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from '../../runtime/position.js';
import { MemoryObjectStore } from '../memory/memory-object-store.js';
import type { MemoryRedis } from '../memory/memory-redis.js';

/** Of no other thread: nothing may be under way that the clock does not know of. */
const PACKING: Packing = {
  pack: (text) => Promise.resolve(gzipSync(text, { level: 1 })),
  unpack: (content) => Promise.resolve(gunzipSync(content)),
};

/** An archive as a process has it. */
export type Archived = (log: SourceLog, archive: LogArchive) => ArchivedLog;

/** A log, all of it, in the order of its positions. */
export interface WholeLog {
  readonly entries: readonly RawEntry[];
  readonly heartbeats: ReadonlyMap<Position, number>;
}

/**
 * What is taken out of the logs of a run: the archive, where there is one, which no process takes with it when it dies, and, apart from it, a
 * note of what was trimmed, so that it is known what the logs say without asking the archive.
 */
export class SimulatedArchive {
  /** Entries that were taken out of logs. */
  trimmed = 0;
  readonly #objects = new MemoryObjectStore();
  readonly #trimmed = new Map<
    string,
    { entries: Map<Position, RawEntry>; heartbeats: Map<Position, number> }
  >();

  constructor(
    readonly redis: MemoryRedis,
    /** Where objects lie as a process sees it; by default as they do. */
    readonly objects: (store: ObjectStore) => ObjectStore = (store) => store,
    /** Null: there is none, and what is trimmed is gone. */
    readonly archived: Archived | null = (log, archive) => new ArchivedLog(log, archive),
  ) {}

  /** The log of one process. Things go wrong on the way to what both are made of. */
  over(log: SourceLog, clock: Clock, faulty: <P extends object>(port: P) => P): SourceLog {
    const trim = log.trim.bind(log);
    log.trim = async (redisKey, position, entriesMax) => {
      this.#note(redisKey, position);
      const count = await trim(redisKey, position, entriesMax);
      this.trimmed += count;
      return count;
    };
    if (this.archived === null) return faulty(log);
    const archive = new LogArchive(faulty(this.objects(this.#objects)), 'sw', clock, PACKING);
    return this.archived(faulty(log), archive);
  }

  #note(redisKey: string, position: Position): void {
    const stream = this.redis.streams.get(redisKey);
    let noted = this.#trimmed.get(redisKey);
    if (noted === undefined)
      this.#trimmed.set(redisKey, (noted = { entries: new Map(), heartbeats: new Map() }));
    for (const entry of stream?.entries ?? [])
      if (comparePositions(entry[0], position) <= 0) noted.entries.set(entry[0], entry);
    for (const [anchor, clock] of stream?.heartbeats ?? [])
      if (comparePositions(anchor, position) <= 0) noted.heartbeats.set(anchor, clock);
  }

  /** What a log says: what was trimmed of it, and what it holds. */
  whole(redisKey: string): WholeLog {
    const stream = this.redis.streams.get(redisKey);
    const noted = this.#trimmed.get(redisKey);
    const entries = stream?.entries ?? [];
    const heartbeats = stream?.heartbeats ?? new Map<Position, number>();
    if (noted === undefined) return { entries, heartbeats };
    const first = entries[0]?.[0] ?? stream?.last ?? BEGINNING;
    const isGone = (position: Position): boolean => comparePositions(position, first) < 0;
    return {
      entries: [...[...noted.entries.values()].filter(([id]) => isGone(id)), ...entries],
      heartbeats: new Map([...[...noted.heartbeats].filter(([anchor]) => isGone(anchor)), ...heartbeats]),
    };
  }
}
