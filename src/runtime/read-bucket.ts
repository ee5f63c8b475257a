import { bucketOf } from '../zset/bucket-of.js';
import { StillwaterError } from '../errors/stillwater-error.js';
import type { CommitId } from './ports/task-store.js';
import type { ReadRows, ViewStore } from './ports/view-store.js';
import { isSameCommit, readChangelog } from './read-changelog.js';
import { type TaskId, taskName } from './task-id.js';

export interface BucketPlace {
  task: TaskId;
  bucket: number;
  /** In how many buckets the task's rows lie. */
  buckets: number;
}

/** Rows that one call asks for, which takes Redis about a millisecond, and commits of the changelog. */
const SCAN_ROWS = 1_000;
const CHANGES = 10;
/** How often a bucket is begun again because the server was replaced meanwhile, or went back. */
const BEGINNINGS_MAX = 10;

/**
 * All rows of a bucket as of one commit, however large it is, without a call that Redis feels.
 *
 * The bucket is read share by share, each as of its own commit; what the changelog says of the time from the first share to
 * the last is then applied to each row, from the commit on that it was read with. A row that never changed in that time is
 * in a share; of any other the changelog says what became of it, whether a share held it or not. So the rows are exactly those
 * of the last share's commit.
 *
 * The changelog must be kept: the caller is registered as a reader, or subscribed, or knows that nothing is committed.
 * Null if it does not hold what is needed of it.
 */
export async function readBucket(store: ViewStore, place: BucketPlace): Promise<ReadRows | null> {
  for (let beginning = 1; beginning <= BEGINNINGS_MAX; beginning++) {
    const image = await scanned(store, place);
    if (image === null) continue;
    const caught = await caughtUp(store, place, image);
    if (caught === 'forked') continue;
    if (caught === 'gone') return null;
    const rows = [...image.rows].flatMap(([key, { text }]) => (text === null ? [] : [{ key, text }]));
    return { record: image.record, rows };
  }
  throw new StillwaterError('redis-unavailable', {
    what: `Bucket ${place.bucket} of ${taskName(place.task)} could not be read to its end.`,
    evidence: `  the connection was made anew ${BEGINNINGS_MAX} times meanwhile`,
    consequence: 'Nothing was taken from it.',
    remedy: 'It is tried again.',
  });
}

interface Image {
  /** Of the last share. */
  record: ReadRows['record'];
  /** The commit of the first share; null before it. */
  from: CommitId | null;
  /** Null for a row that is gone. */
  rows: Map<string, { tick: number; text: string | null }>;
}

const commitOf = (record: ReadRows['record']): CommitId => record ?? { tick: 0, commit: '' };

async function scanned(store: ViewStore, { task, bucket }: BucketPlace): Promise<Image | null> {
  const image: Image = { record: null, from: null, rows: new Map() };
  for (let cursor: string | null = null; ;) {
    const share = await store.scan(task, bucket, cursor, SCAN_ROWS);
    if (share === null) return null;
    const { tick, commit } = commitOf(share.record);
    image.record = share.record;
    image.from ??= { tick, commit };
    // A share may give a row again; it is newer, or the same.
    for (const { key, text } of share.rows) image.rows.set(key, { tick, text });
    if (share.cursor === null) return image;
    cursor = share.cursor;
  }
}

async function caughtUp(
  store: ViewStore,
  { task, bucket, buckets }: BucketPlace,
  { record, from, rows }: Image,
): Promise<'caughtUp' | 'gone' | 'forked'> {
  const last = commitOf(record);
  let at = from!;
  while (at.tick < last.tick) {
    const following = await readChangelog(store, task, at, Math.min(CHANGES, last.tick - at.tick));
    if (following.status !== 'read') return following.status;
    if (following.entries.length === 0) return 'gone';
    for (const entry of following.entries) {
      const { tick, changes } = entry;
      at = entry;
      for (const { key, after } of changes)
        if (bucketOf(key, buckets) === bucket && (rows.get(key)?.tick ?? -1) < tick)
          rows.set(key, { tick, text: after && JSON.stringify(after) });
    }
  }
  return isSameCommit(at, last) ? 'caughtUp' : 'forked';
}
