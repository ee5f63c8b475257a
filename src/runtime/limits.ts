import { getHeapStatistics } from 'node:v8';

/** What a cached value takes, about: a group of a few aggregates with its row and its key. */
const CACHE_ENTRY_BYTES = 1_000;

/** Every bound of the runtime, by name. Units are last in the names. */
export interface Limits {
  /** Fields, members and index entries one commit writes; a tick that would write more is made smaller. */
  commitWritesMax: number;
  /** Entries one read asks for, and bytes above which it asks for fewer. */
  readEntriesMax: number;
  readBytesMax: number;
  /** Rows of an entry that are taken at once; what has more is taken in parts of as many. */
  partRowsMax: number;
  /** Decoded batches of a source partition kept for the tasks that share it. */
  sharedBatchesMax: number;
  /** How long such a batch is taken for what the log holds; then it is asked, for Redis may have lost its last entries since. */
  sharedMsMax: number;
  /** Values of operator state kept in memory, over all tasks of a worker. By default as many as half of V8's heap holds. */
  cacheEntriesMax: number;
  /** Of these so many as objects, and no more than a twentieth; others are packed as the bytes they are stored as: smaller, and outside of V8's heap. */
  cacheObjectsMax: number;
  /** How long a worker is believed alive after it last said so. */
  leaseMs: number;
  /** How often a worker looks at the registry when nobody announces a change. */
  registryRefreshMs: number;
  /** How often it is looked whether tasks are to move to workers that have less to do; over as long it is averaged what tasks cost. */
  balanceMs: number;
  /** How long one wait for news lasts; after it comes a checked read. */
  waitMs: number;
  /** Pause between repeats of a commit that Redis refused or did not answer, at the least and at the most. */
  retryMsMin: number;
  retryMsMax: number;
  /** How long a task that was parked by trouble of its surroundings rests before it is tried again. */
  parkedRetryMs: number;
  /** Over how many of a view's last entries `errorsMax` is counted. */
  errorsWindow: number;
  /** How often a task tells its upstream how far it has read. */
  readerReportMs: number;
  /** Entries that the tasks of a view's next stage may have left unread when the one that sends them waits. */
  exchangeEntriesMax: number;
  /** So long what was read by the next stage, or by other views, is kept: it may have to be read again. */
  exchangeKeptMs: number;
  /** So long a receiver waits for a task that went back, and commits, to find out that it lost what the receiver has. */
  regainMs: number;
  /** Changelog entries a view keeps for subscribers that come back. */
  changelogEntriesMin: number;
  /** How often a task whose view acts on time asks how far the other partitions of its sources are. */
  clocksMs: number;
  /** How much further in the time of its events a log may be replayed than others with which it is. */
  replaySkewMsMax: number;
  /** How long a partition is silent before a heartbeat says so, and how often it is said again. */
  heartbeatIdleMs: number;
  /** A step that takes longer ends the process: a view function does not come to an end. */
  stepMsMax: number;
  /** Entries that may be left out of a view because they ended workers; the next one parks it. */
  blamedEntriesMax: number;
  /** Rebuilds that replay at the same time. */
  rebuildsMax: number;
  /** How long a verification may hold a live view until both stand at one place. */
  holdMsMax: number;
  /** How often streams are trimmed that declare a retention. */
  retentionMs: number;
  /** Entries of one archived segment; fewer where a read holds no more. */
  archiveEntriesMax: number;
  /** How long entries that are to be trimmed wait for others, so that a segment is worth its file. */
  archiveMs: number;
  /** Younger entries are neither archived nor trimmed where there is an archive: Redis may still lose them. */
  archiveAgeMs: number;
  /** How long a generation that served is kept for a rollback. */
  keptMs: number;
  /** How long a generation holds back trimming while no live worker has its code. */
  orphanMs: number;
  /** How long one does of which a task is parked. */
  parkedHoldsBackMs: number;
}

export const defaultLimits: Limits = {
  commitWritesMax: 4_000,
  readEntriesMax: 4_000,
  readBytesMax: 4 * 1024 * 1024,
  partRowsMax: 500,
  sharedBatchesMax: 8,
  sharedMsMax: 2_000,
  cacheEntriesMax: Math.floor((getHeapStatistics().heap_size_limit * 0.5) / CACHE_ENTRY_BYTES),
  cacheObjectsMax: 100_000,
  leaseMs: 6_000,
  registryRefreshMs: 1_000,
  balanceMs: 30_000,
  waitMs: 2_000,
  retryMsMin: 20,
  retryMsMax: 2_000,
  parkedRetryMs: 5_000,
  errorsWindow: 1_000,
  readerReportMs: 1_000,
  exchangeEntriesMax: 1_000,
  exchangeKeptMs: 10_000,
  regainMs: 30_000,
  changelogEntriesMin: 1_000,
  clocksMs: 250,
  replaySkewMsMax: 24 * 60 * 60 * 1_000,
  heartbeatIdleMs: 3_000,
  stepMsMax: 10_000,
  blamedEntriesMax: 10,
  rebuildsMax: 2,
  holdMsMax: 30_000,
  retentionMs: 10_000,
  archiveEntriesMax: 10_000,
  archiveMs: 600_000,
  archiveAgeMs: 60_000,
  keptMs: 24 * 60 * 60 * 1_000,
  orphanMs: 7 * 24 * 60 * 60 * 1_000,
  parkedHoldsBackMs: 7 * 24 * 60 * 60 * 1_000,
};
