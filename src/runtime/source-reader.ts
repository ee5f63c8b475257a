import type { Clock } from './clock.js';
import type { EntryDecoder } from './decode-entry.js';
import type { DecodedBatch } from './decoded-batch.js';
import { LogLost } from './input.js';
import type { Limits } from './limits.js';
import type { Metrics } from './metrics.js';
import type { NewsDesk } from './news-desk.js';
import type { InputPosition } from './ports/task-store.js';
import {
  firstReadable,
  type Heartbeat,
  isIncomplete,
  type LogEnd,
  type SourceLog,
} from './ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from './position.js';

/** By how much a reply may be greater than the one before, and is smaller after one that did not come. */
const GROWTH = 8;

interface SharedBatch {
  after: InputPosition;
  batch: DecodedBatch;
  /** So many entries were asked for: far fewer came where the log ends. */
  countMax: number;
  /** When it was last known to be what the log holds. */
  readAt: number;
  /** Whether it still is, where that is being asked. */
  asking?: Promise<boolean>;
}

/**
 * Reads and decodes one source partition, once for all tasks of a worker that stand at the same place.
 *
 * Every request names the position it continues from. A batch that was read lately, or is being read, from that position is
 * shared; a task that is behind reads for itself, and shares again when it has come to where the others are. So there is no
 * cursor to lose, and no protocol of joining. The log may have lost what was read of it: after `sharedMsMax` it is asked
 * whether it still holds the end of the batch, as the next read would.
 */
export class SourceReader {
  /** Of the log as it is: another takes its place when an entry that was read is found to be gone. */
  #recent: SharedBatch[] = [];
  readonly #reading = new Map<Position, Promise<SharedBatch | null>>();
  #countMax = 100;
  /** How many tasks read here. One alone does not come back to what it has read, and nothing is kept for others. */
  tasks = 0;
  /** Some task acts on the time of what is read: heartbeats are read as well. */
  #timed = false;
  /** When a read through the group found nothing more. */
  #endSeen = -Infinity;

  constructor(
    readonly redisKey: string,
    readonly decoder: EntryDecoder,
    readonly log: SourceLog,
    readonly news: NewsDesk,
    readonly limits: Limits,
    readonly metrics: Metrics,
    readonly clock: Clock,
  ) {}

  /**
   * The decoded entries after a position, or null if there are none. With time also the heartbeats; a batch of no entries
   * where there is nothing but one after the position.
   * @throws LogLost
   */
  async after(position: InputPosition, timed = false): Promise<{ batch: DecodedBatch; from: number } | null> {
    if (timed && !this.#timed) {
      this.#timed = true;
      this.forget();
      this.#reading.clear();
    }
    const recent = this.#find(position.position);
    if (recent && (await this.#isThere(position, recent.shared))) {
      this.#readAhead(recent.shared);
      return { batch: recent.shared.batch, from: recent.from };
    }
    if (this.#isAtEnd(position)) return null;
    const shared = await this.#read(position);
    if (shared === null) return null;
    this.#readAhead(shared);
    return { batch: shared.batch, from: 0 };
  }

  /**
   * What cannot be made of what is left of a log must not begin with it.
   * @param lost What is to be said where it would.
   * @throws LogLost
   */
  async expectWhole(
    lost = (end: LogEnd): LogLost =>
      lostLog(this.redisKey, BEGINNING, { cause: 'trimmed', first: firstReadable(end), last: end.last }),
  ): Promise<void> {
    const [end] = await this.log.ends([this.redisKey]);
    if (!isIncomplete(end!)) return;
    const unreadable = end!.archived?.unreadable;
    throw unreadable ? new LogLost(unreadable.code, unreadable.message) : lost(end!);
  }

  /** The log may not be the one these were read from. */
  forget(): void {
    this.#recent = [];
    this.#endSeen = -Infinity;
  }

  /**
   * Whether another task saw a moment ago that nothing follows, and nobody has heard of anything since. A thousand tasks at the
   * end of one partition ask for it as often as one. Of heartbeats nobody is told.
   */
  #isAtEnd({ position }: InputPosition): boolean {
    return (
      !this.#timed &&
      this.news.isQuiet(this.redisKey, position) &&
      this.clock.monotonicMs() - this.#endSeen < this.news.waitMs / 2
    );
  }

  /** Whether what was read can be taken for what the log holds. One task asks for all. */
  #isThere({ position }: InputPosition, shared: SharedBatch): Promise<boolean> | boolean {
    if (position === BEGINNING) return this.#isStill(shared);
    if (this.clock.monotonicMs() - shared.readAt <= this.limits.sharedMsMax) return true;
    return (shared.asking ??= this.#holdsEnd(shared).finally(() => delete shared.asking));
  }

  async #holdsEnd(shared: SharedBatch): Promise<boolean> {
    const { batch, after } = shared;
    const readAt = this.clock.monotonicMs();
    const { status } = await this.log.read({
      redisKey: this.redisKey,
      position: batch.ids[batch.ids.length - 1]!,
      entriesRead: after.entries + batch.ids.length,
      countMax: 1,
      through: 'range',
    });
    if (status === 'read') shared.readAt = readAt;
    else this.forget();
    return status === 'read';
  }

  /**
   * Whether the log begins with this batch. At any other place the next read finds out; from the beginning nothing is
   * continued, so that a log that was made anew would be taken for the one before.
   */
  async #isStill({ batch }: SharedBatch): Promise<boolean> {
    const [end] = await this.log.ends([this.redisKey]);
    const last = batch.ids[batch.ids.length - 1]!;
    if (firstReadable(end!) === batch.ids[0] && comparePositions(end!.last, last) >= 0) return true;
    this.forget();
    return false;
  }

  #find(position: Position): { shared: SharedBatch; from: number } | null {
    for (const shared of this.#recent) if (shared.after.position === position) return { shared, from: 0 };
    for (const shared of this.#recent) {
      const at = shared.batch.ids.indexOf(position);
      if (at !== -1 && at < shared.batch.ids.length - 1) return { shared, from: at + 1 };
    }
    return null;
  }

  /** While tasks work on a full batch the next one is fetched. Its failure is found again by whoever asks for it. */
  #readAhead({ after, batch, countMax }: SharedBatch): void {
    if (batch.ids.length < countMax / 2) return;
    const last = batch.ids[batch.ids.length - 1]!;
    if (this.#recent.some((shared) => shared.after.position === last)) return;
    this.#read({ position: last, entries: after.entries + batch.ids.length }).catch(() => {});
  }

  #read(position: InputPosition): Promise<SharedBatch | null> {
    let reading = this.#reading.get(position.position);
    if (reading === undefined) {
      reading = this.#readOnce(position).finally(() => this.#reading.delete(position.position));
      this.#reading.set(position.position, reading);
    }
    return reading;
  }

  async #readOnce(after: InputPosition): Promise<SharedBatch | null> {
    const countMax = this.#countMax;
    const readAt = this.clock.monotonicMs();
    const recent = this.#recent;
    const timed = this.#timed;
    // At the end through the group, which thereby shows how far we are.
    const through = this.news.atHead(this.redisKey, after.position) ? 'group' : 'range';
    const asked = this.log.read({
      redisKey: this.redisKey,
      position: after.position,
      entriesRead: after.entries,
      countMax,
      through,
      ...(timed ? { heartbeats: true } : {}),
    });
    const outcome = await asked.catch((thrown: unknown) => {
      // Entries that are far larger than those before may be more than a reply can hold, or bring in time.
      this.#countMax = Math.max(1, Math.floor(countMax / GROWTH));
      throw thrown;
    });
    if (outcome.status === 'lost') {
      // Whoever begins anew must see what the log holds now, not what was read of the one before.
      this.forget();
      this.metrics.readsLost.add({ stream: this.redisKey, cause: outcome.cause });
      throw lostLog(this.redisKey, after.position, outcome);
    }
    const { entries, heartbeats = [] } = outcome;
    if (entries.length < countMax && !outcome.archived) {
      this.news.reachedHead(this.redisKey, entries[entries.length - 1]?.[0] ?? after.position);
      if (through === 'group') this.#endSeen = readAt;
    }
    if (entries.length + heartbeats.length === 0) return null;
    const batch = this.decoder.decode(entries);
    if (timed) batch.heartbeats = byEntry(heartbeats, after.position, batch.ids);
    if (entries.length === 0) return { after, batch, countMax, readAt };
    this.#adapt(entries.length, batch.bytes);
    this.metrics.entriesRead.add({ stream: this.redisKey }, entries.length);
    this.metrics.bytesRead.add({ stream: this.redisKey }, batch.bytes);
    for (const { type } of batch.skipped) this.metrics.countUnknown(this.redisKey, type);
    const shared = { after, batch, countMax, readAt };
    recent.push(shared);
    const kept = this.tasks === 1 ? 1 : this.limits.sharedBatchesMax;
    if (recent.length > kept) recent.splice(0, recent.length - kept);
    return shared;
  }

  /** Starts small, grows quickly while replies are small, and keeps below `readBytesMax` by the size of the entries seen. */
  #adapt(entries: number, bytes: number): void {
    const fitting = Math.floor(this.limits.readBytesMax / Math.max(1, bytes / entries));
    this.#countMax = Math.max(1, Math.min(this.limits.readEntriesMax, fitting, this.#countMax * GROWTH));
  }
}

/** Heartbeats by the index of their entry. One that is anchored to what is not there (deleted, or of a former log) is none. */
function byEntry(
  heartbeats: readonly Heartbeat[],
  before: Position,
  ids: readonly Position[],
): ReadonlyMap<number, number> {
  if (heartbeats.length === 0) return NO_HEARTBEATS;
  const clocks = new Map(heartbeats.map(({ anchor, clock }) => [anchor, clock]));
  const found = new Map<number, number>();
  for (let index = -1; index < ids.length; index++) {
    const clock = clocks.get(index === -1 ? before : ids[index]!);
    if (clock !== undefined) found.set(index, clock);
  }
  return found;
}

const NO_HEARTBEATS: ReadonlyMap<number, number> = new Map();

function lostLog(
  redisKey: string,
  position: Position,
  { cause, first, last }: { cause: string; first: Position | null; last: Position },
): LogLost {
  const evidence = `  position  ${position}\n  stream    ${first ?? 'empty'} … ${last}`;
  switch (cause) {
    case 'trimmed':
      return new LogLost(
        'log-trimmed',
        `The stream "${redisKey}" was trimmed beyond what has been read.\n${evidence}\nEntries in between were never seen; nothing was read past the gap. ` +
          `Rebuild the view from what is left (\`stillwater rebuild <view> --accept-trimmed\`), restore the stream, or give this process the archive that the others have (STILLWATER_ARCHIVE).`,
      );
    case 'deleted':
      return new LogLost(
        'entry-deleted',
        `The entry at which reading stood was deleted from the stream "${redisKey}".\n${evidence}\nWhether others are missing cannot be told; nothing more was read. ` +
          `Rebuild the view (\`stillwater rebuild <view> --accept-trimmed\`). To withdraw an event append one that takes it back.`,
      );
    default:
      return new LogLost(
        'ahead-of-its-log',
        `The stream "${redisKey}" ends before what has been read of it: it was recreated, or Redis lost its last writes.\n${evidence}\n` +
          `The view contains entries that no log holds; it is served as it is and not continued. Rebuild it (\`stillwater rebuild <view>\`).`,
      );
  }
}
