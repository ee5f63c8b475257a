import {
  count,
  entryTime,
  type EventOf,
  cumulating,
  hopping,
  instant,
  max,
  processingTime,
  session,
  sliding,
  stream,
  tumbling,
  view,
  type KeyOf,
  type RowOf,
} from 'stillwater';
import { z } from 'zod';
import type { Equal, Expect } from './expect.js';

export const appended = stream('appended', {
  schema: z.object({ at: entryTime(), taken: processingTime(), n: z.int() }),
  eventTime: 'at',
});
export type GivenTimes = Expect<Equal<RowOf<typeof appended>, { at: string; taken: string; n: number }>>;
/** Events leave out what is given to them. */
export const told: EventOf<typeof appended> = { n: 1 };

const flights = stream('flights', {
  schema: z.object({ at: instant(), until: instant().nullable(), delay: z.int(), origin: z.string() }),
  eventTime: 'at',
  lateness: '1h',
});
const hourly = flights
  .window(tumbling('1h'))
  .groupBy('origin')
  .aggregate({ n: count(), worst: max('delay') });
const all = flights
  .window(hopping('1d', { every: '1h', timeZone: 'Europe/Berlin' }))
  .groupBy()
  .aggregate({ n: count() });
const soFar = flights
  .window(cumulating('1d', { every: '1h', offset: '6h' }), { on: 'until' })
  .groupBy({ from: 'origin' })
  .aggregate({ latest: max('windowEnd') });

export const perHour = view('per-hour', {
  from: hourly.final(),
  retain: '30d',
  indexes: ['windowStart.desc'],
});
export const perDay = view('per-day', { from: all, retain: { age: '30d', by: 'windowStart' } });
export const dayByHour = view('day-by-hour', { from: soFar.where((row) => row.windowEnd > row.windowStart) });
export const lately = view('lately', {
  from: flights.last('24h').during({ from: 'at', until: 'until' }),
  key: 'at',
});
export const again = hourly
  .groupBy('windowEnd')
  .aggregate({ most: max('n') })
  .last('1h', { by: 'windowEnd' });
export const visits = view('visits', {
  from: flights
    .window(session('30m'), { on: 'at' })
    .groupBy({ from: 'origin' })
    .aggregate({ n: count(), worst: max('delay') })
    .final(),
});
export const near = view('near', {
  from: flights
    .window(sliding('30m'))
    .groupBy({ from: 'origin' })
    .aggregate({ n: count(), worst: max('delay') })
    .final(),
});
export const assigned = flights.window(tumbling('1h')).rows();

export type Checks = [
  Expect<
    Equal<
      RowOf<typeof perHour>,
      { origin: string; windowStart: string; windowEnd: string; n: number; worst: number }
    >
  >,
  Expect<Equal<KeyOf<typeof perHour>, { origin: string; windowStart: string }>>,
  Expect<Equal<RowOf<typeof perDay>, { windowStart: string; windowEnd: string; n: number }>>,
  Expect<Equal<KeyOf<typeof perDay>, { windowStart: string }>>,
  Expect<Equal<KeyOf<typeof dayByHour>, { from: string; windowStart: string; windowEnd: string }>>,
  Expect<Equal<RowOf<typeof lately>, RowOf<typeof flights>>>,
  Expect<Equal<RowOf<typeof again>, { windowEnd: string; most: number }>>,
  Expect<
    Equal<
      RowOf<typeof visits>,
      { from: string; windowStart: string; windowEnd: string; n: number; worst: number }
    >
  >,
  Expect<Equal<KeyOf<typeof visits>, { from: string; windowStart: string }>>,
  Expect<Equal<RowOf<typeof near>, RowOf<typeof visits>>>,
  Expect<Equal<KeyOf<typeof near>, { from: string; windowStart: string }>>,
  Expect<
    Equal<
      RowOf<typeof assigned>,
      {
        at: string;
        until: string | null;
        delay: number;
        origin: string;
        windowStart: string;
        windowEnd: string;
      }
    >
  >,
];

// @ts-expect-error not a duration
tumbling('soon');
// @ts-expect-error no hop
hopping('1h');
// @ts-expect-error not a window
flights.window('1h');
// @ts-expect-error no such column
flights.window(tumbling('1h'), { on: 'when' });
// @ts-expect-error not a column of instants
flights.window(tumbling('1h'), { on: 'delay' });
// @ts-expect-error no such column
flights.window(tumbling('1h')).groupBy('orign');
// @ts-expect-error a name that is taken
flights.window(tumbling('1h')).groupBy('origin').aggregate({ windowStart: count() });
// @ts-expect-error what is in windows is grouped first
flights.window(tumbling('1h')).where(() => true);
// @ts-expect-error not a duration
session('soon');
// @ts-expect-error no row has a session before it is grouped
flights.window(session('1h')).rows();
// @ts-expect-error no such column
flights.window(session('1h')).groupBy('orign');
// @ts-expect-error a name that is taken
flights.window(session('1h')).groupBy('origin').aggregate({ windowEnd: count() });
// @ts-expect-error not a column of instants
flights.window(session('1h'), { on: 'delay' });
// @ts-expect-error sessions are grouped first
view('v', { from: flights.window(session('1h')) });
// @ts-expect-error not a duration
sliding('soon');
// @ts-expect-error no row has a window before it is grouped
flights.window(sliding('1h')).rows();
// @ts-expect-error a name that is taken
flights.window(sliding('1h')).groupBy('origin').aggregate({ windowEnd: count() });
// @ts-expect-error not a duration
flights.last('soon');
// @ts-expect-error no such column
flights.last('1h', { by: 'when' });
// @ts-expect-error not a column of instants
flights.during({ from: 'delay' });
// @ts-expect-error not a duration
view('v', { from: hourly, retain: 'long' });
// @ts-expect-error not a column of instants
view('v', { from: hourly, retain: { age: '1d', by: 'n' } });
