import { z } from 'zod';
import { instant } from '../../src/index.js';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import type { DecodedBatch } from '../../src/runtime/decoded-batch.js';
import { instantMs, instantText } from '../../src/zset/instant-text.js';
import { Random } from '../support/random.js';
import { streamOf, tableOf } from '../support/declared.js';

const schema = z.object({ at: instant() });
const flights = streamOf('flights', schema, { eventTime: 'at', latenessMs: 100 });
const decode = (entries: readonly (readonly number[])[]): DecodedBatch =>
  new EntryDecoder(flights, 0).decode(
    entries.map((times, index) => [
      `5000-${index + 1}`,
      ['batch', JSON.stringify(times.map((at) => ({ at })))],
    ]),
  );
const NONE = -Infinity;

describe('the clock along decoded entries', () => {
  it('is the greatest event time so far, and never goes back', () => {
    const { clocks } = decode([[500], [700, 600], [650], [900]]).times(0, NONE);
    expect([...(clocks as Float64Array)]).toEqual([NONE, 500, 700, 700, 900]);
    expect(decode([[500], [700]]).times(0, 600).clocks[1]).toBe(600);
  });

  it('judges the rows of an entry by the watermark before it', () => {
    const { lates } = decode([[500], [400, 399, 900], [799, 800], [750]]).times(0, NONE);
    expect(lates).toEqual([NONE, NONE, 400, NONE, 800, NONE, 800]);
    expect(decode([[500], [600], [500]]).times(0, NONE).lates).toBeNull();
    expect(decode([[500]]).times(0, 700).lates).toEqual([600]);
  });

  it('is moved by a heartbeat after its anchor and before the next entry', () => {
    const batch = decode([[500], [500], [500]]);
    batch.heartbeats = new Map([
      [-1, 550],
      [1, 800],
    ]);
    expect(batch.times(0, NONE)).toMatchObject({ lates: [NONE, NONE, 700] });
    expect([...(batch.times(0, NONE).clocks as Float64Array)]).toEqual([550, 550, 800, 800]);
    // A task that stands in the middle meets the one at its place.
    expect(batch.times(2, NONE).clocks[2]).toBe(800);
  });

  it('is not moved by what is left out, or is an error', () => {
    const batch = decode([[500], [900], [450]]);
    expect(batch.times(0, NONE, new Set([1]))).toMatchObject({ lates: null });
    expect(batch.times(0, NONE).lates).toEqual([NONE, NONE, 800]);
    const aheadMs = 5_000 + 24 * 3_600_000 + 1;
    expect([...(decode([[500], [aheadMs], [450]]).times(0, NONE).clocks as Float64Array)]).toEqual([
      NONE,
      500,
      500,
      500,
    ]);
  });

  it('stands still where events say no time, and where a deletion says none', () => {
    const untimed = streamOf('flights', schema);
    const batch = new EntryDecoder(untimed, 0).decode([['5000-1', ['data', '{"at":500}']]]);
    expect(batch.times(0, NONE)).toMatchObject({ lates: null, clocks: { 0: NONE, 1: NONE } });
    const prices = tableOf('prices', z.object({ id: z.string(), at: instant() }), ['id'], {
      eventTime: 'at',
      latenessMs: 100,
    });
    const deletions = new EntryDecoder(prices, 0).decode([
      ['5000-1', ['op', 'delete', 'id', 'a', 'at', '500']],
      ['5000-2', ['op', 'delete', 'id', 'a']],
      ['5000-3', ['op', 'delete', 'id', 'a', 'at', 'never']],
    ]);
    expect(deletions.rows).toEqual([
      { id: 'a', at: instantText(500) },
      { id: 'a', at: instantText(5_000) },
    ]);
    expect(deletions.errors).toHaveLength(1);
    expect([...(deletions.times(0, NONE).clocks as Float64Array)]).toEqual([NONE, 500, 500, 500]);
  });

  it('does not depend on where tasks begin, or on how entries are cut into batches', () => {
    const random = new Random(3);
    for (let round = 0; round < 50; round++) {
      const entries = Array.from({ length: 30 }, (_, index) =>
        Array.from({ length: random.below(4) }, () => 500 + index * 10 - random.below(200)),
      );
      const whole = decode(entries);
      const { clocks, lates } = whole.times(0, NONE);
      const cut = random.below(entries.length);
      expect(whole.times(cut, clocks[cut]!).clocks[30]).toBe(clocks[30]);
      const rest = decode(entries.slice(cut)).times(0, clocks[cut]!);
      const rows = entries.slice(0, cut).flat().length;
      expect([...(rest.clocks as Float64Array)]).toEqual([...(clocks as Float64Array)].slice(cut));
      const restLates = (lates ?? []).slice(rows);
      expect(rest.lates ?? restLates.map(() => NONE)).toEqual(restLates);
    }
  });
});

it('the time of an instant is read as the engine reads it', () => {
  const random = new Random(5);
  const first = Date.parse('0000-01-01T00:00:00.000Z');
  const last = Date.parse('9999-12-31T23:59:59.999Z');
  const days = [
    '0000-02-29',
    '1900-02-28',
    '1900-03-01',
    '1970-01-01',
    '2000-02-29',
    '2000-03-01',
    '9999-12-31',
  ];
  for (const day of days) expect(instantMs(`${day}T23:59:59.999Z`)).toBe(Date.parse(`${day}T23:59:59.999Z`));
  for (let round = 0; round < 2_000; round++) {
    const ms = Math.floor(first + random.next() * (last - first));
    expect(instantMs(new Date(ms).toISOString())).toBe(ms);
  }
});
