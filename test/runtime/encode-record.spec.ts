import { z } from 'zod';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import {
  encodeEvents,
  encodeTombstone,
  encodeUpsert,
  InvalidRecords,
} from '../../src/runtime/encode-record.js';
import { crc16, partitionOfText } from '../../src/zset/partition-of-text.js';
import { instant } from '../../src/view/instant.js';
import { streamOf, tableOf } from '../support/declared.js';

const flights = streamOf('flights', z.object({ at: instant(), delay: z.int(), origin: z.string() }), {
  eventTime: 'at',
  partitions: 4,
  partitionBy: ['origin'],
});
const airports = tableOf('airports', z.object({ iata: z.string(), city: z.string() }), ['iata'], {
  partitions: 4,
});
const seats = tableOf(
  'seats',
  z.object({ flight: z.int(), seat: z.string(), taken: z.boolean().optional() }),
  ['flight', 'seat'],
  { partitions: 3 },
);
const at = '2001-01-01T05:00:00.000Z';

/** What reading the entry in its partition gives. */
const readBack = (
  source: typeof flights | typeof airports,
  { partition, fields }: { partition: number; fields: readonly string[] },
) => {
  const { rows, weights, errors } = new EntryDecoder(source, partition).decode([
    [`${Date.parse(at)}-0`, fields],
  ]);
  expect(errors).toEqual([]);
  return [rows[0], weights[0]];
};
const issuesOf = (call: () => unknown) => {
  try {
    call();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(InvalidRecords);
    return (thrown as InvalidRecords).issues;
  }
  throw new Error('nothing was refused');
};

describe('encoding events', () => {
  it('puts each event where its key belongs, in the JSON it came in', () => {
    const entries = encodeEvents(flights, [
      { origin: 'ORD', delay: 5, at, extra: [1] },
      { at: '2001-01-01T00:00-05:00', delay: -0, origin: 'LAX' },
    ]);
    expect(entries).toEqual([
      {
        partition: crc16('ORD') % 4,
        fields: ['data', `{"origin":"ORD","delay":5,"at":"${at}","extra":[1]}`],
      },
      {
        partition: crc16('LAX') % 4,
        fields: ['data', '{"at":"2001-01-01T00:00-05:00","delay":0,"origin":"LAX"}'],
      },
    ]);
    expect(readBack(flights, entries[1]!)).toEqual([{ at, delay: 0, origin: 'LAX' }, 1]);
    expect(encodeEvents(flights, [])).toEqual([]);
  });

  it('names everything that is wrong with all events, and encodes none', () => {
    const good = { at, delay: 1, origin: 'ORD' };
    const issues = issuesOf(() =>
      encodeEvents(flights, [
        good,
        { at, delay: 'x', origin: 5 },
        good,
        null,
        { ...good, extra: 2 ** 60 },
        { ...good, extra: '\ud800' },
      ]),
    );
    expect(issues.map(({ index, path }) => [index, path])).toEqual([
      [1, 'delay'],
      [1, 'origin'],
      [3, ''],
      [4, ''],
      [5, ''],
    ]);
    expect(issues[3]!.message).toMatch('2^53');
  });

  it('says in its text which events are wrong, where, and that nothing was appended', () => {
    expect(() => encodeEvents(flights, [{ at, delay: 'x', origin: 'ORD' }])).toThrow(
      /1 of 1 event .*"flights"[^]*\[0\]\.delay {2}.*received string[^]*Nothing was appended/,
    );
  });

  it('refuses an event that would be ahead of its entry, when told the time', () => {
    const event = { at: '2001-01-03T00:00:00Z', delay: 1, origin: 'ORD' };
    expect(encodeEvents(flights, [event])).toHaveLength(1);
    expect(issuesOf(() => encodeEvents(flights, [event], { now: Date.parse(at) }))).toEqual([
      { index: 0, path: 'at', message: expect.stringMatching('ahead of now') },
    ]);
    expect(encodeEvents(flights, [event], { now: Date.parse('2001-01-02T00:00:00Z') })).toHaveLength(1);
  });

  it('bounds the events of a request and the bytes of an event', () => {
    const event = { at, delay: 1, origin: 'ORD', note: 'é'.repeat(40) };
    const limits = { eventsMax: 2, eventBytesMax: 120 };
    expect(() => encodeEvents(flights, [event, event, event], { limits })).toThrow(
      expect.objectContaining({ code: 'too-many-events' }),
    );
    expect(issuesOf(() => encodeEvents(flights, [event], { limits }))[0]!.message).toMatch(
      'eventBytesMax (120)',
    );
  });
});

describe('encoding rows of tables', () => {
  it('takes the key of a path and the row, and reads back as that row', () => {
    const entry = encodeUpsert(airports, ['ORD'], { iata: 'ORD', city: 'Chicago' });
    expect(entry.partition).toBe(partitionOfText('ORD', 4));
    expect(readBack(airports, entry)).toEqual([{ iata: 'ORD', city: 'Chicago' }, 1]);
    expect(readBack(airports, encodeUpsert(airports, ['O/R ☃'], { city: 'Chicago' }))).toEqual([
      { iata: 'O/R ☃', city: 'Chicago' },
      1,
    ]);
    expect(readBack(seats, encodeUpsert(seats, ['12', '7A'], { taken: true }))).toEqual([
      { flight: 12, seat: '7A', taken: true },
      1,
    ]);
  });

  it('reads a tombstone back as the deletion of its key, in the same partition as its row', () => {
    expect(readBack(seats, encodeTombstone(seats, ['12', '7A']))).toEqual([
      { flight: 12, seat: '7A', taken: null },
      -1,
    ]);
    expect(encodeTombstone(seats, ['12', '7A']).partition).toBe(
      encodeUpsert(seats, [12, '7A'], {}).partition,
    );
    expect(encodeTombstone(airports, ['ORD']).fields).toEqual(['op', 'delete', 'data', '{"iata":"ORD"}']);
  });

  it('refuses a row that says another key than the one it is put under', () => {
    expect(issuesOf(() => encodeUpsert(airports, ['ORD'], { iata: 'ATL', city: 'Atlanta' }))).toEqual([
      { index: 0, path: 'iata', message: 'is "ATL" in the row and "ORD" in the key it is put under' },
    ]);
  });

  it.each([
    [() => encodeUpsert(airports, ['ORD'], {}), 'city'],
    [() => encodeUpsert(airports, ['ORD'], []), ''],
    [() => encodeUpsert(seats, ['twelve', '7A'], {}), 'flight'],
    [() => encodeTombstone(seats, ['12']), 'flight, seat'],
    [() => encodeTombstone(airports, ['\ud800']), 'iata'],
  ])('refuses what is no row or no key: %#', (call, path) => {
    expect(issuesOf(call)[0]!.path).toBe(path);
  });
});
