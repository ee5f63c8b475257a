import { indexMember } from '../../src/circuit/view-output.js';
import { bucketOf } from '../../src/zset/bucket-of.js';
import type { CommitRequest } from '../../src/runtime/ports/task-store.js';
import type { ScannedRows } from '../../src/runtime/ports/view-store.js';
import type { OwnerToken } from '../../src/runtime/task-id.js';
import { BLOCKS, RowBlocks } from '../../src/zset/row-block.js';
import { orderText } from '../../src/zset/text-order.js';
import { BUCKETS, commitOf, recordOf, rowsWrites, TASK } from './commit-request.js';
import { onEverySubject } from './subject.js';

/** The contract of `ViewStore`. */
export function viewStoreContract(): void {
  onEverySubject('ViewStore', ({ ports }) => {
    let token: OwnerToken;
    beforeEach(async () => {
      token = (await ports().tasks.claim(TASK, 'writer', 0))!.token;
    });
    const commit = async (tick: number, changed: Partial<CommitRequest>): Promise<void> => {
      expect(await ports().tasks.commit(commitOf(token, tick, changed))).toEqual({ status: 'committed' });
    };
    const member = (order: unknown, key: string): string =>
      indexMember(orderText(order), bucketOf(key, BUCKETS), key);

    it('reads rows in the order asked, without those that are not there, and the record they belong to', async () => {
      await commit(1, {
        keyed: rowsWrites({ ORD: { n: 1 }, SFO: { n: 2 }, JFK: { n: 3 } }),
        record: recordOf(1, { rows: 3 }),
      });
      expect(await ports().views.rows(TASK, BUCKETS, ['SFO', 'none', 'ORD'])).toEqual({
        record: recordOf(1, { rows: 3 }),
        rows: [
          { key: 'SFO', text: '{"n":2}' },
          { key: 'ORD', text: '{"n":1}' },
        ],
      });
      expect((await ports().views.rows(TASK, BUCKETS, [])).record!.tick).toBe(1);
    });

    it('has neither record nor rows before the first commit', async () => {
      expect(await ports().views.rows(TASK, BUCKETS, ['ORD'])).toEqual({ record: null, rows: [] });
      expect(await ports().views.all(TASK, BUCKETS)).toEqual({ record: null, rows: [] });
      expect(
        await ports().views.byIndex(TASK, BUCKETS, {
          state: 'index.0',
          from: null,
          to: null,
          reverse: false,
          limit: 5,
        }),
      ).toEqual({ record: null, rows: [], members: [] });
    });

    it('shows of a stored value the row only, and no row where there is none', async () => {
      await commit(1, {
        keyed: [
          {
            state: 'rows',
            writes: new Map([
              ['shown', '{"n":1}'],
              ['with side', '{"n":2}\n[7]'],
              ['with others', '{"n":3}\n\n[["{}",2]]'],
              ['side only', '\n[7]'],
            ]),
          },
        ],
      });
      const shown = [
        { key: 'shown', text: '{"n":1}' },
        { key: 'with others', text: '{"n":3}' },
        { key: 'with side', text: '{"n":2}' },
      ];
      const sorted = async (rows: { key: string; text: string }[]): Promise<unknown> =>
        rows.sort((left, right) => (left.key < right.key ? -1 : 1));
      expect(
        await sorted(
          (await ports().views.rows(TASK, BUCKETS, ['shown', 'with side', 'with others', 'side only'])).rows,
        ),
      ).toEqual(shown);
      expect(await sorted((await ports().views.all(TASK, BUCKETS)).rows)).toEqual(shown);
    });

    describe('of rows in blocks', () => {
      const keyOf = (entry: number): string => `01700000000000-${String(entry).padStart(12, '0')}.000000`;
      const textOf = (entry: number): string => JSON.stringify({ entry });
      /** In blocks of three at most, but for each fourth one, which came alone. */
      const stored = (entries: readonly number[]): Partial<CommitRequest> => {
        const writes = new Map<string, string>();
        const blocks: [string, boolean][] = [];
        const made = new RowBlocks<number>(
          (entry, bytes) => bytes.write(textOf(entry)),
          (key, text, rows) => {
            writes.set(key, text);
            if (rows > 1) blocks.push([key, true]);
          },
        );
        entries.forEach((entry, index) => {
          made.add(keyOf(entry), entry);
          if (index % 4 > 1) made.end();
        });
        made.end();
        return { keyed: [{ state: 'rows', writes }], indexes: [{ state: BLOCKS, writes: blocks }] };
      };
      const even = (from: number, to: number): number[] =>
        Array.from({ length: (to - from) / 2 }, (_, index) => from + 2 * index);

      it('finds those that are there under their keys, and no others', async () => {
        await commit(1, stored(even(500, 700)));
        await commit(2, stored(even(990, 1_010)));
        const asked = Array.from({ length: 1_500 }, (_, entry) => keyOf(entry));
        const { rows } = await ports().views.rows(TASK, BUCKETS, [...asked, 'no place']);
        expect(rows).toEqual(
          [...even(500, 700), ...even(990, 1_010)].map((entry) => ({
            key: keyOf(entry),
            text: textOf(entry),
          })),
        );
      });

      it('gives each once, in its bucket, whether it is read at once, by buckets or share by share', async () => {
        const entries = even(0, 9_000);
        await commit(1, stored(entries));
        const keys = entries.map(keyOf);
        const sorted = (rows: readonly { key: string }[]): string[] => rows.map(({ key }) => key).sort();
        expect(sorted((await ports().views.all(TASK, BUCKETS)).rows)).toEqual(keys);
        const byBucket: { key: string }[] = [];
        const byShare = new Map<string, { key: string }>();
        for (let bucket = 0; bucket < BUCKETS; bucket++) {
          const { rows } = await ports().views.bucket(TASK, bucket);
          for (const { key } of rows) expect(bucketOf(key, BUCKETS)).toBe(bucket);
          byBucket.push(...rows);
          for (let cursor: string | null = null; ;) {
            const share: ScannedRows | null = await ports().views.scan(TASK, bucket, cursor, 100);
            for (const row of share!.rows) byShare.set(row.key, row);
            cursor = share!.cursor;
            if (cursor === null) break;
          }
        }
        expect(sorted(byBucket)).toEqual(keys);
        expect(sorted([...byShare.values()])).toEqual(keys);
      });
    });

    it('finds every row in exactly one bucket', async () => {
      const rows = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key ${index}`, index]));
      await commit(1, { keyed: rowsWrites(rows) });
      const found: string[] = [];
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const read = await ports().views.bucket(TASK, bucket);
        expect(read.record!.tick).toBe(1);
        for (const { key } of read.rows) expect(bucketOf(key, BUCKETS)).toBe(bucket);
        found.push(...read.rows.map(({ key }) => key));
      }
      expect(found.sort()).toEqual(Object.keys(rows).sort());
      expect((await ports().views.all(TASK, BUCKETS)).rows).toHaveLength(100);
    });

    describe('scanning a bucket', () => {
      const many = (from: number, to: number): Record<string, number> =>
        Object.fromEntries(
          Array.from({ length: to - from }, (_, index) => [`key ${from + index}`, from + index]),
        );
      const scan = async (between: (share: number) => Promise<void> = async () => {}) => {
        const found = new Map<string, string>();
        const ticks: number[] = [];
        for (let bucket = 0; bucket < BUCKETS; bucket++)
          for (let cursor: string | null = null, shares = 0; ; shares++) {
            const share: ScannedRows | null = await ports().views.scan(TASK, bucket, cursor, 100);
            ticks.push(share!.record!.tick);
            expect(share!.rows.length).toBeLessThan(600);
            for (const { key, text } of share!.rows) {
              expect(bucketOf(key, BUCKETS)).toBe(bucket);
              found.set(key, text);
            }
            cursor = share!.cursor;
            if (cursor === null) break;
            if (bucket === 0) await between(shares);
          }
        return { found, ticks };
      };

      it('gives every row, some at a time, with the record they belong to', async () => {
        await commit(1, { keyed: rowsWrites(many(0, 5_000)) });
        const { found, ticks } = await scan();
        expect(Object.fromEntries(found)).toEqual(
          Object.fromEntries(Object.entries(many(0, 5_000)).map(([key, n]) => [key, JSON.stringify(n)])),
        );
        expect(new Set(ticks)).toEqual(new Set([1]));
        expect(ticks.length).toBeGreaterThan(BUCKETS);
      });

      it('gives what stays as it is, whatever comes and goes meanwhile, each share of its own commit', async () => {
        await commit(1, { keyed: rowsWrites(many(0, 6_000)) });
        let tick = 1;
        const { found, ticks } = await scan(async (share) => {
          const gone = Object.fromEntries(
            Object.keys(many(share * 10, share * 10 + 10)).map((key) => [key, null]),
          );
          await commit(++tick, {
            keyed: rowsWrites({ ...many(6_000 + share * 500, 6_500 + share * 500), ...gone }),
          });
        });
        for (const key of Object.keys(many(tick * 10, 6_000))) expect(found.has(key)).toBe(true);
        expect(ticks.at(-1)).toBe(tick);
      });

      it('gives nothing of what does not exist', async () => {
        expect(await ports().views.scan(TASK, 0, null, 10)).toEqual({ record: null, rows: [], cursor: null });
      });
    });

    describe('an index', () => {
      const keys = ['ORD', 'SFO', 'a/b', '😀', 'nul\u0000 in it', 'one\u00011', ''];
      beforeEach(async () => {
        await commit(1, {
          keyed: rowsWrites(Object.fromEntries(keys.map((key, index) => [key, { n: index }]))),
          indexes: [
            { state: 'index.0', writes: keys.map((key, index) => [member(index, key), true] as const) },
          ],
        });
      });
      const read = (changed: object): ReturnType<ReturnType<typeof ports>['views']['byIndex']> =>
        ports().views.byIndex(TASK, BUCKETS, {
          state: 'index.0',
          from: null,
          to: null,
          reverse: false,
          limit: 100,
          ...changed,
        });

      it('leads to the rows in its order, with the members they were found by', async () => {
        const found = await read({});
        expect(found.rows.map(({ key }) => key)).toEqual(keys);
        expect(found.rows.map(({ text }) => text)).toEqual(keys.map((_, index) => `{"n":${index}}`));
        expect(found.members).toEqual(keys.map((key, index) => member(index, key)));
        expect(found.record!.tick).toBe(1);
      });

      it('leads backwards as well', async () => {
        expect((await read({ reverse: true })).rows.map(({ key }) => key)).toEqual([...keys].reverse());
      });

      it('begins at a member and ends before another', async () => {
        const range = { from: member(1, 'SFO'), to: member(3, '😀') };
        expect((await read(range)).rows.map(({ key }) => key)).toEqual(['SFO', 'a/b']);
        expect(
          (await read({ from: member(3, '😀'), to: member(1, 'SFO'), reverse: true })).rows.map(
            ({ key }) => key,
          ),
        ).toEqual(['😀', 'a/b']);
        expect((await read({ from: orderText(2), to: orderText(3) })).rows.map(({ key }) => key)).toEqual([
          'a/b',
        ]);
      });

      it('gives no more than was asked for', async () => {
        expect((await read({ limit: 2 })).rows.map(({ key }) => key)).toEqual(['ORD', 'SFO']);
      });

      it('forgets what is taken out', async () => {
        await commit(2, {
          keyed: rowsWrites({ SFO: null }),
          indexes: [{ state: 'index.0', writes: [[member(1, 'SFO'), false]] }],
        });
        expect((await read({ limit: 2 })).rows.map(({ key }) => key)).toEqual(['ORD', 'a/b']);
      });
    });

    it('gives the newest errors first', async () => {
      const errors = [3, 1, 5, 2, 4].map(
        (seen) => [`error ${seen}`, JSON.stringify({ reason: 'x', seen })] as const,
      );
      await commit(1, { keyed: [{ state: 'errors', writes: new Map(errors) }] });
      expect((await ports().views.errors(TASK, BUCKETS, 3)).map(({ key }) => key)).toEqual([
        'error 5',
        'error 4',
        'error 3',
      ]);
    });

    it('gives the newest of what came too late', async () => {
      const lates = [3, 1, 5].map((seen) => [String(seen), JSON.stringify({ seen })] as const);
      await commit(1, { keyed: [{ state: 'lates', writes: new Map(lates) }] });
      expect((await ports().views.late(TASK, BUCKETS, 2)).map(({ key }) => key)).toEqual(['5', '3']);
      expect(await ports().views.errors(TASK, BUCKETS, 2)).toEqual([]);
    });

    it('looks through all errors, also where very many lie in one hash', async () => {
      const errors = Array.from(
        { length: 3_000 },
        (_, seen) => [`error ${seen}`, JSON.stringify({ reason: 'x', seen: (seen * 7) % 3_000 })] as const,
      );
      await commit(1, { buckets: 1, keyed: [{ state: 'errors', writes: new Map(errors) }] });
      const newest = await ports().views.errors(TASK, 1, 5);
      expect(newest.map(({ text }) => JSON.parse(text).seen)).toEqual([2_999, 2_998, 2_997, 2_996, 2_995]);
    });

    describe('the changelog', () => {
      const log = (tick: number, changelogFrom = 0): Promise<void> =>
        commit(tick, { changelog: `changes ${tick}`, changelogFrom });

      it('gives the commits after a tick, in order', async () => {
        for (const tick of [1, 2, 3]) await log(tick);
        const newest = { tick: 3, commit: 'commit-3' };
        expect(await ports().views.changes(TASK, 1, 10)).toEqual({
          newest,
          entries: [
            ['2-0', ['c', 'changes 2']],
            ['3-0', ['c', 'changes 3']],
          ],
        });
        expect(await ports().views.changes(TASK, 0, 1)).toEqual({
          newest,
          entries: [['1-0', ['c', 'changes 1']]],
        });
        expect(await ports().views.changes(TASK, 3, 10)).toEqual({ newest, entries: [] });
      });

      it('has nothing before the first commit', async () => {
        expect(await ports().views.changes(TASK, 0, 10)).toEqual({
          newest: { tick: 0, commit: '' },
          entries: [],
        });
      });

      it('says so where the next commit is not in it', async () => {
        await commit(1, {});
        await log(2);
        expect(await ports().views.changes(TASK, 0, 10)).toBeNull();
        expect((await ports().views.changes(TASK, 1, 10))!.entries).toHaveLength(1);
      });

      it('goes no further than a gap', async () => {
        await log(1);
        await commit(2, {});
        await log(3);
        expect((await ports().views.changes(TASK, 0, 10))!.entries).toEqual([['1-0', ['c', 'changes 1']]]);
        expect(await ports().views.changes(TASK, 1, 10)).toBeNull();
      });

      it('shows a reader that is ahead of it where it stands', async () => {
        await log(1);
        expect(await ports().views.changes(TASK, 5, 10)).toEqual({
          newest: { tick: 1, commit: 'commit-1' },
          entries: [],
        });
      });

      it('is wanted from the moment of a subscription until it ends', async () => {
        await commit(1, {});
        // Long enough that a busy machine does not sleep through it.
        expect(await ports().views.subscribe(TASK, 2_000)).toEqual({ tick: 1, commit: 'commit-1' });
        expect(await ports().views.subscribe(TASK, 10)).toEqual({ tick: 1, commit: 'commit-1' });
        expect(await ports().tasks.commit(commitOf(token, 2))).toEqual({ status: 'wantsChangelog' });
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(await ports().tasks.commit(commitOf(token, 2))).toEqual({ status: 'wantsChangelog' });
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        expect(await ports().tasks.commit(commitOf(token, 2))).toEqual({ status: 'committed' });
      });

      it('is trimmed behind what its readers have reached', async () => {
        for (let tick = 1; tick <= 300; tick++) await log(tick, Math.max(0, tick - 10));
        expect(await ports().views.changes(TASK, 0, 10)).toBeNull();
        expect((await ports().views.changes(TASK, 289, 100))!.entries).toHaveLength(11);
      });

      it('can be waited for like any stream', async () => {
        await log(1);
        const waiting = ports().log.waitForNews(
          new Map([[ports().views.changelogKey(TASK), '1-0']]),
          5_000,
          new AbortController().signal,
        );
        await log(2);
        expect(await waiting).toEqual([ports().views.changelogKey(TASK)]);
      });
    });

    it('knows its readers and how far they are', async () => {
      await ports().views.putReader(TASK, 'a', 1);
      await ports().views.putReader(TASK, 'b', 2);
      await ports().views.putReader(TASK, 'a', 3);
      expect(await ports().views.readers(TASK)).toEqual(
        new Map([
          ['a', 3],
          ['b', 2],
        ]),
      );
      await ports().views.removeReader(TASK, 'a');
      expect(await ports().views.readers(TASK)).toEqual(new Map([['b', 2]]));
    });
  });
}
