import type { OrderedWrite } from '../../src/circuit/group-writes.js';
import type { Claimed } from '../../src/runtime/ports/task-store.js';
import { BUCKETS, commitOf, positionsAfter, recordOf, rowsWrites, TASK } from './commit-request.js';
import { onEverySubject } from './subject.js';

const STATES = [
  { name: 'rows', kind: 'keyed' },
  { name: '2.groups', kind: 'ordered' },
  { name: 'index.0', kind: 'index' },
] as const;

const everything = { from: '', to: null, direction: 'up', count: Infinity } as const;

/** The contract of `TaskStore`. */
export function taskStoreContract(): void {
  onEverySubject('TaskStore', ({ ports, subject }) => {
    const claim = async (owner = 'first', epoch = 0): Promise<Claimed> => {
      const claimed = await ports().tasks.claim(TASK, owner, epoch);
      if (claimed === null) throw new Error('The task was not claimed.');
      return claimed;
    };
    const keyed = async (state: string, ...keys: string[]): Promise<(string | null)[]> =>
      (await ports().tasks.fetch(TASK, BUCKETS, { keyed: [{ state, keys }], ordered: [] })).keyed[0]!;
    const ordered = async (...reads: any[]): Promise<(readonly (readonly [string, number])[])[]> =>
      (await ports().tasks.fetch(TASK, BUCKETS, { keyed: [], ordered: [{ state: '2.groups', reads }] }))
        .ordered[0]!;
    const add = (group: string, member: string, after = 1, before = 0): OrderedWrite => ({
      group,
      member,
      before,
      after,
    });

    describe('owning a task', () => {
      it('raises the epoch and knows no record before the first commit', async () => {
        const claimed = await claim();
        expect(claimed.token.epoch).toBe(1);
        expect(claimed.record).toBeNull();
        expect(claimed.grants).toBe(1);
      });

      it('is refused to whoever saw an earlier epoch', async () => {
        await claim('first', 0);
        expect(await ports().tasks.claim(TASK, 'second', 0)).toBeNull();
        expect((await ports().tasks.status([TASK]))[0]).toMatchObject({ owner: 'first', epoch: 1 });
      });

      it('tells of what its state is made and of which keys, as the first said that did', async () => {
        const made = (definition: string, partitions: number) => ({
          definition,
          shape: { partitions, stages: [], buckets: BUCKETS, states: STATES, upstreams: { up: 1 } },
        });
        expect(await claim('dropper', 0)).toMatchObject({ definition: null, shape: null });
        const { tasks } = ports();
        expect(await tasks.claim(TASK, 'first', 1, made('f', 1))).toMatchObject(made('f', 1));
        expect(await tasks.claim(TASK, 'second', 2, made('g', 2))).toMatchObject(made('f', 1));
        const dropper = (await tasks.claim(TASK, 'dropper', 3))!;
        expect(dropper).toMatchObject(made('f', 1));
        await tasks.drop(TASK, dropper.token, [], BUCKETS);
        expect(await tasks.claim(TASK, 'third', 0, made('g', 2))).toMatchObject(made('g', 2));
      });

      it('goes to one of two that claim at once', async () => {
        const other = subject().process();
        const claims = await Promise.all([
          ports().tasks.claim(TASK, 'first', 0),
          other.tasks.claim(TASK, 'second', 0),
        ]);
        expect(claims.filter((claimed) => claimed !== null)).toHaveLength(1);
      });

      it('gives every owner another nonce', async () => {
        const first = await claim('first', 0);
        const second = await claim('second', 1);
        expect(second.token.nonce).not.toBe(first.token.nonce);
      });

      it('counts the grants since the last commit', async () => {
        await claim('first', 0);
        const second = await claim('second', 1);
        expect(second.grants).toBe(2);
        await ports().tasks.commit(commitOf(second.token, 1));
        expect((await claim('third', 2)).grants).toBe(1);
      });

      it('counts them anew when an owner has survived a step', async () => {
        await claim('first', 0);
        const second = await claim('second', 1);
        await ports().tasks.attempt(TASK, second.token, null);
        expect((await claim('third', 2)).grants).toBe(1);
      });

      it('hands the record of the last commit to the next owner', async () => {
        const { token } = await claim();
        const record = recordOf(1, {
          rows: 3,
          conflicts: 1,
          errors: 2,
          checksum: 'abcdef0123456789',
          late: 3,
          extra: { late: 4, exchange: Array.from({ length: 500 }, (_, tick) => ({ tick, commit: 'ä' })) },
          clocks: { 'stream:orders': { 'orders:0': 986_000_000_000, 'orders:1': null } },
          applied: { 'stream:orders': { 'orders:0': -1, 'orders:1': null } },
          reaching: { orders: '2-0', 'customers:0': '7-3' },
        });
        await ports().tasks.commit(commitOf(token, 1, { record }));
        expect((await claim('second', 1)).record).toEqual(record);
      });

      it('ends with a release, after which the old token is not in force', async () => {
        const { token } = await claim();
        await ports().tasks.release(TASK, token);
        expect((await ports().tasks.status([TASK]))[0]).toMatchObject({ owner: null, epoch: 1 });
        expect(await ports().tasks.reload(TASK, token)).toBeNull();
        expect(await ports().tasks.commit(commitOf(token, 1))).toMatchObject({ status: 'fenced', epoch: 1 });
        expect((await claim('second', 1)).grants).toBe(1);
      });

      it('is not ended by a release of an earlier owner', async () => {
        const first = await claim('first', 0);
        await claim('second', 1);
        await ports().tasks.release(TASK, first.token);
        expect((await ports().tasks.status([TASK]))[0]).toMatchObject({ owner: 'second', epoch: 2 });
      });

      it('lets only the owner load again', async () => {
        const first = await claim('first', 0);
        expect(await ports().tasks.reload(TASK, first.token)).toEqual({ record: null });
        await ports().tasks.commit(commitOf(first.token, 1));
        expect((await ports().tasks.reload(TASK, first.token))!.record).toEqual(recordOf(1));
        await claim('second', 1);
        expect(await ports().tasks.reload(TASK, first.token)).toBeNull();
      });
    });

    it('tells the clocks that tasks have committed', async () => {
      const { token } = await claim();
      const other = { ...TASK, partition: 1 };
      expect(await ports().tasks.clocks([other, TASK])).toEqual([null, null]);
      const clocks = { 'stream:orders': { 'orders:0': 5, 'orders:1': null } };
      const applied = { 'stream:orders': { 'orders:0': 4, 'orders:1': null } };
      await ports().tasks.commit(commitOf(token, 1, { record: recordOf(1, { clocks, applied }) }));
      expect(await ports().tasks.clocks([other, TASK])).toEqual([null, clocks]);
      expect(await ports().tasks.clocks([])).toEqual([]);
    });

    describe('attempts', () => {
      const attempt = { tick: 1, input: 'stream:orders', entry: '5-0', entries: 8, ended: 1 };

      it('are found by the next owner when this one ended without taking them back', async () => {
        const first = await claim();
        expect(first.attempt).toBeNull();
        expect(await ports().tasks.attempt(TASK, first.token, attempt)).toBe(true);
        const second = await claim('second', 1);
        expect(second.attempt).toEqual(attempt);
        expect(await ports().tasks.attempt(TASK, second.token, null)).toBe(true);
        expect((await claim('third', 2)).attempt).toBeNull();
      });

      it('are refused to an earlier owner', async () => {
        const first = await claim();
        const second = await claim('second', 1);
        await ports().tasks.attempt(TASK, second.token, attempt);
        expect(await ports().tasks.attempt(TASK, first.token, null)).toBe(false);
        expect((await claim('third', 2)).attempt).toEqual(attempt);
      });

      it('end with a release', async () => {
        const { token } = await claim();
        await ports().tasks.attempt(TASK, token, attempt);
        await ports().tasks.release(TASK, token);
        expect((await claim('second', 1)).attempt).toBeNull();
      });
    });

    describe('blame', () => {
      const blamed = { redisKey: 'orders', entry: '5-0' };

      it('is of a definition, said once however often it is repeated, and known to all processes', async () => {
        expect(await ports().tasks.blamed('f1')).toEqual([]);
        await ports().tasks.blame('f1', blamed);
        await ports().tasks.blame('f1', blamed);
        await ports().tasks.blame('f1', { redisKey: 'customers:1', entry: '5-0' });
        const other = subject().process();
        expect(new Set(await other.tasks.blamed('f1'))).toEqual(
          new Set([blamed, { redisKey: 'customers:1', entry: '5-0' }]),
        );
        expect(await other.tasks.blamed('f2')).toEqual([]);
      });

      it('outlives the tasks of the definition', async () => {
        const { token } = await claim();
        await ports().tasks.blame('f1', blamed);
        await ports().tasks.commit(commitOf(token, 1));
        await ports().tasks.drop(TASK, token, STATES, BUCKETS);
        expect(await ports().tasks.blamed('f1')).toEqual([blamed]);
      });
    });

    describe('parking', () => {
      const reason = { code: 'log-trimmed', message: 'The "beginning" of ä/b is gone.\nRebuild it.' };
      const parked = async () => (await ports().tasks.status([TASK]))[0]!.parked;

      it('is shown, and keeps the task from being claimed until it is taken back', async () => {
        const { token } = await claim();
        await ports().tasks.park(TASK, token, reason);
        expect(await parked()).toEqual({ ...reason, at: expect.any(Number) });
        expect(await ports().tasks.claim(TASK, 'second', 1)).toBeNull();
        await ports().tasks.unpark(TASK);
        expect((await ports().tasks.status([TASK]))[0]!.parked).toBeNull();
        expect(await ports().tasks.claim(TASK, 'second', 1)).not.toBeNull();
      });

      it('is the right of the owner alone', async () => {
        const first = await claim('first', 0);
        const second = await claim('second', 1);
        await ports().tasks.park(TASK, first.token, reason);
        expect((await ports().tasks.status([TASK]))[0]!.parked).toBeNull();
        await ports().tasks.park(TASK, second.token, reason);
        await ports().tasks.park(TASK, second.token, null);
        expect((await ports().tasks.status([TASK]))[0]!.parked).toBeNull();
      });

      it('is said also where the message holds half a character, as what a function throws may', async () => {
        const { token } = await claim();
        await ports().tasks.park(TASK, token, { code: 'invariant', message: 'of \ud83d and \u0000' });
        expect(await parked()).toMatchObject({ code: 'invariant', message: 'of \ufffd and \u0000' });
      });

      it('is since it was parked first, whoever took it in between, as long as nothing comes of that', async () => {
        const first = await claim('first', 0);
        expect(first.wasParked).toBe(false);
        await ports().tasks.park(TASK, first.token, reason);
        const { at } = (await parked())!;
        expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
        for (const epoch of [1, 2]) {
          await ports().tasks.unpark(TASK);
          // The second finds nothing but that: the one before it has ended without a word.
          const { wasParked, token } = await claim('another', epoch);
          expect(wasParked).toBe(true);
          if (epoch === 1) continue;
          await ports().tasks.park(TASK, token, reason);
          expect(await parked()).toEqual({ ...reason, at: expect.any(Number), since: at });
          expect((await parked())!.at).toBeGreaterThanOrEqual(at);
        }
      });

      it('begins anew after a commit, or where it was said that it goes on', async () => {
        const { token } = await claim();
        const parkedAnew = async (): Promise<void> => {
          await ports().tasks.park(TASK, token, reason);
          expect(await parked()).not.toHaveProperty('since');
          await ports().tasks.unpark(TASK);
        };
        await parkedAnew();
        await ports().tasks.commit(commitOf(token, 1));
        await parkedAnew();
        await ports().tasks.park(TASK, token, null);
        await parkedAnew();
        await ports().tasks.park(TASK, token, null);
        expect((await claim('second', 1)).wasParked).toBe(false);
      });

      it('may be taken back of a task that never was', async () => {
        await ports().tasks.unpark(TASK);
        expect((await ports().tasks.status([TASK]))[0]).toEqual({
          task: TASK,
          owner: null,
          epoch: 0,
          record: null,
          parked: null,
        });
      });
    });

    describe('committing', () => {
      it('stores state, rows and record together', async () => {
        const { token } = await claim();
        const outcome = await ports().tasks.commit(
          commitOf(token, 1, {
            record: recordOf(1, { rows: 2 }),
            keyed: [
              ...rowsWrites({ ORD: { flights: 1 }, SFO: { flights: 2 } }),
              { state: '1.seen', writes: new Map([['x', 'y']]) },
            ],
            ordered: [{ state: '2.groups', writes: [add('g', 'm')] }],
            indexes: [{ state: 'index.0', writes: [['1\u00000\u0000ORD', true]] }],
          }),
        );
        expect(outcome).toEqual({ status: 'committed' });
        expect(await keyed('rows', 'SFO', 'JFK', 'ORD')).toEqual(['{"flights":2}', null, '{"flights":1}']);
        expect(await keyed('1.seen', 'x')).toEqual(['y']);
        expect(await ordered({ group: 'g', ...everything })).toEqual([[['m', 1]]]);
        expect((await ports().tasks.status([TASK]))[0]!.record).toEqual(recordOf(1, { rows: 2 }));
      });

      it('answers a repeat with "already committed" and changes nothing', async () => {
        const { token } = await claim();
        const request = commitOf(token, 1, { ordered: [{ state: '2.groups', writes: [add('g', 'm', 2)] }] });
        await ports().tasks.commit(request);
        expect(await ports().tasks.commit(request)).toEqual({ status: 'alreadyCommitted' });
        expect(await ordered({ group: 'g', ...everything })).toEqual([[['m', 2]]]);
      });

      it('refuses the same tick with another nonce', async () => {
        const { token } = await claim();
        await ports().tasks.commit(commitOf(token, 1, { keyed: rowsWrites({ ORD: 1 }) }));
        expect(
          await ports().tasks.commit(commitOf(token, 1, { nonce: 'other', keyed: rowsWrites({ ORD: 2 }) })),
        ).toEqual({ status: 'diverged', tick: 1 });
        expect(await keyed('rows', 'ORD')).toEqual(['1']);
      });

      it('refuses a tick that does not follow', async () => {
        const { token } = await claim();
        expect(await ports().tasks.commit(commitOf(token, 2))).toEqual({ status: 'diverged', tick: 0 });
        await ports().tasks.commit(commitOf(token, 1));
        expect(await ports().tasks.commit(commitOf(token, 3))).toEqual({ status: 'diverged', tick: 1 });
      });

      it('takes a tick that passes over numbers, and refuses these from then on', async () => {
        const { token } = await claim();
        await ports().tasks.commit(commitOf(token, 1));
        const { nonce: follows } = commitOf(token, 1);
        const far = commitOf(token, 9, { from: positionsAfter(1), follows });
        expect(await ports().tasks.commit(far)).toEqual({ status: 'committed' });
        expect(await ports().tasks.commit(far)).toEqual({ status: 'alreadyCommitted' });
        const [status] = await ports().tasks.status([far.task]);
        expect(status!.record).toMatchObject({ tick: 9, commit: far.nonce });
        for (const tick of [8, 9]) {
          const passed = commitOf(token, tick, {
            nonce: 'other',
            from: positionsAfter(9),
            follows: far.nonce,
          });
          expect(await ports().tasks.commit(passed)).toEqual({ status: 'diverged', tick: 9 });
        }
      });

      it('refuses a tick that was computed from other positions', async () => {
        const { token } = await claim();
        await ports().tasks.commit(commitOf(token, 1));
        expect(await ports().tasks.commit(commitOf(token, 2, { from: positionsAfter(7) }))).toEqual({
          status: 'diverged',
          tick: 1,
        });
        expect(await ports().tasks.commit(commitOf(token, 2))).toEqual({ status: 'committed' });
      });

      it('refuses a tick that follows another commit of the same number and positions', async () => {
        const { token } = await claim();
        await ports().tasks.commit(commitOf(token, 1));
        expect(await ports().tasks.commit(commitOf(token, 2, { follows: 'made again' }))).toEqual({
          status: 'diverged',
          tick: 1,
        });
        expect(await ports().tasks.commit(commitOf(token, 2))).toEqual({ status: 'committed' });
      });

      it('says as of which commit state is that is fetched', async () => {
        const wanted = { keyed: [{ state: 'rows', keys: ['ORD'] }], ordered: [] };
        const { token } = await claim();
        expect((await ports().tasks.fetch(TASK, BUCKETS, wanted)).commit).toBe('');
        await ports().tasks.commit(commitOf(token, 1));
        expect((await ports().tasks.fetch(TASK, BUCKETS, wanted)).commit).toBe('commit-1');
      });

      it('compares positions whatever the order of their inputs', async () => {
        const { token } = await claim();
        const a = { position: '1-0', entries: 1 };
        const b = { position: '2-0', entries: 5 };
        await ports().tasks.commit(
          commitOf(token, 1, { record: recordOf(1, { positions: { 'stream:a': a, 'table:b': b } }) }),
        );
        expect(
          await ports().tasks.commit(commitOf(token, 2, { from: { 'table:b': b, 'stream:a': a } })),
        ).toEqual({ status: 'committed' });
      });

      it('fences the owner before: nothing is written', async () => {
        const first = await claim('first', 0);
        await ports().tasks.commit(commitOf(first.token, 1, { keyed: rowsWrites({ ORD: 1 }) }));
        const second = await claim('second', 1);
        expect(
          await ports().tasks.commit(commitOf(first.token, 2, { keyed: rowsWrites({ ORD: 2 }) })),
        ).toEqual({ status: 'fenced', owner: 'second', epoch: 2 });
        expect(await keyed('rows', 'ORD')).toEqual(['1']);
        expect(await ports().tasks.commit(commitOf(second.token, 2))).toEqual({ status: 'committed' });
      });

      it('fences an owner of the right epoch with another nonce', async () => {
        const { token } = await claim();
        expect(
          await ports().tasks.commit(commitOf({ ...token, nonce: 'granted before the restart' }, 1)),
        ).toMatchObject({ status: 'fenced', epoch: 1 });
      });

      it('fences who commits to a task that nobody owns', async () => {
        expect(await ports().tasks.commit(commitOf({ epoch: 1, nonce: 'x' }, 1))).toEqual({
          status: 'fenced',
          owner: '',
          epoch: 0,
        });
      });

      it('moves on without any change, tick by tick', async () => {
        const { token } = await claim();
        for (let tick = 1; tick <= 3; tick++)
          expect(await ports().tasks.commit(commitOf(token, tick))).toEqual({ status: 'committed' });
        expect((await ports().tasks.status([TASK]))[0]!.record!.tick).toBe(3);
      });

      it('takes keys, groups and members of any text', async () => {
        const { token } = await claim();
        const texts = [
          '',
          ' ',
          'a/b',
          '😀',
          '\ufffd',
          'nul\u0000nul',
          'one\u00010',
          '"quoted"\n',
          '{tag}',
          'x'.repeat(5_000),
        ];
        await ports().tasks.commit(
          commitOf(token, 1, {
            keyed: [
              { state: 'rows', writes: new Map(texts.map((text) => [text, `value of ${text}`] as const)) },
            ],
            ordered: [
              {
                state: '2.groups',
                writes: texts.flatMap((group) => texts.map((member, index) => add(group, member, index + 1))),
              },
            ],
          }),
        );
        expect(await keyed('rows', ...texts)).toEqual(texts.map((text) => `value of ${text}`));
        for (const group of texts) {
          const reads = texts.map((member) => ({ group, member }));
          expect(await ordered(...reads)).toEqual(texts.map((member, index) => [[member, index + 1]]));
          expect((await ordered({ group, ...everything }))[0]).toHaveLength(texts.length);
        }
      });

      it('takes thousands of changes in one commit, and takes them back in the next', async () => {
        const { token } = await claim();
        const keys = Array.from({ length: 20_000 }, (_, index) => `key ${index}`);
        expect(
          await ports().tasks.commit(
            commitOf(token, 1, {
              buckets: 1,
              keyed: [{ state: 'rows', writes: new Map(keys.map((key) => [key, key] as const)) }],
              ordered: [{ state: '2.groups', writes: keys.map((key) => add('all', key)) }],
            }),
          ),
        ).toEqual({ status: 'committed' });
        const fetched = await ports().tasks.fetch(TASK, 1, {
          keyed: [{ state: 'rows', keys }],
          ordered: [{ state: '2.groups', reads: [{ group: 'all', ...everything }] }],
        });
        expect(fetched.keyed[0]).toEqual(keys);
        expect(fetched.ordered[0]![0]!).toHaveLength(keys.length);
        await ports().tasks.commit(
          commitOf(token, 2, {
            buckets: 1,
            keyed: [{ state: 'rows', writes: new Map(keys.map((key) => [key, null] as const)) }],
            ordered: [{ state: '2.groups', writes: keys.map((key) => add('all', key, 0, 1)) }],
          }),
        );
        const after = await ports().tasks.fetch(TASK, 1, {
          keyed: [{ state: 'rows', keys }],
          ordered: [{ state: '2.groups', reads: [{ group: 'all', ...everything }] }],
        });
        expect(after.keyed[0]!.every((value) => value === null)).toBe(true);
        expect(after.ordered[0]).toEqual([[]]);
      });
    });

    describe('ordered state', () => {
      it('changes the weight of a member, and forgets it at 0', async () => {
        const { token } = await claim();
        const write = (tick: number, ...writes: OrderedWrite[]): Promise<unknown> =>
          ports().tasks.commit(commitOf(token, tick, { ordered: [{ state: '2.groups', writes }] }));
        await write(1, add('g', 'a', 1), add('g', 'b', 3));
        expect(await ordered({ group: 'g', ...everything })).toEqual([
          [
            ['a', 1],
            ['b', 3],
          ],
        ]);
        await write(2, add('g', 'a', 2, 1), add('g', 'b', 1, 3));
        expect(await ordered({ group: 'g', ...everything })).toEqual([
          [
            ['a', 2],
            ['b', 1],
          ],
        ]);
        await write(3, add('g', 'a', 0, 2));
        expect(await ordered({ group: 'g', ...everything }, { group: 'g', member: 'a' })).toEqual([
          [['b', 1]],
          [],
        ]);
      });

      it('gives the least and the greatest by UTF-8 bytes, so many as there are', async () => {
        const { token } = await claim();
        const members = ['\ufffd', '😀', 'a', 'ab', 'a\u0000', 'a\u0001', 'b'];
        await ports().tasks.commit(
          commitOf(token, 1, {
            ordered: [{ state: '2.groups', writes: members.map((member) => add('g', member, 2)) }],
          }),
        );
        const sorted = ['a', 'a\u0000', 'a\u0001', 'ab', 'b', '\ufffd', '😀'];
        const [least, greatest, all] = await ordered(
          { group: 'g', from: '', to: null, direction: 'up', count: 3 },
          { group: 'g', from: '', to: null, direction: 'down', count: 2 },
          { group: 'g', from: '', to: null, direction: 'up', count: 99 },
        );
        expect(least!.map(([member]) => member)).toEqual(sorted.slice(0, 3));
        expect(greatest!.map(([member]) => member)).toEqual(['😀', '\ufffd']);
        expect(all!.map(([member]) => member)).toEqual(sorted);
        const [between, below, none] = await ordered(
          { group: 'g', from: 'a\u0001', to: '\ufffd', direction: 'up', count: 99 },
          { group: 'g', from: '', to: 'a\u0001\u0000', direction: 'down', count: 2 },
          { group: 'g', from: 'ab', to: 'ab', direction: 'up', count: 2 },
        );
        expect(between!.map(([member]) => member)).toEqual(['a\u0001', 'ab', 'b']);
        expect(below!.map(([member]) => member)).toEqual(['a\u0001', 'a\u0000']);
        expect(none).toEqual([]);
      });

      it('keeps a group apart from one whose name it begins', async () => {
        const { token } = await claim();
        await ports().tasks.commit(
          commitOf(token, 1, {
            buckets: 1,
            ordered: [
              {
                state: '2.groups',
                writes: [add('a', '1'), add('a\u0000', '2'), add('a\u0001', '3'), add('ab', '4')],
              },
            ],
          }),
        );
        const { ordered: found } = await ports().tasks.fetch(TASK, 1, {
          keyed: [],
          ordered: [
            {
              state: '2.groups',
              reads: [
                { group: 'a', ...everything },
                { group: 'a\u0000', from: '', to: null, direction: 'down', count: 5 },
                { group: 'b', ...everything },
              ],
            },
          ],
        });
        expect(found[0]).toEqual([[['1', 1]], [['2', 1]], []]);
      });
    });

    describe('the changelog', () => {
      it('is asked for while a dependent reads it', async () => {
        const { token } = await claim();
        await ports().views.putReader(TASK, 'dependent', 0);
        expect(await ports().tasks.commit(commitOf(token, 1, { keyed: rowsWrites({ ORD: 1 }) }))).toEqual({
          status: 'wantsChangelog',
        });
        expect(await keyed('rows', 'ORD')).toEqual([null]);
        expect(
          await ports().tasks.commit(
            commitOf(token, 1, { keyed: rowsWrites({ ORD: 1 }), changelog: 'changes' }),
          ),
        ).toEqual({ status: 'committed' });
        await ports().views.removeReader(TASK, 'dependent');
        expect(await ports().tasks.commit(commitOf(token, 2))).toEqual({ status: 'committed' });
      });

      it('is not appended twice by a repeat', async () => {
        const { token } = await claim();
        const request = commitOf(token, 1, { changelog: 'changes' });
        await ports().tasks.commit(request);
        expect(await ports().tasks.commit({ ...request, changelog: null })).toEqual({
          status: 'alreadyCommitted',
        });
        expect((await ports().views.changes(TASK, 0, 10))!.entries).toEqual([['1-0', ['c', 'changes']]]);
      });
    });

    describe('what a task sends', () => {
      const receive = (receiver: number, after: number, countMax = 10) =>
        ports().tasks.receive([{ sender: TASK, receiver, after, countMax }]);
      const sent = (receiver: number, text: string, from = 0) => ({ receiver, text, from });

      it('lies there for its receivers from the commit on, each its own', async () => {
        expect(await receive(0, 0)).toEqual([{ record: null, entries: [] }]);
        const { token } = await claim();
        await ports().tasks.commit(commitOf(token, 1, { sent: [sent(0, 'one'), sent(2, 'other')] }));
        await ports().tasks.commit(commitOf(token, 2, { sent: [] }));
        await ports().tasks.commit(commitOf(token, 3, { sent: [sent(0, 'three')] }));
        const [zero] = await receive(0, 0);
        expect(zero!.entries).toEqual([
          ['1-0', ['c', 'one']],
          ['3-0', ['c', 'three']],
        ]);
        expect(zero!.record).toMatchObject({ tick: 3, frontier: { orders: '3-0' } });
        expect((await receive(0, 1))[0]!.entries).toEqual([['3-0', ['c', 'three']]]);
        expect((await receive(0, 0, 1))[0]!.entries).toEqual([['1-0', ['c', 'one']]]);
        expect((await receive(2, 0))[0]!.entries).toEqual([['1-0', ['c', 'other']]]);
        expect((await receive(1, 0))[0]!.entries).toEqual([]);
      });

      it('is not there where the commit was not accepted, and once where it is repeated', async () => {
        const { token } = await claim();
        const request = commitOf(token, 1, { sent: [sent(0, 'one')] });
        expect(await ports().tasks.commit({ ...request, token: { ...token, nonce: 'other' } })).toMatchObject(
          {
            status: 'fenced',
          },
        );
        expect((await receive(0, 0))[0]!.entries).toEqual([]);
        await ports().tasks.commit(request);
        expect(await ports().tasks.commit(request)).toEqual({ status: 'alreadyCommitted' });
        expect((await receive(0, 0))[0]!.entries).toHaveLength(1);
      });

      it('wakes whoever waits for its commits', async () => {
        const { token } = await claim();
        const { tasks, log } = ports();
        const news = log.waitForNews(
          new Map([[tasks.sentKey(TASK), '0-0']]),
          5_000,
          new AbortController().signal,
        );
        await tasks.commit(commitOf(token, 1, { sent: [] }));
        expect(await news).toEqual([tasks.sentKey(TASK)]);
      });

      it('goes with the task', async () => {
        const { token } = await claim();
        await ports().tasks.commit(commitOf(token, 1, { sent: [sent(0, 'one'), sent(2, 'other')] }));
        await ports().tasks.drop(TASK, token, STATES, BUCKETS, [0, 1, 2]);
        expect(await receive(2, 0)).toEqual([{ record: null, entries: [] }]);
      });
    });

    describe('dropping', () => {
      it('deletes all state, and fences who still commits', async () => {
        const { token } = await claim();
        await ports().tasks.commit(
          commitOf(token, 1, {
            keyed: rowsWrites({ ORD: 1, SFO: 2 }),
            ordered: [{ state: '2.groups', writes: [add('g', 'm')] }],
            indexes: [{ state: 'index.0', writes: [['1\u00000\u0000ORD', true]] }],
            changelog: 'changes',
          }),
        );
        expect(await ports().tasks.drop(TASK, token, STATES, BUCKETS)).toBe(true);
        expect(await ports().tasks.drop(TASK, token, STATES, BUCKETS)).toBe(false);
        expect(await keyed('rows', 'ORD', 'SFO')).toEqual([null, null]);
        expect(await ordered({ group: 'g', ...everything })).toEqual([[]]);
        expect((await ports().tasks.status([TASK]))[0]).toMatchObject({ epoch: 0, record: null });
        expect(await ports().tasks.commit(commitOf(token, 2))).toMatchObject({ status: 'fenced' });
      });

      it('deletes nothing for who was owner before, also where the task was made anew since', async () => {
        const { token: paused } = await claim();
        const { token: quicker } = (await ports().tasks.claim(TASK, 'quicker', 1))!;
        await ports().tasks.drop(TASK, quicker, STATES, BUCKETS);
        // The same epoch, of the task that lies there now.
        const { token } = await claim();
        expect(token.epoch).toBe(paused.epoch);
        const changed = { keyed: rowsWrites({ ORD: 1 }), changelog: 'changes' };
        await ports().tasks.commit(commitOf(token, 1, changed));
        expect(await ports().tasks.drop(TASK, paused, STATES, BUCKETS)).toBe(false);
        expect(await keyed('rows', 'ORD')).toEqual(['1']);
        expect((await ports().tasks.status([TASK]))[0]).toMatchObject({ epoch: 1, record: { tick: 1 } });
      });
    });
  });
}
