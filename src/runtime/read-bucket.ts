import { bucketOf } from '../circuit/view-output.js';
import { StillwaterError } from '../errors/stillwater-error.js';
import { decodeChangelog } from './changelog.js';
import type { ReadRows, ViewStore } from './ports/view-store.js';
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
/** How often a bucket is begun again because the server was replaced meanwhile. */
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
    if (!(await caughtUp(store, place, image))) return null;
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
  /** The commit of the first share. */
  from: number;
  /** Null for a row that is gone. */
  rows: Map<string, { tick: number; text: string | null }>;
}

const tickOf = (record: ReadRows['record']): number => record?.tick ?? 0;

async function scanned(store: ViewStore, { task, bucket }: BucketPlace): Promise<Image | null> {
  const image: Image = { record: null, from: -1, rows: new Map() };
  for (let cursor: string | null = null; ;) {
    const share = await store.scan(task, bucket, cursor, SCAN_ROWS);
    if (share === null) return null;
    const tick = tickOf(share.record);
    image.record = share.record;
    if (image.from < 0) image.from = tick;
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
): Promise<boolean> {
  for (let at = from; at < tickOf(record);) {
    const entries = await store.changes(task, at, Math.min(CHANGES, tickOf(record) - at));
    if (entries === null || entries.length === 0) return false;
    for (const entry of entries) {
      const { tick, changes } = decodeChangelog(entry);
      at = tick;
      for (const { key, after } of changes)
        if (bucketOf(key, buckets) === bucket && (rows.get(key)?.tick ?? -1) < tick)
          rows.set(key, { tick, text: after && JSON.stringify(after) });
    }
  }
  return true;
}
