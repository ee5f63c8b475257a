import { ArchivedLog } from '../../../src/runtime/archive/archived-log.js';
import { Archiver } from '../../../src/runtime/archive/archiver.js';
import { LogArchive } from '../../../src/runtime/archive/log-archive.js';
import { SystemClock } from '../../../src/runtime/clock.js';
import { silent } from '../../../src/runtime/logger.js';
import { Metrics } from '../../../src/runtime/metrics.js';
import type { ObjectStore } from '../../../src/runtime/ports/object-store.js';
import type { RawEntry, ReadOutcome } from '../../../src/runtime/ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from '../../../src/runtime/position.js';
import { MemoryObjectStore } from '../../../src/testing/memory/memory-object-store.js';
import { MemoryRedis } from '../../../src/testing/memory/memory-redis.js';
import { MemorySourceLog } from '../../../src/testing/memory/memory-source-log.js';

/** A clock that stands where a test puts it. */
export class SetClock extends SystemClock {
  ms = 1_000_000;
  override now = (): number => this.ms;
  override monotonicMs = (): number => this.ms;
}

/** One log in memory, its archive, and all that was ever appended to it. */
export class ArchiveRun {
  readonly clock = new SetClock();
  readonly redis = new MemoryRedis({ clock: { now: () => this.clock.ms, after: () => () => {} } });
  readonly whole: RawEntry[] = [];
  /** The last heartbeat behind an entry. */
  readonly heartbeats = new Map<Position, number>();
  readonly warned: string[] = [];
  readonly limits = { archiveEntriesMax: 5, archiveMs: 1, archiveAgeMs: 0, readBytesMax: 1_000_000 };

  constructor(readonly store: ObjectStore = new MemoryObjectStore()) {}

  /** What one process has of it. */
  process(store = this.store) {
    const log = new MemorySourceLog(this.redis);
    const archive = new LogArchive(store, 'sw', this.clock);
    const logger = { ...silent, warn: (message: string) => void this.warned.push(message) };
    const { clock, limits } = this;
    const archiver = new Archiver({ archive, log, clock, limits, logger, metrics: new Metrics() });
    return { log, archive, archiver, reader: new ArchivedLog(log, archive) };
  }

  append(count: number): void {
    for (; count > 0; count--) {
      const stream = this.redis.stream('orders');
      const id = stream.nextId((this.clock.ms += 7));
      const fields = ['data', `{"n":${this.whole.length}}`];
      stream.add(id, fields);
      this.whole.push([id, fields]);
    }
  }

  /** Time passes behind the last entry. */
  async beat(clock: number): Promise<void> {
    const { last } = this.redis.stream('orders');
    await new MemorySourceLog(this.redis).recordHeartbeat({
      redisKey: 'orders',
      anchor: last,
      mode: 'moving',
      clock,
    });
    this.heartbeats.set(last, Math.max(clock, this.heartbeats.get(last) ?? 0));
  }

  /** Takes out what lies before a position, until no more can be; `trims`: not where a process ends before. */
  async takeOut(process: ReturnType<ArchiveRun['process']>, to: Position, trims = true): Promise<void> {
    for (;;) {
      this.clock.ms += 10;
      const before = await process.archiver.archive('orders', to, this.clock.ms);
      const gone = trims && before !== BEGINNING ? await process.log.trim('orders', before, 1_000) : 0;
      if (gone === 0) return;
    }
  }

  /** Reads from a position to the end, with cuts as given. */
  async readAll(
    { reader }: ReturnType<ArchiveRun['process']>,
    countMax: () => number,
    from: Position = BEGINNING,
  ): Promise<{ entries: RawEntry[]; heartbeats: Map<Position, number> }> {
    const entries: RawEntry[] = [];
    const heartbeats = new Map<Position, number>();
    for (let position = from; ;) {
      const read = await this.read(reader, position, countMax());
      if (read.status === 'lost') throw new Error(`Lost at ${position}: ${read.cause}`);
      for (const { anchor, clock } of read.heartbeats!)
        heartbeats.set(anchor, Math.max(clock, heartbeats.get(anchor) ?? 0));
      if (read.entries.length === 0) return { entries, heartbeats };
      entries.push(...read.entries);
      position = entries.at(-1)![0];
    }
  }

  read(reader: ArchivedLog, position: Position, countMax = 100): Promise<ReadOutcome> {
    return reader.read({
      redisKey: 'orders',
      position,
      entriesRead: 0,
      countMax,
      through: 'range',
      heartbeats: true,
    });
  }

  /** All heartbeats from a position on, as they were recorded. */
  heartbeatsFrom(position: Position): Map<Position, number> {
    return new Map([...this.heartbeats].filter(([anchor]) => comparePositions(anchor, position) >= 0));
  }

  positionAt(index: number): Position {
    return index < 0 ? BEGINNING : this.whole[index]![0];
  }
}
