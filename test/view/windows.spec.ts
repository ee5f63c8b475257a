import {
  approxContains,
  approxCountDistinct,
  collect,
  computed,
  count,
  countDistinct,
  cumulating,
  hopping,
  instant,
  max,
  mayContain,
  session,
  sliding,
  stream,
  sum,
  tumbling,
  view,
} from 'stillwater';
import { z } from 'zod';
import { Random } from '../support/random.js';
import { at, Timed } from '../support/timed.js';

const flights = stream('flights', {
  schema: z.object({ at: instant(), origin: z.string(), delay: z.int() }),
  eventTime: 'at',
  lateness: '30m',
});
const flight = (time: string | number, origin = 'ORD', delay = 0) => ({ at: at(time), origin, delay });
const hourly = flights
  .window(tumbling('1h'))
  .groupBy('origin')
  .aggregate({ n: count(), worst: max('delay') });
const row = (start: string, end: string, n: number, worst = 0, origin = 'ORD') => ({
  origin,
  windowStart: at(start),
  windowEnd: at(end),
  n,
  worst,
});

describe('a tumbling window', () => {
  it('has a row for each group and window, its columns between the group’s and the results', () => {
    const kept = new Timed(view('hourly', { from: hourly }).declaration);
    kept.tick({
      'stream:flights': [flight('10:00', 'ORD', 3), flight('10:59:59.999', 'ORD', 9), flight('11:00')],
    });
    expect(kept.rows).toEqual([row('10:00', '11:00', 2, 9), row('11:00', '12:00', 1)]);
    expect(Object.keys(kept.rows[0]!)).toEqual(['origin', 'windowStart', 'windowEnd', 'n', 'worst']);
    expect(kept.view.key).toEqual(['origin', 'windowStart']);
  });

  it('counts a late row while its window is open, and leaves it out when the window is over', () => {
    const kept = new Timed(view('hourly', { from: hourly }).declaration);
    kept.tick({ 'stream:flights': [flight('10:10'), flight('11:20'), flight('10:40'), flight('10:50')] });
    expect(kept.rows).toEqual([row('10:00', '11:00', 3), row('11:00', '12:00', 1)]);
    kept.tick({ 'stream:flights': [flight('11:30'), flight('10:59'), flight('11:05')] });
    expect(kept.rows).toEqual([row('10:00', '11:00', 3), row('11:00', '12:00', 3)]);
    expect(kept.late).toBe(1);
    const [late] = [...kept.store.keyed.get('lates')!.values()].map((text) => JSON.parse(text));
    expect(late).toMatchObject({ weight: 1, seen: 1, watermark: at('11:00') });
    expect(JSON.parse(late.row)).toMatchObject(flight('10:59'));
  });

  it('keeps nothing of a window that is over but its row', () => {
    const kept = new Timed(view('hourly', { from: hourly }).declaration);
    kept.tick({ 'stream:flights': [flight('10:10'), flight('11:20')] });
    expect(kept.kept).toBe(4);
    kept.clock('stream:flights', at('11:29'));
    expect(kept.kept).toBe(4);
    kept.clock('stream:flights', at('11:30'));
    expect(kept.kept).toBe(2);
    kept.clock('stream:flights', at('23:00'));
    expect(kept.kept).toBe(0);
    expect(kept.rows).toHaveLength(2);
  });

  it('gives final results once, when no row can come any more', () => {
    const kept = new Timed(view('hourly', { from: hourly.final() }).declaration);
    kept.tick({ 'stream:flights': [flight('10:10'), flight('11:20')] });
    expect(kept.rows).toEqual([]);
    kept.tick({ 'stream:flights': [flight('10:45'), flight('11:30'), flight('10:45')] });
    expect(kept.rows).toEqual([row('10:00', '11:00', 2)]);
    expect(kept.late).toBe(1);
    kept.clock('stream:flights', at('23:00'));
    expect(kept.rows).toEqual([row('10:00', '11:00', 2), row('11:00', '12:00', 2)]);
    expect(kept.kept).toBe(0);
  });
});

describe('a hopping window', () => {
  it('has each row in all windows that overlap at its time', () => {
    const from = flights
      .window(hopping('10m', { every: '5m' }))
      .groupBy('origin')
      .aggregate({ n: count() });
    const kept = new Timed(view('v', { from }).declaration);
    kept.tick({ 'stream:flights': [flight('10:02'), flight('10:07')] });
    expect(kept.rows.map(({ windowStart, n }) => [windowStart, n])).toEqual([
      [at('9:55'), 1],
      [at('10:00'), 2],
      [at('10:05'), 1],
    ]);
  });
});

describe('a cumulating window', () => {
  it('has the day so far, hour by hour, and both ends in its key', () => {
    const from = flights
      .window(cumulating('3h', { every: '1h' }))
      .groupBy()
      .aggregate({ n: count() });
    const declared = view('v', { from });
    const kept = new Timed(declared.declaration);
    kept.tick({ 'stream:flights': [flight('0:30'), flight('1:30'), flight('2:30'), flight('3:30')] });
    expect(kept.view.key).toEqual(['windowStart', 'windowEnd']);
    expect(kept.rows.map(({ windowStart, windowEnd, n }) => [windowStart, windowEnd, n])).toEqual([
      [at('0:00'), at('1:00'), 1],
      [at('0:00'), at('2:00'), 2],
      [at('0:00'), at('3:00'), 3],
      [at('3:00'), at('4:00'), 1],
      [at('3:00'), at('5:00'), 1],
      [at('3:00'), at('6:00'), 1],
    ]);
  });
});

describe('a session', () => {
  const visits = flights
    .window(session('10m'))
    .groupBy('origin')
    .aggregate({ n: count(), worst: max('delay') });
  const visitsOf = (from: any = visits) => new Timed((view as any)('visits', { from }).declaration);

  it('lasts from its first row until so long after its last, exactly so long after it included', () => {
    const kept = visitsOf();
    kept.tick({
      'stream:flights': [
        flight('10:00', 'ORD', 3),
        flight('10:10'),
        flight('10:20:00.001'),
        flight('10:05', 'ATL'),
      ],
    });
    expect(kept.rows).toEqual([
      row('10:05', '10:15', 1, 0, 'ATL'),
      row('10:00', '10:20', 2, 3),
      row('10:20:00.001', '10:30:00.001', 1),
    ]);
    expect(Object.keys(kept.rows[0]!)).toEqual(['origin', 'windowStart', 'windowEnd', 'n', 'worst']);
    expect(kept.view.key).toEqual(['origin', 'windowStart']);
  });

  it('is joined with another by a row between them, also by a late one', () => {
    const kept = visitsOf();
    kept.tick({ 'stream:flights': [flight('10:00', 'ORD', 3), flight('10:16', 'ORD', 7)] });
    expect(kept.rows).toHaveLength(2);
    kept.tick({ 'stream:flights': [flight('10:39', 'ATL'), flight('10:08')] });
    expect(kept.rows[1]).toEqual(row('10:00', '10:26', 3, 7));
    expect(kept.rows).toHaveLength(2);
    expect(kept.late).toBe(0);
  });

  it('has sketches of its rows, which go with it when it becomes part of an earlier one', () => {
    const sketched = view('sketched', {
      from: flights
        .window(session('10m'))
        .groupBy('origin')
        .aggregate({
          n: count(),
          exactly: countDistinct('delay'),
          about: approxCountDistinct('delay'),
          seen: approxContains('delay', { expected: 100 }),
        }),
    }).declaration;
    const random = new Random(3);
    for (let round = 0; round < 20; round++) {
      const rows = Array.from({ length: 30 }, () =>
        flight((10 * 60 + random.below(25)) * 60_000 + random.below(60_000), 'ORD', random.below(12)),
      );
      const [one, all] = [new Timed(sketched), new Timed(sketched)];
      for (const each of rows) one.tick({ 'stream:flights': [each] });
      all.tick({ 'stream:flights': rows });
      expect(one.rows).toEqual(all.rows);
      expect(one.store.toString()).toBe(all.store.toString());
      for (const { exactly, about, seen } of one.rows as any[]) {
        expect(about).toBe(exactly);
        expect(rows.filter(({ delay }) => mayContain(seen, delay)).length).toBeGreaterThanOrEqual(exactly);
      }
      one.clock('stream:flights', at('20:00'));
      expect(one.kept).toBe(0);
    }
  });

  it('is over when its end is below the watermark: a row that comes at its end still joins it', () => {
    const kept = visitsOf(visits.final());
    kept.tick({ 'stream:flights': [flight('10:00'), flight('10:40', 'ATL')] });
    expect(kept.rows).toEqual([]);
    kept.tick({ 'stream:flights': [flight('10:10')] });
    kept.clock('stream:flights', at('10:50'));
    expect(kept.rows).toEqual([]);
    kept.clock('stream:flights', at('10:50:00.001'));
    expect(kept.rows).toEqual([row('10:00', '10:20', 2)]);
  });

  it('takes a late row that alone would be in a session that is not over, and joins none to one that is', () => {
    const kept = visitsOf();
    kept.tick({
      'stream:flights': [flight('10:00'), flight('10:42', 'ATL'), flight('10:01:59.999'), flight('10:03')],
    });
    expect(kept.late).toBe(1);
    expect(kept.rows.slice(1)).toEqual([row('10:00', '10:10', 1), row('10:03', '10:13', 1)]);
    const [late] = [...kept.store.keyed.get('lates')!.values()].map((text) => JSON.parse(text));
    expect(late).toMatchObject({ weight: 1, watermark: at('10:12') });
  });

  it('keeps nothing of what is over but its row, however many rows it had', () => {
    for (const from of [visits, visits.final(), visits.where(({ n }) => n > 0)]) {
      const kept = visitsOf(from);
      const many = Array.from({ length: 3_000 }, (_, second) => flight(at(second * 1_000).slice(11, 19)));
      kept.tick({ 'stream:flights': many });
      kept.clock('stream:flights', at('23:00'));
      expect(kept.kept).toBe(0);
      expect(kept.steps).toBeGreaterThan(1);
      expect(kept.rows).toEqual([row('00:00', '00:59:59', 3_000)]);
    }
  });

  it('is of rows that are equal in paths and computed columns', () => {
    const from = flights
      .window(session('10m'))
      .groupBy({ east: computed(z.boolean(), ({ origin }) => origin > 'P') })
      .aggregate({ n: count(), each: collect('origin') });
    const kept = visitsOf(from);
    kept.tick({ 'stream:flights': [flight('10:00'), flight('10:09', 'ATL'), flight('10:10', 'PDX')] });
    expect(kept.rows).toEqual([
      { east: false, windowStart: at('10:00'), windowEnd: at('10:19'), n: 2, each: ['ATL', 'ORD'] },
      { east: true, windowStart: at('10:10'), windowEnd: at('10:20'), n: 1, each: ['PDX'] },
    ]);
  });

  it('of all rows is one without groups', () => {
    const kept = visitsOf(flights.window(session('10m')).groupBy().aggregate({ n: count() }));
    kept.tick({ 'stream:flights': [flight('10:00'), flight('10:09', 'ATL')] });
    expect(kept.rows).toEqual([{ windowStart: at('10:00'), windowEnd: at('10:19'), n: 2 }]);
    expect(kept.view.key).toEqual(['windowStart']);
  });
});

describe('a sliding window', () => {
  const near = flights
    .window(sliding('10m'))
    .groupBy('origin')
    .aggregate({ n: count(), worst: max('delay') });
  const nearOf = (from: any = near) => new Timed((view as any)('near', { from }).declaration);
  const behind = (time: string) => `${time}:00.001`;

  it('ends with each row, or begins just behind one, both ends included', () => {
    const kept = nearOf();
    kept.tick({
      'stream:flights': [flight('10:00', 'ORD', 3), flight('10:10', 'ORD', 1), flight('10:05', 'ATL')],
    });
    expect(kept.rows).toEqual([
      row('9:55', '10:05', 1, 0, 'ATL'),
      row('9:50', '10:00', 1, 3),
      row('10:00', '10:10', 2, 3),
      row(behind('10:00'), behind('10:10'), 1, 1),
    ]);
    expect(Object.keys(kept.rows[0]!)).toEqual(['origin', 'windowStart', 'windowEnd', 'n', 'worst']);
    expect(kept.view.key).toEqual(['origin', 'windowStart']);
  });

  it('is over when its end is below the watermark', () => {
    const kept = nearOf(near.final());
    kept.tick({ 'stream:flights': [flight('10:00'), flight('10:30', 'ATL')] });
    expect(kept.rows).toEqual([]);
    kept.clock('stream:flights', at('10:30:00.001'));
    expect(kept.rows).toEqual([row('9:50', '10:00', 1)]);
  });

  it('has a late row if it was not over when that came, and a row that is late for all of them is left out', () => {
    const kept = nearOf();
    kept.tick({
      'stream:flights': [
        flight('10:00'),
        flight('10:42', 'ATL'),
        flight('10:01:59.999'),
        flight('10:08'),
        flight('10:14'),
      ],
    });
    expect(kept.late).toBe(1);
    expect(kept.rows.slice(1)).toEqual([
      row('9:50', '10:00', 1),
      row('10:04', '10:14', 2),
      row(behind('10:08'), behind('10:18'), 1),
    ]);
  });

  it('is there for the records for which Kafka Streams has one, with the same of them', () => {
    const records = stream('records', {
      schema: z.object({ at: instant(), value: z.int() }),
      eventTime: 'at',
      lateness: '0ms',
    });
    const from = records
      .window(sliding('10ms'))
      .groupBy()
      .aggregate({ values: collect('value') })
      .final();
    const kept = new Timed(view('closed', { from }).declaration);
    // SlidingWindows.ofTimeDifferenceWithNoGrace(10 ms), results on close.
    const told = [100, 105, 106, 103, 113, 110, 104, 102, 115];
    const values = [1, 3, 4, 2, 6, 5, 7, 8, 9];
    kept.tick({ 'stream:records': told.map((ms, index) => ({ at: at(ms), value: values[index]! })) });
    expect(
      kept.rows.map(({ windowStart, windowEnd, values: held }) => [windowStart, windowEnd, held]),
    ).toEqual(
      [
        [90, 100, [1]],
        [95, 105, [1, 3]],
        [96, 106, [1, 2, 3, 4]],
        [101, 111, [2, 3, 4]],
        [103, 113, [2, 3, 4, 5, 6, 7]],
        [104, 114, [3, 4, 5, 6, 7]],
      ].map(([start, end, held]) => [at(start as number), at(end as number), held]),
    );
  });

  it('keeps nothing of what is over but its row', () => {
    for (const from of [near, near.final(), near.where(({ n }) => n > 0)]) {
      const kept = nearOf(from);
      const many = Array.from({ length: 300 }, (_, minute) => flight(at(minute * 60_000).slice(11, 19)));
      kept.tick({ 'stream:flights': many });
      kept.clock('stream:flights', at('23:00'));
      expect(kept.kept).toBe(0);
      expect(kept.rows).toHaveLength(600 - 1);
    }
  });

  it('is of rows that are equal in paths and computed columns', () => {
    const from = flights
      .window(sliding('10m'))
      .groupBy({ east: computed(z.boolean(), ({ origin }) => origin > 'P') })
      .aggregate({ n: count(), each: collect('origin') });
    const kept = nearOf(from);
    kept.tick({ 'stream:flights': [flight('10:00'), flight('10:09', 'ATL'), flight('10:10', 'PDX')] });
    expect(kept.rows.map(({ east, windowEnd, each }) => [east, windowEnd, each])).toEqual([
      [false, at('10:00'), ['ORD']],
      [false, at('10:09'), ['ATL', 'ORD']],
      [false, at(behind('10:10')), ['ATL']],
      [true, at('10:10'), ['PDX']],
    ]);
  });
});

describe('what follows a window', () => {
  it('groups windows by their end again, and is freed as they are', () => {
    const from = hourly.groupBy('windowEnd').aggregate({ most: max('n'), all: sum('n'), each: collect('n') });
    const kept = new Timed(view('v', { from }).declaration);
    kept.tick({
      'stream:flights': [flight('10:10'), flight('10:20', 'ATL'), flight('10:30', 'ATL'), flight('11:10')],
    });
    expect(kept.rows).toEqual([
      { windowEnd: at('11:00'), most: 2, all: 3, each: [1, 2] },
      { windowEnd: at('12:00'), most: 1, all: 1, each: [1] },
    ]);
    kept.clock('stream:flights', at('23:00'));
    expect(kept.kept).toBe(0);
    expect(kept.rows).toHaveLength(2);
  });

  it('holds rows of any kind back until they are final', () => {
    const from = flights.where(({ delay }) => delay > 0).final();
    const kept = new Timed(view('v', { from, key: ['at', 'origin'] }).declaration);
    kept.tick({
      'stream:flights': [flight('10:10', 'ORD', 1), flight('10:20', 'ATL', 0), flight('10:40', 'ATL', 5)],
    });
    expect(kept.rows).toEqual([]);
    kept.tick({
      'stream:flights': [flight('10:09', 'ORD', 5), flight('11:00', 'ORD', 5), flight('10:10', 'ORD', 7)],
    });
    expect(kept.rows).toEqual([flight('10:10', 'ORD', 1)]);
    expect(kept.late).toBe(2);
  });
});
