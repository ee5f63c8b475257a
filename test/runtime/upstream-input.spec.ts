import { encodeChangelog } from '../../src/runtime/changelog.js';
import { NO_FACTS } from '../../src/runtime/followed.js';
import type { NewsDesk } from '../../src/runtime/news-desk.js';
import type { RawEntry } from '../../src/runtime/ports/source-log.js';
import type { Changes, ViewStore } from '../../src/runtime/ports/view-store.js';
import { UpstreamInput } from '../../src/runtime/upstream-input.js';

const upstream = { view: 'up', generation: 1, stage: 0, partition: 0 };

describe('reading the changelog of another view', () => {
  const asked = async (rowsOfCommit: number, reads: number): Promise<number[]> => {
    const counts: number[] = [];
    const changes = (_task: unknown, after: number, count: number): Promise<Changes> => {
      counts.push(count);
      const rows = Array.from({ length: rowsOfCommit }, (_, n) => ({
        key: String(n),
        before: null,
        after: { n },
      }));
      const text = encodeChangelog(rows, { ...NO_FACTS, previous: '', commit: '' });
      return Promise.resolve({
        newest: { tick: Infinity, commit: '' },
        entries: Array.from({ length: count }, (_, index): RawEntry => [
          `${after + 1 + index}-0`,
          ['c', text],
        ]),
      });
    };
    const store = { changes, putReader: () => Promise.resolve() } as unknown as ViewStore;
    const input = new UpstreamInput('view:up', upstream, 1, 'down#1/0.0', store, {} as NewsDesk, {
      now: () => 0,
      reportMs: 1,
      pageRowsMax: 100,
      readBytesMax: 100_000,
    });
    let tick = 1;
    for (let read = 0; read < reads; read++) {
      const batch = await input.next({ position: `${tick}-0`, entries: 0 }, undefined);
      tick += batch!.size;
    }
    return counts;
  };

  test('asks for more and more small commits, up to a number', async () => {
    expect(await asked(1, 8)).toEqual([10, 20, 40, 80, 160, 320, 500, 500]);
  });

  test('asks for few great ones, so that one read stays bounded', async () => {
    const counts = await asked(2_000, 4);
    expect(Math.max(...counts.slice(1))).toBeLessThanOrEqual(3);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
  });
});

describe('taking over the rows of another view', () => {
  const rows = Array.from({ length: 2_500 }, (_, n) => ({
    key: String(n).padStart(4, '0'),
    text: JSON.stringify({ n }),
  }));
  const record = {
    tick: 7,
    commit: 'n7',
    positions: {},
    frontier: { s: '7-0' },
    clocks: {},
    applied: null,
    reaching: null,
    late: 0,
    rows: 0,
    conflicts: 0,
    errors: 0,
    checksum: '',
    extra: {},
  };

  test('asks for no more of a bucket than one call may hold, and for each share once', async () => {
    const asked: number[] = [];
    const scan = async (_task: unknown, _bucket: number, cursor: string | null, count: number) => {
      asked.push(count);
      const to = Number(cursor ?? 0) + count;
      return { record, rows: rows.slice(to - count, to), cursor: to < rows.length ? String(to) : null };
    };
    const store = { scan, putReader: () => Promise.resolve() } as unknown as ViewStore;
    const input = new UpstreamInput('view:up', upstream, 1, 'down#1/0.0', store, {} as NewsDesk, {
      now: () => 0,
      reportMs: 1,
      pageRowsMax: 400,
      readBytesMax: 100_000,
    });
    const seen: number[] = [];
    let [position, note] = [input.beginning, undefined as unknown];
    for (let page = 0; page < 7; page++) {
      // Another owner, or this one after trouble, reads what is left of the bucket anew.
      if (page === 5) input.forget();
      const batch = (await input.next(position, note))!;
      seen.push(...batch.delta!(0, 1).rows.map((row) => (row as { n: number }).n));
      [position, note] = [batch.positionAfter(1), batch.noteAfter!(1)];
    }
    expect(seen).toEqual(rows.map((_, n) => n));
    expect(position).toEqual({ position: '7-0', entries: 2_500 });
    expect(Math.max(...asked)).toBeLessThanOrEqual(1_000);
    expect(asked).toHaveLength(6);
  });

  /** The numbers of the rows of each page, of so many buckets that hold so many rows each. */
  const pagesOf = async (buckets: number, rowsOfBucket: number, pageRowsMax: number): Promise<number[][]> => {
    const scan = async (_task: unknown, bucket: number) => {
      const from = bucket * rowsOfBucket;
      return { record, rows: rows.slice(from, from + rowsOfBucket), cursor: null };
    };
    const store = { scan, putReader: () => Promise.resolve() } as unknown as ViewStore;
    const options = { now: () => 0, reportMs: 1, pageRowsMax, readBytesMax: 100_000 };
    const input = new UpstreamInput(
      'view:up',
      upstream,
      buckets,
      'down#1/0.0',
      store,
      {} as NewsDesk,
      options,
    );
    const pages: number[][] = [];
    let [position, note] = [input.beginning, undefined as unknown];
    while (position.position === '0-0') {
      const batch = (await input.next(position, note))!;
      pages.push(batch.delta!(0, 1).rows.map((row) => (row as { n: number }).n));
      [position, note] = [batch.positionAfter(1), batch.noteAfter!(1)];
    }
    expect(position).toEqual({ position: '7-0', entries: buckets * rowsOfBucket });
    expect(pages.flat()).toEqual(rows.slice(0, buckets * rowsOfBucket).map((_, n) => n));
    return pages;
  };

  test('takes what little is in several buckets as one page: each is a tick', async () => {
    expect((await pagesOf(64, 1, 400)).map(({ length }) => length)).toEqual(Array(8).fill(8));
    expect(await pagesOf(64, 0, 400)).toHaveLength(8);
    expect(await pagesOf(1, 1, 400)).toHaveLength(1);
  });

  test('and no more rows than a page may have: of the last bucket the rest comes with the next', async () => {
    expect((await pagesOf(4, 30, 50)).map(({ length }) => length)).toEqual([50, 50, 20]);
    expect((await pagesOf(4, 50, 50)).map(({ length }) => length)).toEqual(Array(4).fill(50));
  });
});
