import {
  approxContains,
  approxCountDistinct,
  approxPercentile,
  approxTopK,
  avg,
  collect,
  collectDistinct,
  computed,
  count,
  countDistinct,
  countIf,
  every,
  first,
  histogram,
  instant,
  joinText,
  last,
  max,
  maxBy,
  median,
  min,
  minBy,
  percentile,
  some,
  stddev,
  stream,
  sum,
  sumIf,
  table,
  topK,
  variance,
  view,
  type Bucket,
  type EventOf,
  type KeyOf,
  type RowOf,
} from 'stillwater';
import { z } from 'zod';
import type { Equal, Expect } from './expect.js';

const flights = stream('flights', {
  schema: z.object({
    at: instant(),
    delay: z.int().optional(),
    distance: z.number(),
    origin: z.string(),
    destination: z.string(),
    tags: z.array(z.string()).default([]),
    crew: z.object({ name: z.string(), age: z.int().nullish() }).nullable(),
  }),
  eventTime: 'at',
  lateness: '6h',
});
const airports = table('airports', {
  schema: z.object({ iata: z.string(), name: z.string(), city: z.string() }),
  key: 'iata',
});
/** A table may say since when its records hold. */
export const prices = table('prices', {
  schema: z.object({ sku: z.string(), price: z.int(), since: instant() }),
  key: 'sku',
  eventTime: 'since',
  lateness: '1h',
});
const seats = table('seats', {
  schema: z.object({ flight: z.int(), seat: z.string(), taken: z.boolean() }),
  key: ['flight', 'seat'],
});

interface Flight {
  at: string;
  delay: number | null;
  distance: number;
  origin: string;
  destination: string;
  tags: string[];
  crew: { name: string; age: number | null } | null;
}

export const byOrigin = view('by-origin', {
  from: flights.groupBy('origin').aggregate({
    flights: count(),
    delays: count('delay'),
    worst: max('delay'),
    farthest: max('distance'),
    earliest: min('at'),
    mean: avg('delay'),
    meanDistance: avg('distance'),
    total: sum('distance'),
    totalDelay: sum('delay'),
    late: countIf((flight) => (flight.delay ?? 0) > 15),
    lateDistance: sumIf('distance', (flight) => flight.delay !== null),
    destinations: countDistinct('destination'),
    all: collect('delay', { order: 'desc' }),
    firstTo: first('destination'),
    lastCrew: last('crew.name', { by: 'at' }),
    slowest: maxBy('delay'),
    nearest: minBy('distance', { value: 'destination' }),
  }),
  indexes: ['flights.desc', 'worst,flights.desc', 'origin', ['origin.asc', 'flights.desc']],
});

export const spreads = flights.groupBy('origin').aggregate({
  sample: variance('distance'),
  all: variance('distance', { population: true }),
  maybe: stddev('delay', { population: true }),
  far: every((flight) => flight.distance > 100),
  anyTaken: some((flight) => flight.crew === null),
  buckets: histogram('delay', { bounds: [0, 15] }),
  widths: histogram('distance', { width: 100, from: 0 }),
  middle: median('distance'),
  middleDelay: median('delay'),
  upper: percentile('distance', 0.9),
  upperDelay: percentile('delay', 0.9),
  upperCrew: percentile('crew.name', 0.9, { discrete: true }),
  upperTo: percentile('destination', 0.9, { discrete: true }),
  top: topK('delay', 3),
  crews: collect('crew.name', { by: 'at', order: 'desc' }),
  places: collectDistinct('destination'),
  text: joinText('destination', { separator: '; ', by: 'at' }),
  crewText: joinText('crew.name'),
  users: approxCountDistinct('crew.name'),
  nearly: approxPercentile('delay', 0.9, { error: 0.02 }),
  nearlyFar: approxPercentile('distance', 0.9),
  frequent: approxTopK('crew.name', 5),
  delays: approxTopK('delay', 5),
  filter: approxContains('destination', { expected: 1_000 }),
});
export const taken = seats.groupBy('flight').aggregate({ all: every('taken'), any: some('taken') });

export const withAirport = flights
  .where((flight) => flight.distance > 0)
  .groupBy('origin', 'crew.name', {
    day: computed(z.string(), (flight) => flight.at.slice(0, 10)),
    to: 'destination',
  })
  .aggregate({ flights: count() })
  .join({ airport: airports }, { on: { origin: 'iata' } });

export const selected = withAirport.select({
  from: 'origin',
  name: 'name',
  day: 'day',
  to: 'to',
  city: 'airport.city',
  busy: computed(z.boolean(), (row) => row.flights > 100 && row.airport.city !== ''),
});

export const keyed = view('keyed', { from: selected });
export const maybe = flights
  .leftJoin({ airport: airports }, { on: { origin: 'iata' } })
  .select({ id: '$position', city: 'airport.city' });
export const maybeView = view('maybe', { from: maybe, key: 'id' });
export const overView = byOrigin.join({ airport: airports }, { on: { origin: 'iata' } });
export const tags = flights.unnest('tags', { as: 'tag' });
export const exploded = flights.flatMap(z.object({ word: z.string(), n: z.int().optional() }), (flight) =>
  flight.tags.map((word) => ({ word })),
);
export const both = flights.select({ place: 'origin' }).union(flights.select({ place: 'destination' }));
export const places = both.distinct();
export const total = view('total', { from: flights.groupBy().aggregate({ flights: count() }) });
export const seatsView = view('seats-view', { from: seats.where((seat) => seat.taken) });

export type Checks = [
  Expect<Equal<RowOf<typeof flights>, Flight>>,
  Expect<Equal<EventOf<typeof airports>, { iata: string; name: string; city: string }>>,
  Expect<Equal<EventOf<typeof flights>['at'], string | number | Date>>,
  Expect<
    Equal<
      RowOf<typeof byOrigin>,
      {
        origin: string;
        flights: number;
        delays: number;
        worst: number | null;
        farthest: number;
        earliest: string;
        mean: number | null;
        meanDistance: number;
        total: number;
        totalDelay: number | null;
        late: number;
        lateDistance: number | null;
        destinations: number;
        all: number[];
        firstTo: string;
        lastCrew: string | null;
        slowest: Flight | null;
        nearest: string;
      }
    >
  >,
  Expect<Equal<KeyOf<typeof byOrigin>, { origin: string }>>,
  Expect<
    Equal<
      RowOf<typeof spreads>,
      {
        origin: string;
        sample: number | null;
        all: number;
        maybe: number | null;
        far: boolean;
        anyTaken: boolean;
        buckets: Bucket[];
        widths: Bucket[];
        middle: number;
        middleDelay: number | null;
        upper: number;
        upperDelay: number | null;
        upperCrew: string | null;
        upperTo: string;
        top: number[];
        crews: string[];
        places: string[];
        text: string;
        crewText: string | null;
        users: number;
        nearly: number | null;
        nearlyFar: number;
        frequent: { value: string; count: number }[];
        delays: { value: number; count: number }[];
        filter: string;
      }
    >
  >,
  Expect<Equal<RowOf<typeof taken>, { flight: number; all: boolean; any: boolean }>>,
  Expect<
    Equal<
      RowOf<typeof withAirport>,
      {
        origin: string;
        name: string | null;
        day: string;
        to: string;
        flights: number;
        airport: { iata: string; name: string; city: string };
      }
    >
  >,
  Expect<
    Equal<
      RowOf<typeof selected>,
      { from: string; name: string | null; day: string; to: string; city: string; busy: boolean }
    >
  >,
  Expect<Equal<KeyOf<typeof keyed>, { from: string; name: string | null; day: string; to: string }>>,
  Expect<Equal<RowOf<typeof maybe>, { id: string; city: string | null }>>,
  Expect<Equal<KeyOf<typeof maybeView>, { id: string }>>,
  Expect<Equal<RowOf<typeof overView>['airport'], { iata: string; name: string; city: string }>>,
  Expect<Equal<KeyOf<typeof overView>, { origin: string }>>,
  Expect<Equal<RowOf<typeof tags>['tag'], string>>,
  Expect<Equal<RowOf<typeof exploded>, { word: string; n: number | null }>>,
  Expect<Equal<RowOf<typeof places>, { place: string }>>,
  Expect<Equal<RowOf<typeof total>, { flights: number }>>,
  Expect<Equal<KeyOf<typeof total>, {}>>,
  Expect<Equal<KeyOf<typeof seatsView>, { flight: number; seat: string }>>,
];
