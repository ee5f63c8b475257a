import type { RawEntry } from './source-log.js';
import type { TaskId } from '../task-id.js';
import type { CommitId, TaskRecord } from './task-store.js';

/** One row as stored: its view key and its canonical JSON text. */
export interface StoredRow {
  key: string;
  text: string;
}

/** Rows and the commit they belong to, read in one call: no row is of another tick than `record` says. */
export interface ReadRows {
  record: TaskRecord | null;
  rows: StoredRow[];
}

/** A share of a bucket; `cursor` is where to go on, null at the end. */
export interface ScannedRows extends ReadRows {
  cursor: string | null;
}

export interface IndexRange {
  /** Name of the index's state (`index.0`). */
  state: string;
  /** Members from here on (inclusive) or, reversed, back from here; null for the end. By UTF-8 bytes. */
  from: string | null;
  /** Up to here, exclusive; null for the other end. */
  to: string | null;
  reverse: boolean;
  limit: number;
}

export interface Changes {
  /** The newest commit when the entries were read, or a moment before; tick 0 before the first. */
  newest: CommitId;
  entries: RawEntry[];
}

/** Reading one partition of a view's rows, indexes and changelog. Never waits for a commit, never blocks one. */
export abstract class ViewStore {
  /** The rows under these keys, in their order, without those that are not there. */
  abstract rows(task: TaskId, buckets: number, keys: readonly string[]): Promise<ReadRows>;

  /** Rows in the order of an index, with the index member each was found by, at most `limit`. */
  abstract byIndex(
    task: TaskId,
    buckets: number,
    range: IndexRange,
  ): Promise<ReadRows & { members: string[] }>;

  /** All rows of one bucket, and the record they belong to: one call, however many they are. */
  abstract bucket(task: TaskId, bucket: number): Promise<ReadRows>;

  /**
   * About `count` rows of a bucket (a small one may come whole), from the beginning (null) or a cursor on, all of one commit. A row that stays as it
   * is from the first share of a scan to the last is in one of them at the least; what changes meanwhile may be or not,
   * as before or after. Null where the cursor is good no longer: begin again.
   */
  abstract scan(
    task: TaskId,
    bucket: number,
    cursor: string | null,
    count: number,
  ): Promise<ScannedRows | null>;

  /** All rows of a partition, all of one commit; only for views known to be small. */
  abstract all(task: TaskId, buckets: number): Promise<ReadRows>;

  /** Errors kept for people: newest first. */
  abstract errors(task: TaskId, buckets: number, limit: number): Promise<{ key: string; text: string }[]>;

  /** Rows that came too late, kept for people: newest first. */
  abstract late(task: TaskId, buckets: number, limit: number): Promise<{ key: string; text: string }[]>;

  // ---- changelog

  /**
   * Changelog entries after a tick, up to the next gap; none for a reader that is ahead. Null where the entry after it is
   * gone: start again from a snapshot. Read it by `readChangelog`, which compares histories.
   */
  abstract changes(task: TaskId, afterTick: number, countMax: number): Promise<Changes | null>;

  /** From now until `ttlMs` from now every commit of the task writes its changelog. Repeat it to go on. The commit it holds from. */
  abstract subscribe(task: TaskId, ttlMs: number): Promise<CommitId>;

  /** Registers a dependent: its changelog is written, and kept behind the tick the dependent has reached. */
  abstract putReader(task: TaskId, reader: string, tick: number): Promise<void>;
  abstract removeReader(task: TaskId, reader: string): Promise<void>;
  abstract readers(task: TaskId): Promise<Map<string, number>>;

  /** The Redis key of a task's changelog, for `SourceLog.waitForNews`. */
  abstract changelogKey(task: TaskId): string;
}
