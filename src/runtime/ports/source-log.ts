import type { Position } from '../position.js';

/** An entry as it lies in a stream: its id and its fields, flat (`[field, value, field, value, …]`). */
export type RawEntry = readonly [id: Position, fields: readonly string[]];

export interface ReadRequest {
  /** The Redis key of one partition. */
  redisKey: string;
  /** Everything up to here has been read; the entry here must still exist. */
  position: Position;
  /** How many entries had been read at `position`, so that the group's lag stays right. */
  entriesRead: number;
  countMax: number;
  /** Read through the consumer group (at the head), or beside it (catching up). */
  through: 'group' | 'range';
  /** Also the heartbeats: of the position, and of the entries that are found. */
  heartbeats?: boolean;
}

/** Time that passed in a partition after an entry, before the next: what its clock came to, in ms. Part of the log. */
export interface Heartbeat {
  /** The entry; `0-0` before all. There is one for an anchor, which grows while the entry is the last one. */
  readonly anchor: Position;
  readonly clock: number;
}

export interface HeartbeatRequest {
  redisKey: string;
  /** The last entry, as its reader has found it. */
  anchor: Position;
  /**
   * moving   others of its source move: `clock` is recorded
   * silent   nothing moves: recorded is `clock` and what has passed since the first such request, by the log's own time
   */
  mode: 'moving' | 'silent';
  clock: number;
}

/**
 * recorded    up to this clock
 * silent      the silence was written down; nothing is recorded yet
 * notHigher   there is a heartbeat as great
 * moved       the anchor is not the last entry by now
 */
export type HeartbeatOutcome =
  { status: 'recorded' | 'notHigher'; clock: number } | { status: 'silent' | 'moved' };

/**
 * What a read found. `lost` means that the log is not the one that was read before: the entry at the position
 * is gone (`trimmed`, `deleted`), or the log's end lies before the position (`recreated or rolled back`).
 * `entries` follow the position, oldest first, without a gap. `heartbeats`, if asked for, are read after the entries and on
 * the same connection: what has a successor has had its last heartbeat, so that none of these is missing one.
 */
export type ReadOutcome =
  | {
      status: 'read';
      entries: RawEntry[];
      heartbeats?: readonly Heartbeat[];
      /** They come out of an archive: fewer than were asked for do not mean that the log ends there. */
      archived?: true;
    }
  | { status: 'lost'; cause: LostCause; first: Position | null; last: Position };

export type LostCause = 'trimmed' | 'deleted' | 'went-back';

/** What lies in an archive of the beginning of a log, without a gap up to what the log holds. */
export interface ArchivedPart {
  readonly first: Position;
  /** Up to here it is in the archive; the log may still hold some of it. */
  readonly last: Position;
  /** Entries that the log does not hold any more. */
  readonly entries: number;
  /** It begins with the log. */
  readonly whole: boolean;
  readonly segments: number;
  readonly bytes: number;
  /** Why it cannot be told what is in the archive now: the code and the text of the error. Then nothing is counted. */
  readonly unreadable: { readonly code: string; readonly message: string } | null;
}

export interface LogEnd {
  redisKey: string;
  exists: boolean;
  length: number;
  /** The last id ever generated; the first id still there, null if none. */
  last: Position;
  first: Position | null;
  /** Entries ever added. More than `length` where the beginning was trimmed or entries were deleted. */
  entriesAdded: number;
  /** The greatest id that was deleted by hand or trimmed. */
  maxDeleted: Position;
  /** Absent where there is no archive, or nothing of this log in it that continues into the log. */
  archived?: ArchivedPart;
}

/** Entries of the beginning that can still be read beside what the log holds. */
export const archivedEntries = ({ archived }: LogEnd): number => archived?.entries ?? 0;

/** The first entry that can be read; null for none. */
export const firstReadable = ({ archived, first }: LogEnd): Position | null => archived?.first ?? first;

/** Whether its beginning is gone, or entries of it were deleted. */
export const isIncomplete = (end: LogEnd): boolean => end.entriesAdded > end.length + archivedEntries(end);

export interface AppendRequest {
  redisKey: string;
  /** Each as flat fields. Appended together, or not at all. None with a key: the key is only told whose it is. */
  entries: readonly (readonly string[])[];
  /**
   * A repeat with the same key and the same entries appends nothing and answers with the same ids; with other entries it is
   * refused.
   */
  idempotencyKey: string | null;
  /** What the key stands for, where that is more than these entries: a request over several logs. */
  digest?: string | null;
  /** How long the key is remembered. */
  memoryMs: number;
}

/** The streams that applications write and views read. Keys are Redis keys of single partitions. */
export abstract class SourceLog {
  /**
   * Entries after a position. Idempotent: it names the position it continues from, so that neither a repeat
   * nor a second reader can make a hole. A bare read at a consumer group's cursor is not an implementation.
   */
  abstract read(request: ReadRequest): Promise<ReadOutcome>;

  /** Says that time has passed in a silent partition. Written only if the anchor is still the last entry, and only upward. */
  abstract recordHeartbeat(request: HeartbeatRequest): Promise<HeartbeatOutcome>;

  /** Where logs end now, in the order asked. A log that does not exist ends at `0-0`. */
  abstract ends(redisKeys: readonly string[]): Promise<LogEnd[]>;

  /**
   * Returns when one of the logs has an entry after the position given for it, after `timeoutMs`, or when the signal
   * is aborted. A hint: the caller reads to find out. Never waits longer, whatever happens to its connection. Gives the
   * logs that have something, none after a time-out; an aborted wait must not delay the next one.
   */
  abstract waitForNews(
    positions: ReadonlyMap<string, Position>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly string[]>;

  /**
   * Appends entries to one partition, atomically. An error with the code `append-outcome-unknown` means that they may
   * or may not be there: repeat with the same idempotency key. The id of each entry, in order.
   * @throws StillwaterError also `idempotency-key-reused`
   */
  abstract append(request: AppendRequest): Promise<{ ids: Position[]; repeated: boolean }>;

  /**
   * The first entry that a reader took of a log, as the first that named one has named it; null where nobody has. With null it is
   * only asked. Kept in the log's own slot: it goes back with what was trimmed of the log, and not with what the reader keeps.
   */
  abstract begun(redisKey: string, reader: string, first: Position | null): Promise<Position | null>;

  /** Forgets where readers began that are gone. Others may have their names. */
  abstract forgetReaders(redisKey: string, readers: readonly string[]): Promise<void>;

  /** Drops entries before `position`, which stays, and their heartbeats. How many went. At most `entriesMax` at a time. */
  abstract trim(redisKey: string, position: Position, entriesMax: number): Promise<number>;

  /** Entries after a position up to an end. Whether the log still holds the position is not looked at: not for what views read. */
  abstract range(redisKey: string, from: Position, to: Position, countMax: number): Promise<RawEntry[]>;

  /** Positions of consumer groups other than ours, so that retention stays behind them. */
  abstract foreignReaders(redisKey: string): Promise<{ group: string; position: Position }[]>;

  /** How many bytes the log takes, sampled; null where it cannot be told. */
  abstract bytes(redisKey: string): Promise<number | null>;
}
