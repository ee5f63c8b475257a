import type { RawEntry } from '../runtime/ports/source-log.js';
import type { CommitId } from '../runtime/ports/task-store.js';
import {
  type Changes,
  ViewStore,
  type IndexRange,
  type ReadRows,
  type ScannedRows,
  type StoredRow,
} from '../runtime/ports/view-store.js';
import { type TaskId, taskName } from '../runtime/task-id.js';
import type { RedisConnections } from './connections.js';
import { bucketOf } from '../zset/bucket-of.js';
import { BLOCKS, shownRows } from '../zset/row-block.js';
import type { Keyspace } from './keyspace.js';
import { answered, valueOf } from './replies.js';
import {
  callReadBuckets,
  callReadIndex,
  callReadKeys,
  callScanBucket,
  type ReadRowsReply,
  wrongType,
} from './scripts/call.js';
import { StillwaterError } from '../errors/stillwater-error.js';
import { newestErrors } from '../runtime/ports/newest-errors.js';
import { decodeRecord } from './task-record.js';

/** The states in which rows, errors and late rows lie. */
const ROWS = 'rows';
const ERRORS = 'errors';
const LATES = 'lates';
/** An error, or a late row, may hold some kilobytes. */
const ERRORS_PER_CALL = 100;

/** Rows, indexes and changelogs, as the commits of `RedisTaskStore` left them. */
export class RedisViewStore extends ViewStore {
  constructor(
    readonly connections: RedisConnections,
    readonly keyspace: Keyspace,
  ) {
    super();
  }

  rows(task: TaskId, buckets: number, keys: readonly string[]): Promise<ReadRows> {
    return this.#read(task, async (what) => {
      const places = new Map<number, number[]>();
      keys.forEach((key, place) => {
        const bucket = bucketOf(key, buckets);
        const some = places.get(bucket);
        if (some) some.push(place);
        else places.set(bucket, [place]);
      });
      const asked = [...places].map(([bucket, some]) => ({
        redisKey: this.keyspace.keyed(task, ROWS, bucket),
        keys: some.map((place) => keys[place]!),
      }));
      const [record, found] = read(
        await callReadKeys(
          this.connections.serving,
          { task: this.keyspace.task(task), blocks: this.keyspace.index(task, BLOCKS) },
          asked,
        ),
        what,
      );
      const texts = new Array<string | null>(keys.length);
      let at = 0;
      for (const some of places.values()) for (const place of some) texts[place] = found[at++]!;
      const rows: StoredRow[] = [];
      keys.forEach((key, place) => {
        const text = texts[place];
        if (text !== null && text !== undefined) rows.push({ key, text });
      });
      return { record: decodeRecord(record), rows };
    });
  }

  byIndex(task: TaskId, buckets: number, range: IndexRange): Promise<ReadRows & { members: string[] }> {
    return this.#read(task, async (what) => {
      const [lowest, highest] = range.reverse ? ['+', '-'] : ['-', '+'];
      const reply = await callReadIndex(
        this.connections.serving,
        {
          task: this.keyspace.task(task),
          index: this.keyspace.index(task, range.state),
          buckets: [...this.keyspace.state(task, ROWS, 'keyed', buckets)],
        },
        {
          from: range.from === null ? lowest : `[${range.from}`,
          to: range.to === null ? highest : `(${range.to}`,
          reverse: range.reverse,
          limit: range.limit,
        },
      );
      const [record, found, members] = read(reply, what);
      return { record: decodeRecord(record), rows: pairs(found), members: members ?? [] };
    });
  }

  bucket(task: TaskId, bucket: number): Promise<ReadRows> {
    return this.#buckets(task, [this.keyspace.keyed(task, ROWS, bucket)]);
  }

  all(task: TaskId, buckets: number): Promise<ReadRows> {
    return this.#buckets(task, [...this.keyspace.state(task, ROWS, 'keyed', buckets)]);
  }

  scan(task: TaskId, bucket: number, cursor: string | null, count: number): Promise<ScannedRows | null> {
    return this.#read(task, async (what) => {
      const redisKey = this.keyspace.keyed(task, ROWS, bucket);
      const redis = await this.connections.at('serving', redisKey);
      const place = this.#place(redisKey, cursor);
      const reply = await callScanBucket(redis, this.keyspace.task(task), redisKey, {
        cursor: place.cursor,
        count,
      });
      const [record, found, next] = read(reply, what);
      if (!place.isGood()) return null;
      return { record: decodeRecord(record), rows: rowsIn(found), cursor: place.next(next![0]!) };
    });
  }

  errors(task: TaskId, buckets: number, limit: number): Promise<{ key: string; text: string }[]> {
    return answered(`Reading the errors of ${taskName(task)}`, () =>
      this.#newest(task, ERRORS, buckets, limit),
    );
  }

  late(task: TaskId, buckets: number, limit: number): Promise<{ key: string; text: string }[]> {
    return answered(`Reading the late rows of ${taskName(task)}`, () =>
      this.#newest(task, LATES, buckets, limit),
    );
  }

  async #newest(task: TaskId, state: string, buckets: number, limit: number): Promise<StoredRow[]> {
    let newest: StoredRow[] = [];
    for (const redisKey of this.keyspace.state(task, state, 'keyed', buckets)) {
      for (let cursor: string | null = null, over = false; !over;) {
        const redis = await this.connections.at('serving', redisKey);
        const place = this.#place(redisKey, cursor);
        const [next, flat] = await redis.hscan(redisKey, place.cursor, 'COUNT', ERRORS_PER_CALL);
        const found = new Map([...newest, ...pairs(flat)].map((error) => [error.key, error]));
        newest = newestErrors([...found.values()], limit);
        // Where the server was replaced all is looked through once more: nothing is taken twice.
        cursor = place.isGood() ? place.next(next) : null;
        over = place.isGood() && cursor === null;
      }
    }
    return newest;
  }

  changes(task: TaskId, afterTick: number, countMax: number): Promise<Changes | null> {
    return answered(`Reading the changelog of ${taskName(task)}`, async () => {
      // No transaction: a Redis that is full queues no command for one, also none that reads. Where it stands is asked
      // first, so that what is committed between the two is found, and is no gap.
      const replies = await this.connections.serving
        .pipeline()
        .hmget(this.keyspace.task(task), 'tick', 'commit')
        .xrange(this.keyspace.changes(task), `(${afterTick}-0`, '+', 'COUNT', countMax)
        .exec();
      const [tick, commit] = valueOf(replies, 0) as [string | null, string | null];
      const newest = { tick: Number(tick ?? 0), commit: commit ?? '' };
      const entries = valueOf(replies, 1) as RawEntry[];
      if (afterTick >= newest.tick) return { newest, entries: [] };
      if (entries[0]?.[0] !== `${afterTick + 1}-0`) return null;
      // Where nobody listened for a while there is a gap, and what follows it is no continuation.
      const gap = entries.findIndex(([id], index) => id !== `${afterTick + 1 + index}-0`);
      return { newest, entries: gap === -1 ? entries : entries.slice(0, gap) };
    });
  }

  subscribe(task: TaskId, ttlMs: number): Promise<CommitId> {
    return answered(`Subscribing to ${taskName(task)}`, async () => {
      const subscribed = this.keyspace.subscribed(task);
      // Others may hold it longer: the time only ever grows.
      const replies = await this.connections.serving
        .multi()
        .set(subscribed, '1', 'PX', ttlMs, 'NX')
        .pexpire(subscribed, ttlMs, 'GT')
        .hmget(this.keyspace.task(task), 'tick', 'commit')
        .exec();
      valueOf(replies, 0);
      valueOf(replies, 1);
      const [tick, commit] = valueOf(replies, 2) as [string | null, string | null];
      return { tick: Number(tick ?? 0), commit: commit ?? '' };
    });
  }

  async putReader(task: TaskId, reader: string, tick: number): Promise<void> {
    await answered(`Registering a reader of ${taskName(task)}`, () =>
      this.connections.control.hset(this.keyspace.readers(task), reader, tick),
    );
  }

  async removeReader(task: TaskId, reader: string): Promise<void> {
    await answered(`Removing a reader of ${taskName(task)}`, () =>
      this.connections.control.hdel(this.keyspace.readers(task), reader),
    );
  }

  readers(task: TaskId): Promise<Map<string, number>> {
    return answered(`Reading the readers of ${taskName(task)}`, async () => {
      const found = await this.connections.control.hgetall(this.keyspace.readers(task));
      return new Map(Object.entries(found).map(([reader, tick]) => [reader, Number(tick)]));
    });
  }

  changelogKey(task: TaskId): string {
    return this.keyspace.changes(task);
  }

  #buckets(task: TaskId, bucketKeys: readonly string[]): Promise<ReadRows> {
    return this.#read(task, async (what) => {
      const [record, found] = read(
        await callReadBuckets(this.connections.serving, this.keyspace.task(task), bucketKeys),
        what,
      );
      return { record: decodeRecord(record), rows: rowsIn(found) };
    });
  }

  /**
   * A place in a scan. HSCAN gives whatever stays from the first call to the last, but its cursor means nothing to another
   * server, and not to the same one started again. Either breaks the connection: a place is good while that is the same.
   */
  #place(redisKey: string, text: string | null): ScanPlace {
    const made = (): string => String(this.connections.made('serving', redisKey));
    const [of, cursor] = text === null ? [null, '0'] : (text.split(':') as [string, string]);
    return {
      cursor,
      isGood: () => of === null || of === made(),
      next: (next) => (next === '0' ? null : `${made()}:${next}`),
    };
  }

  #read<T>(task: TaskId, work: (what: string) => Promise<T>): Promise<T> {
    const what = `Reading rows of ${taskName(task)}`;
    return answered(what, () => work(what));
  }
}

function read(
  reply: ReadRowsReply,
  what: string,
): [record: (string | null)[], found: (string | null)[], members?: string[]] {
  if (reply[0] === 'ROWS') return [reply[1], reply[2], reply[3]];
  if (reply[0] === 'WRONG_TYPE') throw wrongType(reply[1], reply[2], what);
  throw new StillwaterError('redis-error', {
    what: `${what} failed.`,
    evidence: `  ${reply[1]}`,
    remedy: 'Rebuild the view: its index is not as Stillwater writes it.',
  });
}

interface ScanPlace {
  /** Of HSCAN. */
  readonly cursor: string;
  isGood(): boolean;
  next(cursor: string): string | null;
}

/** What lies under fields of a bucket: rows, and blocks of them. */
const rowsIn = (flat: readonly (string | null)[]): StoredRow[] =>
  pairs(flat).flatMap(({ key, text }) => shownRows(key, text));

function pairs(flat: readonly (string | null)[]): StoredRow[] {
  const rows: StoredRow[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2)
    rows.push({ key: flat[index]!, text: flat[index + 1]! });
  return rows;
}
