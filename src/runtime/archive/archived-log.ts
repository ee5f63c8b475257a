import { StillwaterError } from '../../errors/stillwater-error.js';
import {
  type AppendRequest,
  type ArchivedPart,
  type HeartbeatOutcome,
  type HeartbeatRequest,
  type LogEnd,
  type RawEntry,
  type ReadOutcome,
  type ReadRequest,
  SourceLog,
} from '../ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from '../position.js';
import type { LogArchive } from './log-archive.js';

/**
 * Logs whose beginnings lie in an archive: one reads from the first entry to the last as if nothing had been taken out.
 *
 *     archive   a b c d│e f g│                 the last entry of the archive is still in the log
 *     log                   g h i j …          when one has come to it, the log is read on as ever
 *
 * The log is asked first, always. What it does not hold is looked for in the archive, which by then has it: entries are
 * archived before they are trimmed. So there is no moment at which a reader can find neither.
 */
export class ArchivedLog extends SourceLog {
  /** Where logs began that go on where nothing of the archive ends. */
  readonly #looked = new Map<string, Position>();

  constructor(
    readonly log: SourceLog,
    readonly archive: LogArchive,
  ) {
    super();
  }

  /** The log with its archive, where the process has one. */
  static in(log: SourceLog): ArchivedLog | null {
    return log instanceof ArchivedLog ? log : null;
  }

  async read(request: ReadRequest): Promise<ReadOutcome> {
    const found = await this.log.read(request);
    const { redisKey, position, countMax } = request;
    if (found.status === 'read') {
      if (position !== BEGINNING || !(await this.#continuesIntoLog(redisKey))) return found;
    } else if (found.first === null || comparePositions(position, found.first) >= 0) return found;
    const archived = await this.archive.after(redisKey, position, countMax);
    if (archived === null) return found;
    const { entries, heartbeats } = archived;
    return { status: 'read', entries, archived: true, ...(request.heartbeats ? { heartbeats } : {}) };
  }

  /**
   * Whether what is in the archive comes before what the log holds: its last entry is there. If it was trimmed since the
   * archive was looked at, there is more in the archive by now.
   */
  async #continuesIntoLog(redisKey: string): Promise<boolean> {
    for (let looked: Position | null = null; ;) {
      const run = await this.archive.run(redisKey);
      if (run === null || run.last === looked) return false;
      looked = run.last;
      const read = await this.log.read({
        redisKey,
        position: looked,
        entriesRead: 0,
        countMax: 1,
        through: 'range',
      });
      if (read.status === 'read') return true;
    }
  }

  async ends(redisKeys: readonly string[]): Promise<LogEnd[]> {
    const ends = await this.log.ends(redisKeys);
    return Promise.all(
      ends.map(async (end) => {
        const archived = await this.#archived(end).catch((thrown: unknown) => unreadable(end, thrown));
        return archived === null ? end : { ...end, archived };
      }),
    );
  }

  async #archived(end: LogEnd): Promise<ArchivedPart | null> {
    const { redisKey, first, last } = end;
    if (first === null) return null;
    let run = await this.archive.run(redisKey, 'lately');
    // The log may have been trimmed since the archive was looked at: once for each place at which it begins.
    const isOld = run === null || comparePositions(run.last, first) < 0;
    if (isOld && end.entriesAdded > end.length && this.#looked.get(redisKey) !== first) {
      run = await this.archive.run(redisKey);
      this.#looked.set(redisKey, first);
    }
    if (run === null || comparePositions(run.last, first) < 0 || comparePositions(run.last, last) > 0)
      return null;
    return {
      first: run.first,
      last: run.last,
      entries: await this.archive.entriesBefore(redisKey, run, first),
      whole: run.after === BEGINNING,
      segments: run.segments.length,
      bytes: run.bytes,
      unreadable: null,
    };
  }

  recordHeartbeat(request: HeartbeatRequest): Promise<HeartbeatOutcome> {
    return this.log.recordHeartbeat(request);
  }

  waitForNews(
    positions: ReadonlyMap<string, Position>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    return this.log.waitForNews(positions, timeoutMs, signal);
  }

  append(request: AppendRequest): Promise<{ ids: Position[]; repeated: boolean }> {
    return this.log.append(request);
  }

  begun(redisKey: string, reader: string, first: Position | null): Promise<Position | null> {
    return this.log.begun(redisKey, reader, first);
  }

  forgetReaders(redisKey: string, readers: readonly string[]): Promise<void> {
    return this.log.forgetReaders(redisKey, readers);
  }

  trim(redisKey: string, position: Position, entriesMax: number): Promise<number> {
    return this.log.trim(redisKey, position, entriesMax);
  }

  range(redisKey: string, from: Position, to: Position, countMax: number): Promise<RawEntry[]> {
    return this.log.range(redisKey, from, to, countMax);
  }

  foreignReaders(redisKey: string): Promise<{ group: string; position: Position }[]> {
    return this.log.foreignReaders(redisKey);
  }

  bytes(redisKey: string): Promise<number | null> {
    return this.log.bytes(redisKey);
  }
}

/** How far logs go must be known also while their archive cannot be read. */
function unreadable({ first, last }: LogEnd, thrown: unknown): ArchivedPart {
  if (!(thrown instanceof StillwaterError)) throw thrown;
  return {
    first: first ?? last,
    last: first ?? last,
    entries: 0,
    whole: false,
    segments: 0,
    bytes: 0,
    unreadable: { code: thrown.code, message: thrown.message },
  };
}
