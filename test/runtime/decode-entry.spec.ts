import { positionIn } from '../../src/circuit/place-in-log.js';
import { z } from 'zod';
import { entryLimits, EntryDecoder } from '../../src/runtime/decode-entry.js';
import { crc16 } from '../../src/zset/partition-of-text.js';
import type { RawEntry } from '../../src/runtime/ports/source-log.js';
import { instant } from '../../src/view/instant.js';
import { entryTime, processingTime } from '../../src/view/stamp.js';
import { streamOf, tableOf } from '../support/declared.js';

const flight = z.object({
  at: instant(),
  delay: z.int(),
  origin: z.string(),
  note: z.string().optional(),
  cancelled: z.boolean().nullable().default(false),
});
const flights = streamOf('flights', flight, { eventTime: 'at' });
const airports = tableOf('airports', z.object({ iata: z.string(), city: z.string(), runways: z.int() }), [
  'iata',
]);
const readings = tableOf(
  'readings',
  z.object({
    sensor: z.int(),
    where: z.object({ hall: z.string() }).optional(),
    tags: z.array(z.string()).optional(),
    value: z.number().nullable(),
  }),
  ['sensor'],
);

const at = '2001-01-01T05:00:00.000Z';
const ms = Date.parse(at);
const decode = (source: typeof flights | typeof airports, ...entries: (readonly string[])[]) =>
  new EntryDecoder(source, 0).decode(entries.map((fields, index): RawEntry => [`${ms}-${index}`, fields]));
const event = (delay: unknown, origin = 'ORD') => ({ at, delay, origin });
const reason = (source: typeof flights | typeof airports, ...fields: string[]) =>
  decode(source, fields).errors[0]?.reason;

describe('decoding entries', () => {
  it('takes an event as JSON in `data`, several in `batch`, and one field by field', () => {
    const batch = decode(
      flights,
      ['data', JSON.stringify(event(1))],
      ['batch', JSON.stringify([event(2), event(3)])],
      ['at', at, 'delay', '4', 'origin', 'ORD', 'cancelled', 'true'],
      ['batch', '[]'],
    );
    expect(batch.errors).toEqual([]);
    expect(batch.rows.map((row) => row.delay)).toEqual([1, 2, 3, 4]);
    expect(batch.rows[3]).toEqual({ at, delay: 4, origin: 'ORD', note: null, cancelled: true });
    expect(batch.weights).toEqual([1, 1, 1, 1]);
    expect(batch.ids).toEqual([`${ms}-0`, `${ms}-1`, `${ms}-2`, `${ms}-3`]);
    expect(batch.ends).toEqual([1, 3, 4, 4]);
  });

  it('reads texts of flat fields as their columns hold them, with null for what is missing', () => {
    const batch = decode(
      readings,
      ['sensor', '7', 'where', '{"hall":"A"}', 'tags', '["x"]', 'value', '-1.5e3'],
      ['sensor', '8'],
      ['sensor', '9', 'value', 'null'],
    );
    expect(batch.errors).toEqual([]);
    expect(batch.rows).toEqual([
      { sensor: 7, where: { hall: 'A' }, tags: ['x'], value: -1500 },
      { sensor: 8, where: null, tags: null, value: null },
      { sensor: 9, where: null, tags: null, value: null },
    ]);
    expect(reason(readings, 'sensor', '007')).toMatch(/^sensor: .*received string/);
    expect(reason(readings, 'sensor', '9007199254740993')).toMatch(/sensor/);
    expect(reason(flights, 'at', at, 'delay', '', 'origin', 'ORD')).toMatch(/^delay: /);
  });

  it('reads a flat text as text where the schema wants the text itself', () => {
    const codes = streamOf(
      'codes',
      z.object({ code: z.string().transform(Number).pipe(z.number()), any: z.union([z.string(), z.int()]) }),
    );
    expect(decode(codes, ['code', '12', 'any', '5'], ['code', '12', 'any', 'five']).rows).toEqual([
      { code: 12, any: 5 },
      { code: 12, any: 'five' },
    ]);
  });

  it('takes a tombstone of a table by its key, flat or in `data`', () => {
    const batch = decode(
      airports,
      ['op', 'delete', 'iata', 'ORD'],
      ['iata', 'ATL', 'op', 'delete'],
      ['op', 'delete', 'data', '{"iata":"LAX","city":5}'],
      ['op', 'upsert', 'data', '{"iata":"SFO","city":"S","runways":4}'],
      ['op', 'upsert', 'iata', 'JFK', 'city', 'N', 'runways', '4'],
    );
    expect(batch.errors).toEqual([]);
    expect(batch.rows.map((row) => row.iata)).toEqual(['ORD', 'ATL', 'LAX', 'SFO', 'JFK']);
    expect(batch.rows[2]).toEqual({ iata: 'LAX', city: null, runways: null });
    expect(batch.weights).toEqual([-1, -1, -1, 1, 1]);
    expect(decode(readings, ['op', 'delete', 'sensor', '7']).rows).toEqual([
      { sensor: 7, where: null, tags: null, value: null },
    ]);
  });

  it('lets a stream have a column `op`', () => {
    expect(decode(streamOf('log', z.object({ op: z.string() })), ['op', 'delete']).rows).toEqual([
      { op: 'delete' },
    ]);
  });

  it('uses a batch whole or not at all', () => {
    const batch = decode(
      flights,
      ['batch', JSON.stringify([event(1), event('2'), event(3)])],
      ['data', JSON.stringify(event(4))],
    );
    expect(batch.rows.map((row) => row.delay)).toEqual([4]);
    expect(batch.weights).toEqual([1]);
    expect(batch.ends).toEqual([0, 1]);
    expect(batch.errors).toEqual([
      {
        entry: 0,
        reason: expect.stringMatching(/^\[1\]\.delay: .*None of the entry's 3 events is used\.$/),
        raw: expect.stringMatching(/^\[\{"at"/),
      },
    ]);
  });

  it.each([
    [['data', '{'], /^`data` is not JSON/],
    [['data', 'null'], /expected object/],
    [['data', '[]'], /expected object/],
    [['batch', '{}'], /not an array/],
    [['batch', '[1'], /^`batch` is not JSON/],
    [['data', '{}', 'origin', 'ORD'], /`data` beside other fields \(data, origin\)/],
    [['data', '{}', 'batch', '[]'], /beside other fields/],
    [['data', '{}', 'data', '{}'], /`data` occurs twice/],
    [['origin', 'ORD', 'origin', 'ATL'], /`origin` occurs twice/],
    [['origin'], /not pairs/],
    [[], /not pairs/],
    [['payload', '{}'], /none of the columns `at`.*it has `payload`/],
    [['data', `{"at":"yesterday","delay":1,"origin":"O"}`], /^at: Invalid instant/],
    [['data', `{"at":"${at}","delay":9007199254740993,"origin":"O"}`], /^delay: /],
    [['data', `{"at":"${at}","delay":1,"origin":"\\ud800"}`], /^origin holds a lone surrogate\.$/],
  ])('refuses the fields %j', (fields, expected) => {
    const batch = decode(flights, fields as string[]);
    expect(batch.errors).toEqual([
      { entry: 0, reason: expect.stringMatching(expected as RegExp), raw: expect.any(String) },
    ]);
    expect(batch.rows).toEqual([]);
  });

  it.each([
    [['op', 'replace', 'iata', 'ORD'], /^`op` is "replace"/],
    [['op', 'delete'], /needs the key `iata`\. iata: /],
    [['op', 'delete', 'data', '{"iata":5}'], /iata: .*received number/],
    [['op', 'delete', 'data', '"ORD"'], /not an object/],
    [['op', 'delete', 'data', '{"iata":"ORD"}', 'iata', 'ORD'], /beside other fields/],
    [['op', 'delete', 'batch', '[]'], /beside other fields/],
    [['op', 'upsert'], /none of the columns/],
  ])('refuses the fields %j of a table', (fields, expected) => {
    expect(reason(airports, ...(fields as string[]))).toMatch(expected as RegExp);
  });

  it('keeps of an entry in error what helps to find it, and no more', () => {
    const long = `{"at":"${'😀'.repeat(5_000)}"}`;
    const [error] = decode(flights, ['data', long]).errors;
    expect(error!.raw).toHaveLength(2_000);
    expect(error!.raw.isWellFormed()).toBe(true);
    expect(decode(flights, ['payload', 'x']).errors[0]!.raw).toBe('["payload","x"]');
  });

  it('takes an event of 10 MB and refuses what is longer than its limit', () => {
    const big = JSON.stringify({ ...event(1), note: 'x'.repeat(10 * 1024 * 1024) });
    expect(decode(flights, ['data', big]).rows).toHaveLength(1);
    const small = new EntryDecoder(flights, 0, { ...entryLimits, entryLengthMax: 100, batchEventsMax: 1 });
    expect(small.decode([['1-0', ['data', big]]]).errors[0]!.reason).toMatch('entryLengthMax (100)');
    expect(small.decode([['1-0', ['batch', '[1,2]']]]).errors[0]!.reason).toMatch('batchEventsMax (1)');
  });

  it('does not fall over deep nesting', () => {
    const deep = streamOf('deep', z.object({ any: z.unknown() }));
    const batch = decode(
      deep,
      ['data', `{"any":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
      ['data', '{"any":1}'],
    );
    expect(batch.errors).toHaveLength(1);
    expect(batch.rows).toEqual([{ any: 1 }]);
  });

  it('refuses an entry in another partition than its key belongs to', () => {
    const wide = streamOf('flights', flight, { partitions: 4, partitionBy: ['origin'] });
    const belongs = crc16('ORD') % 4;
    const fields = ['data', JSON.stringify(event(1))];
    expect(new EntryDecoder(wide, belongs).decode([['1-0', fields]]).errors).toEqual([]);
    const elsewhere = new EntryDecoder(wide, (belongs + 1) % 4).decode([
      ['1-0', fields],
      ['1-1', ['batch', `[${fields[1]}]`]],
    ]);
    expect(elsewhere.rows).toEqual([]);
    expect(elsewhere.errors.map((error) => error.reason)).toEqual(
      Array(2).fill(
        `misplaced: by its origin it belongs in "flights:${belongs}", and lies in "flights:${(belongs + 1) % 4}".`,
      ),
    );
    const table = tableOf('airports', airports.schema as z.ZodObject, ['iata'], { partitions: 4 });
    expect(
      new EntryDecoder(table, (belongs + 1) % 4).decode([['1-0', ['op', 'delete', 'iata', 'ORD']]]).errors[0]!
        .reason,
    ).toMatch(/^misplaced/);
  });

  it('refuses an event dated more than a day ahead of its entry', () => {
    const dated = (time: string) => ['data', JSON.stringify({ ...event(1), at: time })];
    const batch = decode(
      flights,
      dated('2001-01-02T05:00:00.000Z'),
      dated('2001-01-02T05:00:00.001Z'),
      dated('1970-01-01T00:00:00.000Z'),
    );
    expect(batch.rows).toHaveLength(2);
    expect(batch.errors).toEqual([
      {
        entry: 1,
        reason: expect.stringMatching(
          /^ahead of its entry: `at` is 2001-01-02T05:00:00\.001Z, the entry was appended at 2001-01-01T05:00:00\.000Z/,
        ),
        raw: expect.any(String),
      },
    ]);
    const later = new EntryDecoder(flights, 0).decode([
      [`${ms}-0`, dated(at)],
      [`${ms + 1}-0`, dated('2001-01-02T05:00:00.001Z')],
    ]);
    expect(later.errors).toEqual([]);
  });

  it('gives events the time of their entries, whatever they say', () => {
    const stamped = streamOf('stamped', z.object({ at: entryTime(), n: z.int() }), { eventTime: 'at' });
    const { rows, errors } = decode(
      stamped,
      ['data', '{"n":1}'],
      ['batch', '[{"n":2},{"n":3,"at":"2030-01-01T00:00:00Z"}]'],
      ['n', '4'],
    );
    expect([rows, errors]).toEqual([[1, 2, 3, 4].map((n) => ({ at, n })), []]);
  });

  it('gives events the time when they are processed, which is never ahead and goes nowhere back', () => {
    const stamped = streamOf('stamped', z.object({ at: processingTime(), n: z.int() }), { eventTime: 'at' });
    let now = Date.parse('2026-06-01T00:00:00.000Z');
    const decoder = new EntryDecoder(stamped, 0, entryLimits, () => now);
    const timesOf = (...ns: number[]) => {
      const batch = decoder.decode(ns.map((n) => [`${ms}-${n}`, ['data', JSON.stringify({ n })]]));
      expect(batch.errors).toEqual([]);
      return batch.rows.map((row) => row.at);
    };
    expect(timesOf(1, 2)).toEqual(['2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z']);
    now += 1_500;
    expect(timesOf(3)).toEqual(['2026-06-01T00:00:01.500Z']);
    // The clock of the machine is put back.
    now -= 60_000;
    expect(timesOf(4)).toEqual(['2026-06-01T00:00:01.500Z']);
    expect(decode(stamped, ['data', '{"n":1}']).rows).toEqual([{ at, n: 1 }]);
  });

  it('orders rows by event time, then entry, then index in the entry', () => {
    const batch = decode(
      flights,
      ['batch', JSON.stringify([{ ...event(1), at: '2001-01-01T04:00:00.000Z' }, event(2), event(3)])],
      ['data', JSON.stringify(event(4))],
      ['data', '{}'],
    );
    const orders = batch.orders();
    expect([...orders].sort()).toEqual(orders);
    expect(orders[0]).toBe('2001-01-01T04:00:00.000Z00978325200000-000000000000.000000');
    expect(new Set(orders).size).toBe(4);
    expect(new Set(orders.map((order) => order.length)).size).toBe(1);
    const untimed = decode(airports, ['iata', 'ORD', 'city', 'C', 'runways', '8']);
    expect(untimed.orders()[0]!.slice(0, 24)).toBe(at);
  });

  it('gives the same rows however the entries are cut', () => {
    const entries: RawEntry[] = Array.from({ length: 30 }, (_, index) => [
      `${ms + index}-0`,
      index % 7 === 3
        ? ['data', '{']
        : index % 5 === 0
          ? ['batch', JSON.stringify([event(index), event(-index)])]
          : ['data', JSON.stringify(event(index))],
    ]);
    const decoder = new EntryDecoder(flights, 0);
    const whole = decoder.decode(entries);
    for (const cut of [1, 2, 7]) {
      const pieces = Array.from({ length: Math.ceil(30 / cut) }, (_, piece) =>
        decoder.decode(entries.slice(piece * cut, (piece + 1) * cut)),
      );
      expect(pieces.flatMap((piece) => piece.rows)).toEqual(whole.rows);
      expect(pieces.flatMap((piece) => piece.orders())).toEqual(whole.orders());
      const deltas = Array.from({ length: Math.ceil(30 / cut) }, (_, piece) =>
        whole.delta(piece * cut, Math.min(30, (piece + 1) * cut), 'time'),
      );
      expect(deltas.flatMap((delta) => delta.rows)).toEqual(whole.rows);
      expect(deltas.flatMap((delta) => delta.orders!)).toEqual(whole.orders());
    }
    expect(whole.delta(0, 30, null).orders).toBeUndefined();
    expect(whole.delta(0, 30, 'position').orders).toEqual(whole.orders().map((order) => order.slice(24)));
    expect(whole.orders().map(positionIn)).toEqual(whole.positions());
    expect(whole.positions().map(positionIn)).toEqual(whole.positions());
    expect(whole.delta(3, 3, 'time').size).toBe(0);
  });
});

test('how deep a value may be is a number, the same in every process', () => {
  const decoder = new EntryDecoder(streamOf('anything', z.object({ value: z.any() })), 0);
  const nested = (depth: number): string => `{"value":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const { rows, errors } = decoder.decode([
    ['1-0', ['data', nested(200)]],
    ['2-0', ['data', nested(201)]],
    ['3-0', ['data', nested(100_000)]],
  ]);
  expect(rows).toHaveLength(1);
  expect(errors.map(({ entry, reason }) => [entry, reason])).toEqual([
    [1, expect.stringContaining('deeper than 200')],
    [2, expect.stringContaining('deeper than 200')],
  ]);
});
