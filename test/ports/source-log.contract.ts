import type { RawEntry, ReadOutcome, ReadRequest } from '../../src/runtime/ports/source-log.js';
import { eventually } from '../support/system.js';
import { onEverySubject } from './subject.js';

/** The contract of `SourceLog`. */
export function sourceLogContract(): void {
  onEverySubject('SourceLog', ({ ports, subject }) => {
    const never = new AbortController().signal;
    const read = (position: string, changed: Partial<ReadRequest> = {}): Promise<ReadOutcome> =>
      ports().log.read({
        redisKey: 'orders',
        position,
        entriesRead: 0,
        countMax: 100,
        through: 'range',
        ...changed,
      });
    const fill = async (...ids: string[]): Promise<void> => {
      for (const id of ids) await subject().addAt('orders', id, 'data', `{"n":"${id}"}`);
    };
    const idsOf = (outcome: ReadOutcome): string[] =>
      outcome.status === 'read' ? outcome.entries.map(([id]: RawEntry) => id) : [outcome.cause];

    describe.each(['group', 'range'] as const)('reading through the %s', (through) => {
      it('finds nothing in a log that does not exist', async () => {
        expect(await read('0-0', { through })).toEqual({ status: 'read', entries: [] });
      });

      it('gives the entries after the position, oldest first, with their fields', async () => {
        await fill('1-0', '1-1', '2-0', '10-0');
        expect(await read('1-0', { through })).toEqual({
          status: 'read',
          entries: [
            ['1-1', ['data', '{"n":"1-1"}']],
            ['2-0', ['data', '{"n":"2-0"}']],
            ['10-0', ['data', '{"n":"10-0"}']],
          ],
        });
      });

      it('gives no more than was asked for', async () => {
        await fill('1-0', '2-0', '3-0');
        expect(idsOf(await read('0-0', { through, countMax: 2 }))).toEqual(['1-0', '2-0']);
        expect(idsOf(await read('2-0', { through, countMax: 2 }))).toEqual(['3-0']);
        expect(idsOf(await read('3-0', { through, countMax: 2 }))).toEqual([]);
      });

      it('gives the same again, whoever else has read meanwhile', async () => {
        await fill('1-0', '2-0', '3-0', '4-0');
        const other = subject().process();
        expect(idsOf(await read('0-0', { through, countMax: 2 }))).toEqual(['1-0', '2-0']);
        expect(
          idsOf(
            await other.log.read({
              redisKey: 'orders',
              position: '2-0',
              entriesRead: 2,
              countMax: 9,
              through,
            }),
          ),
        ).toEqual(['3-0', '4-0']);
        expect(idsOf(await read('0-0', { through, countMax: 2 }))).toEqual(['1-0', '2-0']);
        expect(idsOf(await read('1-0', { through }))).toEqual(['2-0', '3-0', '4-0']);
      });

      it('says that the log was trimmed behind the reader', async () => {
        await fill('1-0', '2-0', '3-0');
        await ports().log.trim('orders', '3-0', 1_000);
        expect(await read('1-0', { through })).toEqual({
          status: 'lost',
          cause: 'trimmed',
          first: '3-0',
          last: '3-0',
        });
        expect(idsOf(await read('3-0', { through }))).toEqual([]);
      });

      it('says that the entry at the position was deleted', async () => {
        await fill('1-0', '2-0', '3-0');
        await subject().deleteEntry('orders', '2-0');
        expect(await read('2-0', { through })).toEqual({
          status: 'lost',
          cause: 'deleted',
          first: '1-0',
          last: '3-0',
        });
      });

      it('goes on where the deleted entry was the last one', async () => {
        await fill('1-0', '2-0');
        await subject().deleteEntry('orders', '2-0');
        expect(await read('2-0', { through })).toEqual({ status: 'read', entries: [] });
      });

      it('says that the log is gone', async () => {
        await fill('1-0', '2-0');
        await subject().deleteLog('orders');
        expect(await read('2-0', { through })).toMatchObject({
          status: 'lost',
          cause: 'went-back',
          first: null,
          last: '0-0',
        });
        expect((await ports().log.ends(['orders']))[0]!.exists).toBe(false);
      });

      it('says that the log was made again, with lower ids', async () => {
        await fill('5-0', '6-0');
        await subject().deleteLog('orders');
        await fill('1-0');
        expect(await read('6-0', { through })).toMatchObject({
          status: 'lost',
          cause: 'went-back',
          last: '1-0',
        });
      });

      it('says that the log was made again, with higher ids', async () => {
        await fill('5-0', '6-0');
        await subject().deleteLog('orders');
        await fill('7-0', '8-0');
        expect(await read('6-0', { through })).toMatchObject({
          status: 'lost',
          cause: 'went-back',
          last: '8-0',
        });
      });

      it('says that the log went back and was continued differently', async () => {
        await fill('5-0', '6-0');
        await subject().deleteLog('orders');
        await fill('5-0', '7-0');
        expect(await read('6-0', { through })).toMatchObject({ status: 'lost', cause: 'went-back' });
      });
    });

    it('tells where logs end', async () => {
      await fill('1-0', '2-0', '3-0');
      await subject().deleteEntry('orders', '2-0');
      await ports().log.trim('orders', '2-0', 1_000);
      expect(await ports().log.ends(['orders', 'none'])).toEqual([
        {
          redisKey: 'orders',
          exists: true,
          length: 1,
          last: '3-0',
          first: '3-0',
          entriesAdded: 3,
          maxDeleted: '2-0',
        },
        {
          redisKey: 'none',
          exists: false,
          length: 0,
          last: '0-0',
          first: null,
          entriesAdded: 0,
          maxDeleted: '0-0',
        },
      ]);
    });

    it('keeps with which entry each reader began, as the first said that did, until the reader is forgotten', async () => {
      const { log } = ports();
      expect(await log.begun('orders', 'a#1/0.0', null)).toBeNull();
      expect(await log.begun('orders', 'a#1/0.0', '2-0')).toBe('2-0');
      expect(await subject().process().log.begun('orders', 'a#1/0.0', '3-0')).toBe('2-0');
      expect(await log.begun('orders', 'b#1/0.0', '0-0')).toBe('0-0');
      expect(await log.begun('orders', 'a#1/0.0', null)).toBe('2-0');
      expect(await log.begun('returns', 'a#1/0.0', null)).toBeNull();
      await log.forgetReaders('orders', ['a#1/0.0', 'none']);
      await log.forgetReaders('orders', []);
      await log.forgetReaders('none', ['a#1/0.0']);
      expect(await log.begun('orders', 'a#1/0.0', null)).toBeNull();
      expect(await log.begun('orders', 'b#1/0.0', null)).toBe('0-0');
      expect(await read('0-0')).toEqual({ status: 'read', entries: [] });
    });

    describe('appending', () => {
      const append = (
        idempotencyKey: string | null,
        ...values: string[]
      ): ReturnType<ReturnType<typeof ports>['log']['append']> =>
        ports().log.append({
          redisKey: 'orders',
          entries: values.map((value) => ['data', value]),
          idempotencyKey,
          memoryMs: 60_000,
        });

      it('answers with the id of each entry, in order', async () => {
        const { ids, repeated } = await append(null, '1', '2', '3');
        expect(repeated).toBe(false);
        const outcome = await read('0-0');
        expect(idsOf(outcome)).toEqual(ids);
        expect(outcome.status === 'read' && outcome.entries.map(([, fields]) => fields)).toEqual([
          ['data', '1'],
          ['data', '2'],
          ['data', '3'],
        ]);
      });

      it('does nothing when repeated with the same key, and gives the same ids', async () => {
        const first = await append('once', '1', '2');
        const second = await append('once', '1', '2');
        expect(second).toEqual({ ids: first.ids, repeated: true });
        expect(idsOf(await read('0-0'))).toEqual(first.ids);
      });

      it.each([
        ['other texts', ['1', '3']],
        ['fewer entries', ['1']],
        ['the same texts, cut otherwise', ['12']],
        ['another order', ['2', '1']],
      ])('refuses a key that comes back with %s, and appends nothing', async (_, values) => {
        const first = await append('once', '1', '2');
        await expect(append('once', ...values)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
        expect(idsOf(await read('0-0'))).toEqual(first.ids);
        expect(await append('once', '1', '2')).toEqual({ ids: first.ids, repeated: true });
      });

      it('appends again with another key, or with none', async () => {
        await append('a', '1');
        await append('b', '1');
        await append(null, '1');
        await append(null, '1');
        expect(idsOf(await read('0-0'))).toHaveLength(4);
      });

      it('remembers a key for one log only', async () => {
        await append('once', '1');
        const other = await ports().log.append({
          redisKey: 'returns',
          entries: [['data', '1']],
          idempotencyKey: 'once',
          memoryMs: 60_000,
        });
        expect(other.repeated).toBe(false);
      });

      it('knows a key by what it stands for, where that is more than the entries', async () => {
        const part = (redisKey: string, digest: string, entries: string[][]) =>
          ports().log.append({ redisKey, entries, idempotencyKey: 'once', digest, memoryMs: 60_000 });
        expect(await part('orders', 'whole', [])).toEqual({ ids: [], repeated: false });
        await expect(part('orders', 'other', [['data', '1']])).rejects.toMatchObject({
          code: 'idempotency-key-reused',
        });
        const first = await part('orders', 'whole', [['data', '1']]);
        expect(first).toMatchObject({ ids: [expect.any(String)], repeated: false });
        expect(await part('orders', 'whole', [['data', '1']])).toEqual({ ...first, repeated: true });
        expect(await part('orders', 'whole', [])).toMatchObject({ repeated: true });
        expect(idsOf(await read('0-0'))).toEqual(first.ids);
      });

      it('appends one of two that repeat at once', async () => {
        const other = subject().process();
        const request = {
          redisKey: 'orders',
          entries: [['data', '1']],
          idempotencyKey: 'once',
          memoryMs: 60_000,
        };
        const both = await Promise.all([ports().log.append(request), other.log.append(request)]);
        expect(both.map(({ repeated }) => repeated).sort()).toEqual([false, true]);
        expect(both[0]!.ids).toEqual(both[1]!.ids);
        expect(idsOf(await read('0-0'))).toHaveLength(1);
      });

      it('appends nothing where one entry has a field without a value', async () => {
        await expect(
          ports().log.append({
            redisKey: 'orders',
            entries: [['data', '1'], ['data']],
            idempotencyKey: null,
            memoryMs: 1,
          }),
        ).rejects.toMatchObject({
          code: 'append-refused',
        });
        expect(idsOf(await read('0-0'))).toEqual([]);
      });

      it('appends nothing for no entries', async () => {
        expect(await append('none')).toEqual({ ids: [], repeated: false });
      });
    });

    describe('waiting for news', () => {
      const wait = (
        positions: Record<string, string>,
        timeoutMs = 5_000,
        signal = never,
      ): Promise<readonly string[]> =>
        ports().log.waitForNews(new Map(Object.entries(positions)), timeoutMs, signal);

      it('returns at once where there is something', async () => {
        await fill('1-0', '2-0');
        expect(await wait({ orders: '1-0', returns: '0-0' })).toEqual(['orders']);
      });

      it('returns when an entry comes', async () => {
        await fill('1-0');
        const waiting = wait({ orders: '1-0', returns: '0-0' });
        await new Promise((resolve) => setTimeout(resolve, 30));
        await subject().addAt('returns', '1-0', 'data', '1');
        expect(await waiting).toEqual(['returns']);
      });

      it('returns with nothing when the time is over', async () => {
        await fill('1-0');
        const started = performance.now();
        expect(await wait({ orders: '1-0' }, 50)).toEqual([]);
        expect(performance.now() - started).toBeLessThan(4_000);
      });

      it('returns with nothing when it is called off, without delaying the next', async () => {
        const controller = new AbortController();
        const waiting = wait({ orders: '0-0' }, 5_000, controller.signal);
        setTimeout(() => controller.abort(), 20);
        expect(await waiting).toEqual([]);
        await subject().addAt('returns', '1-0', 'data', '1');
        const started = performance.now();
        expect(await wait({ returns: '0-0' })).toEqual(['returns']);
        expect(performance.now() - started).toBeLessThan(4_000);
        expect(await wait({ orders: '0-0' }, 5_000, AbortSignal.abort())).toEqual([]);
      });

      it('serves several who wait for different logs, each in its time', async () => {
        const orders = wait({ orders: '0-0' });
        await new Promise((resolve) => setTimeout(resolve, 20));
        const returns = wait({ returns: '0-0' });
        const short = wait({ refunds: '0-0' }, 30);
        await subject().addAt('returns', '1-0', 'data', '1');
        expect(await returns).toEqual(['returns']);
        expect(await short).toEqual([]);
        const later = wait({ orders: '1-0' });
        await fill('1-0');
        expect(await orders).toEqual(['orders']);
        await fill('2-0');
        expect(await later).toEqual(['orders']);
      });
    });

    describe('heartbeats', () => {
      const record = (anchor: string, clock: number, mode: 'moving' | 'silent' = 'moving') =>
        ports().log.recordHeartbeat({ redisKey: 'orders', anchor, mode, clock });
      const heartbeatsOf = async (position: string, changed: Partial<ReadRequest> = {}) => {
        const outcome = await read(position, { heartbeats: true, ...changed });
        return (
          outcome.status === 'read' &&
          outcome.heartbeats!.map(({ anchor, clock }) => [anchor, clock] as const)
        );
      };

      it.each(['group', 'range'] as const)(
        'are read through the %s: those of the position, and of what is found after it',
        async (through) => {
          expect(await heartbeatsOf('0-0', { through })).toEqual([]);
          expect(await record('0-0', -7)).toEqual({ status: 'recorded', clock: -7 });
          for (const [id, clock] of [
            ['9-2', 100],
            ['10-0', 50],
            ['10-1', 300],
          ] as const) {
            await fill(id);
            await record(id, clock);
          }
          const all = [
            ['0-0', -7],
            ['9-2', 100],
            ['10-0', 50],
            ['10-1', 300],
          ];
          expect(await heartbeatsOf('0-0', { through })).toEqual(all);
          expect(await heartbeatsOf('0-0', { through, countMax: 1 })).toEqual(all.slice(0, 2));
          expect(await heartbeatsOf('9-2', { through, countMax: 1 })).toEqual(all.slice(1, 3));
          expect(await heartbeatsOf('10-1', { through })).toEqual(all.slice(3));
        },
      );

      it('are not read where they are not asked for', async () => {
        await fill('1-0');
        await record('1-0', 5);
        expect(Object.keys(await read('0-0'))).toEqual(['status', 'entries']);
      });

      it('are recorded only after the last entry, and only upward', async () => {
        await fill('1-0', '2-0');
        expect(await record('1-0', 5)).toEqual({ status: 'moved' });
        expect(await record('3-0', 5)).toEqual({ status: 'moved' });
        expect(await record('2-0', 5)).toEqual({ status: 'recorded', clock: 5 });
        expect(await record('2-0', 4)).toEqual({ status: 'notHigher', clock: 5 });
        expect(await record('2-0', 6)).toEqual({ status: 'recorded', clock: 6 });
        expect(await heartbeatsOf('0-0')).toEqual([['2-0', 6]]);
      });

      it('go on, where all are silent, from the clock that was by the time that passes', async () => {
        await fill('1-0');
        expect(await record('1-0', 1_000, 'silent')).toEqual({ status: 'silent' });
        await eventually(async () => (await record('1-0', 1_000, 'silent')).status === 'recorded');
        const [[, clock]] = (await heartbeatsOf('1-0')) as [[string, number]];
        expect(clock).toBeGreaterThanOrEqual(1_000);
        expect(clock).toBeLessThan(60_000);
        await fill('2-0');
        expect(await record('2-0', 2_000, 'silent')).toEqual({ status: 'silent' });
      });

      it('go with their entries when these are trimmed', async () => {
        await record('0-0', 1);
        await fill('1-0');
        await record('1-0', 2);
        await fill('2-0');
        await record('2-0', 3);
        await ports().log.trim('orders', '2-0', 100);
        expect(await heartbeatsOf('0-0')).toEqual([['2-0', 3]]);
      });
    });

    describe('trimming', () => {
      it('keeps the entry at the position, and drops no more than it may', async () => {
        await fill('1-0', '2-0', '3-0', '4-0');
        expect(await ports().log.trim('orders', '4-0', 2)).toBe(2);
        expect(idsOf(await read('0-0'))).toEqual(['3-0', '4-0']);
        expect(await ports().log.trim('orders', '4-0', 2)).toBe(1);
        expect(await ports().log.trim('orders', '4-0', 2)).toBe(0);
        expect(idsOf(await read('0-0'))).toEqual(['4-0']);
      });

      it('drops all before the position when repeated', async () => {
        await ports().log.append({
          redisKey: 'orders',
          entries: Array.from({ length: 3_500 }, (_, n) => ['data', String(n)]),
          idempotencyKey: null,
          memoryMs: 1,
        });
        const all = idsOf(await read('0-0', { countMax: 5_000 }));
        let gone = 0;
        for (let more = 1; more > 0; gone += more) {
          more = await ports().log.trim('orders', all[3_210]!, 1_000);
          expect(more).toBeLessThanOrEqual(1_000);
        }
        expect(gone).toBe(3_210);
        expect(idsOf(await read('0-0', { countMax: 5_000 }))[0]).toBe(all[3_210]);
      });

      it('does nothing to a log that does not exist', async () => {
        expect(await ports().log.trim('none', '5-0', 10)).toBe(0);
      });
    });

    it('gives a range for people', async () => {
      await fill('1-0', '2-0', '3-0', '4-0');
      expect((await ports().log.range('orders', '1-0', '3-0', 10)).map(([id]) => id)).toEqual(['2-0', '3-0']);
      expect((await ports().log.range('orders', '0-0', '4-0', 1)).map(([id]) => id)).toEqual(['1-0']);
    });

    it('knows the readers of others and leaves itself out', async () => {
      await fill('1-0', '2-0');
      await read('0-0', { through: 'group' });
      await subject().foreignGroup('orders', 'billing', '1-0');
      expect(await ports().log.foreignReaders('orders')).toContainEqual({
        group: 'billing',
        position: '1-0',
      });
      expect(await ports().log.foreignReaders('orders')).not.toContainEqual(
        expect.objectContaining({ group: 'sw' }),
      );
      expect(await ports().log.foreignReaders('none')).toEqual([]);
    });

    it('estimates the bytes of a log', async () => {
      await fill('1-0');
      expect(await ports().log.bytes('orders')).toBeGreaterThan(0);
      expect(await ports().log.bytes('none')).toBe(0);
    });
  });
}
