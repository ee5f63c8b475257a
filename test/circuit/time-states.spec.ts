import {
  collect,
  count,
  countDistinct,
  cumulating,
  hopping,
  instant,
  max,
  session,
  sliding,
  stream,
  tumbling,
  view,
} from 'stillwater';
import { z } from 'zod';
import { LATE_ROWS_KEPT_MAX } from '../../src/circuit/late-rows.js';
import { Timed, at } from '../support/timed.js';

const events = stream('events', {
  schema: z.object({ at: instant(), key: z.string(), n: z.int() }),
  eventTime: 'at',
  lateness: '1m',
});
const MINUTE = 60_000;
const event = (minute: number, n = 0, key = 'a') => ({ at: at(minute * MINUTE), key, n });
const perMinute = events.window(tumbling('1m')).groupBy('key');
const byKey = (n: number) => Array.from({ length: n }, (_, index) => `k${index}`);

describe('the state of windows that are over', () => {
  const cases = {
    'on update': view('v', {
      from: perMinute.aggregate({ n: count(), kinds: countDistinct('n'), each: collect('n') }),
      retain: '5m',
    }),
    final: view('v', {
      from: perMinute.aggregate({ n: count(), kinds: countDistinct('n') }).final(),
      retain: '5m',
    }),
    'held back': view('v', { from: events.final().last('5m'), key: ['at', 'key', 'n'] }),
    'each once': view('v', { from: events.distinct().last('5m'), key: ['at', 'key', 'n'] }),
    'windows of windows': view('v', {
      from: perMinute
        .aggregate({ n: count() })
        .groupBy('windowEnd')
        .aggregate({ most: max('n'), each: collect('n') }),
      retain: '5m',
    }),
  };

  it.each(Object.entries(cases))(
    'is gone: after a thousand as much is kept as after ten (%s)',
    (_, declared) => {
      const kept = new Timed(declared.declaration, 500);
      const sizes: { fields: number; bytes: number }[] = [];
      for (let minute = 0; minute < 1_000; minute++) {
        kept.tick({
          'stream:events': byKey(3).flatMap((key) => [event(minute, 1, key), event(minute + 0.5, 2, key)]),
        });
        if (minute === 20 || minute === 999)
          sizes.push({ fields: kept.kept + kept.rows.length, bytes: kept.store.toString().length });
      }
      const [early, late] = sizes as [(typeof sizes)[0], (typeof sizes)[0]];
      expect(late.fields).toBeGreaterThan(0);
      expect(Math.abs(late.fields - early.fields)).toBeLessThanOrEqual(early.fields / 10);
      expect(Math.abs(late.bytes - early.bytes)).toBeLessThanOrEqual(early.bytes / 10);
    },
  );
});

describe('what is due', () => {
  it('is taken in steps of about a thousand, each a small commit', () => {
    const declared = view('v', { from: perMinute.aggregate({ n: count() }).final() });
    const kept = new Timed(declared.declaration);
    kept.tick({ 'stream:events': byKey(5_000).map((key) => event(0, 0, key)) });
    expect(kept.rows).toEqual([]);
    kept.clock('stream:events', at(10 * MINUTE));
    expect(kept.rows).toHaveLength(5_000);
    expect(kept.steps).toBeGreaterThanOrEqual(5);
    expect(kept.steps).toBeLessThanOrEqual(10);
    expect(kept.kept).toBe(0);
  });

  it('is taken in pages where one group has many members', () => {
    const declared = view('v', { from: perMinute.aggregate({ kinds: countDistinct('n') }) });
    const kept = new Timed(declared.declaration, 1);
    for (let tick = 0; tick < 5; tick++)
      kept.tick({ 'stream:events': Array.from({ length: 1_000 }, (_, n) => event(0, tick * 1_000 + n)) });
    kept.clock('stream:events', at(10 * MINUTE));
    expect(kept.rows).toMatchObject([{ kinds: 5_000 }]);
    expect(kept.steps).toBeGreaterThanOrEqual(5);
    expect(kept.steps).toBeLessThanOrEqual(8);
    expect(kept.kept).toBe(0);
  });

  it('reads and writes no more for a change than the change, however much waits', () => {
    const declared = view('v', { from: events.last('1h'), key: ['at', 'key', 'n'] });
    const kept = new Timed(declared.declaration, 1);
    kept.tick({ 'stream:events': Array.from({ length: 3_000 }, (_, n) => event(0, n)) });
    kept.restart();
    const before = kept.store.fetched;
    kept.tick({ 'stream:events': [event(1, 1)] });
    // The heads of the index, the row, its member, and no rows that wait.
    expect(kept.store.fetched - before).toBeLessThan(50);
  });
});

describe('late rows', () => {
  it('are counted exactly, and the newest are kept', () => {
    const kept = new Timed(view('v', { from: perMinute.aggregate({ n: count() }) }).declaration);
    kept.clock('stream:events', at(100 * MINUTE));
    const extra = 7;
    for (let from = 0; from < LATE_ROWS_KEPT_MAX + extra; from += 100) {
      const size = Math.min(100, LATE_ROWS_KEPT_MAX + extra - from);
      kept.tick({ 'stream:events': Array.from({ length: size }, (_, n) => event(1, from + n)) });
    }
    expect(kept.late).toBe(LATE_ROWS_KEPT_MAX + extra);
    const rows = [...kept.store.keyed.get('lates')!.values()].map(
      (text) => JSON.parse(JSON.parse(text).row).n,
    );
    expect(rows).toHaveLength(LATE_ROWS_KEPT_MAX);
    expect(Math.min(...rows)).toBe(extra);
    expect(Math.max(...rows)).toBe(LATE_ROWS_KEPT_MAX + extra - 1);
  });

  it('of a tick that is given up are not counted', () => {
    const kept = new Timed(view('v', { from: perMinute.aggregate({ n: count() }) }).declaration);
    kept.clock('stream:events', at(100 * MINUTE));
    kept.tick({ 'stream:events': [event(1), event(2)] }, true);
    expect(kept.late).toBe(0);
    kept.tick({ 'stream:events': [event(1)] });
    expect(kept.late).toBe(1);
    expect(JSON.parse(kept.store.keyed.get('lates.seen')!.get('')!)).toBe(1);
  });

  it('count for each operator that leaves them out', () => {
    const declared = view('v', {
      from: perMinute
        .aggregate({ n: count() })
        .union(perMinute.aggregate({ n: count() }))
        .select({ key: 'key', n: 'n' }),
      key: ['key', 'n'],
    });
    const kept = new Timed(declared.declaration);
    kept.clock('stream:events', at(100 * MINUTE));
    kept.tick({ 'stream:events': [event(1)] });
    expect(kept.late).toBe(2);
    const operators = [...kept.store.keyed.get('lates')!.values()].map((text) => JSON.parse(text).operator);
    expect(new Set(operators).size).toBe(2);
  });
});

describe('rows without a time', () => {
  it('have no window, and are errors', () => {
    const loose = stream('loose', { schema: z.object({ at: instant().nullable(), n: z.int() }) });
    const declared = view('v', {
      from: loose.window(tumbling('1h'), { on: 'at' }).groupBy().aggregate({ n: count() }),
    });
    const kept = new Timed(declared.declaration);
    kept.tick({
      'stream:loose': [
        { at: null, n: 1 },
        { at: at('10:00'), n: 2 },
      ],
    });
    expect(kept.rows).toMatchObject([{ n: 1 }]);
    expect(kept.errors).toBe(1);
    const [error] = [...kept.store.keyed.get('errors')!.values()].map((text) => JSON.parse(text));
    expect(error.reason).toBe('"at" is null: the row has no window.');
  });

  it.each([
    ['tumbling by the hour', tumbling('1h')],
    ['tumbling by the day of a zone', tumbling('1d', { timeZone: 'America/New_York' })],
    ['hopping', hopping('1h', { every: '20m' })],
    ['hopping by the day of a zone', hopping('2d', { every: '1d', timeZone: 'Asia/Tokyo' })],
    ['cumulating', cumulating('1d', { every: '1h' })],
    ['sliding', sliding('1h')],
    ['session', session('30m')],
  ])('nor those whose windows reach beyond the years of instants: %s', (_, shape) => {
    const loose: any = stream('loose', { schema: z.object({ at: instant(), n: z.int() }) });
    const declared = view('v', {
      from: loose.window(shape, { on: 'at' }).groupBy('n').aggregate({ rows: count() }),
    } as never);
    const kept = new Timed((declared as any).declaration);
    const edges = ['0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'];
    kept.tick({ 'stream:loose': [...edges.map((at, n) => ({ at, n })), { at: at('10:00'), n: 2 }] });
    const shown = kept.rows as { n: number; windowStart: string; windowEnd: string }[];
    const errors = [...(kept.store.keyed.get('errors')?.values() ?? [])].map((text) => JSON.parse(text));
    // Whatever windows a row is shown in are those of its time, and whole.
    for (const { n, windowStart, windowEnd } of shown) {
      expect(windowStart <= (edges[n] ?? at('10:00'))).toBe(true);
      expect(windowEnd > (edges[n] ?? at('09:59'))).toBe(true);
    }
    expect(errors.every(({ reason }) => / reaches beyond the years 0000 to 9999\.$/.test(reason))).toBe(true);
    // At least the last instant there is has no window that ends behind it.
    expect(errors.map(({ row }) => JSON.parse(row).n)).toContain(1);
    expect(shown.map(({ n }) => n)).toContain(2);
    expect(shown.some(({ n }) => errors.some(({ row }) => JSON.parse(row).n === n))).toBe(false);
  });

  it('are never among the last, and always during', () => {
    const schema = z.object({ seen: instant(), at: instant().nullable(), n: z.int() });
    const loose = stream('loose', { schema, eventTime: 'seen' });
    const row = { seen: at('10:00'), at: null, n: 1 };
    const last = new Timed(view('v', { from: loose.last('1h', { by: 'at' }), key: 'n' }).declaration);
    last.tick({ 'stream:loose': [row] });
    expect(last.rows).toEqual([]);
    const during = new Timed(view('v', { from: loose.during({ until: 'at' }), key: 'n' }).declaration);
    during.tick({ 'stream:loose': [row] });
    expect(during.rows).toHaveLength(1);
    expect(during.kept + last.kept).toBe(0);
  });
});
