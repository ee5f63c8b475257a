import { encodeChangelog } from '../../src/runtime/changelog.js';
import { NO_FACTS } from '../../src/runtime/followed.js';
import type { RawEntry } from '../../src/runtime/ports/source-log.js';
import type { Changes, ScannedRows, ViewStore } from '../../src/runtime/ports/view-store.js';
import { readBucket } from '../../src/runtime/read-bucket.js';
import { bucketOf } from '../../src/zset/bucket-of.js';
import { Random } from '../support/random.js';

const task = { view: 'up', generation: 1, stage: 0, partition: 0 };
const BUCKETS = 2;
const record = (tick: number) =>
  ({
    tick,
    commit: `n${tick}`,
    positions: {},
    frontier: {},
    rows: 0,
    conflicts: 0,
    errors: 0,
    checksum: '',
    clocks: {},
    applied: null,
    reaching: null,
    late: 0,
    extra: {},
  }) as const;

/**
 * A bucket whose scan is as bad as it may be: shares in any order of the keys, rows twice, and commits between any two
 * shares that add, change and take away rows before and behind the place where the scan is.
 */
class Unruly {
  readonly rows = new Map<string, number>();
  readonly log: RawEntry[] = [];
  readonly order = new Map<string, number>();
  tick = 0;
  scans = 0;
  brokenAt = -1;
  kept = true;

  constructor(readonly random: Random) {
    for (let n = 0; n < 60; n++) this.order.set(`key ${n}`, random.below(1_000));
    for (let n = 0; n < 10; n++) this.commit();
  }

  commit(): void {
    const changed = new Map<string, number | null>();
    for (let n = this.random.below(12); n > 0; n--)
      changed.set(
        `key ${this.random.below(60)}`,
        this.random.below(3) === 0 ? null : this.random.below(1_000),
      );
    const changes = [...changed].map(([key, value]) => {
      const before = this.rows.has(key) ? { value: this.rows.get(key)! } : null;
      if (value === null) this.rows.delete(key);
      else this.rows.set(key, value);
      return { key, before, after: value === null ? null : { value } };
    });
    this.tick++;
    const facts = { ...NO_FACTS, previous: `n${this.tick - 1}`, commit: `n${this.tick}` };
    this.log.push([`${this.tick}-0`, ['c', encodeChangelog(changes, facts)]]);
  }

  in(bucket: number): Record<string, string> {
    return Object.fromEntries(
      [...this.rows]
        .filter(([key]) => bucketOf(key, BUCKETS) === bucket)
        .map(([key, value]) => [key, JSON.stringify({ value })]),
    );
  }

  get store(): ViewStore {
    const scan = async (
      _task: unknown,
      bucket: number,
      cursor: string | null,
    ): Promise<ScannedRows | null> => {
      if (++this.scans === this.brokenAt) return null;
      for (let n = this.random.below(3); n > 0; n--) this.commit();
      const from = Number(cursor ?? 0);
      const to = from + 1 + this.random.below(200);
      const back = this.random.below(3) === 0 ? 100 : 0;
      const rows = Object.entries(this.in(bucket)).filter(
        ([key]) => this.order.get(key)! >= from - back && this.order.get(key)! < to,
      );
      return {
        record: record(this.tick),
        rows: rows.map(([key, text]) => ({ key, text })),
        cursor: to >= 1_000 ? null : String(to),
      };
    };
    const changes = async (_task: unknown, after: number, count: number): Promise<Changes | null> => {
      this.commit();
      const newest = { tick: this.tick, commit: `n${this.tick}` };
      return this.kept ? { newest, entries: this.log.slice(after, after + count) } : null;
    };
    return { scan, changes } as unknown as ViewStore;
  }
}

describe('reading a bucket share by share', () => {
  it('gives exactly the rows of one commit, whatever is committed meanwhile', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const unruly = new Unruly(new Random(seed));
      const bucket = seed % BUCKETS;
      const images: Record<string, string>[] = [];
      const { commit } = unruly;
      images[unruly.tick] = unruly.in(bucket);
      unruly.commit = () => {
        commit.call(unruly);
        images[unruly.tick] = unruly.in(bucket);
      };
      const read = await readBucket(unruly.store, { task, bucket, buckets: BUCKETS });
      expect(Object.fromEntries(read!.rows.map(({ key, text }) => [key, text]))).toEqual(
        images[read!.record!.tick],
      );
    }
  });

  it('begins again where the server was replaced', async () => {
    const unruly = new Unruly(new Random(7));
    unruly.brokenAt = 2;
    expect(await readBucket(unruly.store, { task, bucket: 0, buckets: BUCKETS })).not.toBeNull();
    expect(unruly.scans).toBeGreaterThan(3);
  });

  it('gives nothing where the changes meanwhile are not kept', async () => {
    const unruly = new Unruly(new Random(7));
    unruly.kept = false;
    expect(await readBucket(unruly.store, { task, bucket: 0, buckets: BUCKETS })).toBeNull();
  });
});
