import {
  approxContains,
  approxPercentile,
  approxTopK,
  avg,
  collect,
  computed,
  count,
  countIf,
  every,
  histogram,
  instant,
  joinText,
  max,
  median,
  percentile,
  some,
  stream,
  sum,
  table,
  topK,
  variance,
  view,
} from 'stillwater';
import { z } from 'zod';

const flights = stream('flights', {
  schema: z.object({
    at: instant(),
    delay: z.int(),
    origin: z.string(),
    tags: z.array(z.string()),
    crew: z.object({ name: z.string() }),
  }),
});
const airports = table('airports', {
  schema: z.object({ iata: z.string(), code: z.int(), name: z.string() }),
  key: 'iata',
});
const byOrigin = flights.groupBy('origin').aggregate({ flights: count() });

// Columns that do not exist
// @ts-expect-error no such column
flights.groupBy('orign');
// @ts-expect-error no such column
flights.groupBy('crew.nam');
// @ts-expect-error no such column
flights.groupBy({ where: 'orign' });
// @ts-expect-error no such column
flights.select({ where: 'orign' });
// @ts-expect-error no such column
flights.select({ name: 'crew.nam' });
// @ts-expect-error no such column
flights.groupBy('origin').aggregate({ worst: max('dela') });
// @ts-expect-error no such column
flights.groupBy('origin').aggregate({ all: collect('dela') });
// @ts-expect-error no such column
flights.where((flight) => flight.dela > 3);
// @ts-expect-error no such column
flights.select({ late: computed(z.boolean(), (flight) => flight.dela > 3) });
// @ts-expect-error no such column
flights.groupBy('origin').aggregate({ late: countIf((flight) => flight.dela > 3) });
// @ts-expect-error no such column
flights.groupBy('origin').aggregate({ any: some((flight) => flight.dela > 3) });
// @ts-expect-error no such column
flights.groupBy('origin').aggregate({ list: collect('origin', { by: 'dela' }) });
// @ts-expect-error no such column
flights.unnest('tag', { as: 'tag' });

// Values of another kind than is needed
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ total: sum('origin') });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ mean: avg('tags') });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ most: max('crew') });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ spread: variance('origin') });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ middle: median('origin') });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ upper: percentile('origin', 0.9) });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ upper: percentile('tags', 0.9, { discrete: true }) });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ top: topK('tags', 3) });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ all: every('origin') });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ text: joinText('delay') });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ list: collect('origin', { by: 'tags' }) });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ buckets: histogram('delay', { widths: 3 }) });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ upper: approxPercentile('origin', 0.9) });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ frequent: approxTopK('tags', 3) });
// @ts-expect-error another kind of value
flights.groupBy('origin').aggregate({ filter: approxContains('origin') });
// @ts-expect-error another kind of value
flights.groupBy('tags');
// @ts-expect-error another kind of value
flights.unnest('origin', { as: 'letter' });
// @ts-expect-error another kind of value
flights.unnest('tags', { as: 'origin' });
// @ts-expect-error another kind of value
flights.select({ late: computed(z.boolean(), (flight) => flight.delay) });
// @ts-expect-error another kind of value
flights.select('origin');

// Joins
// @ts-expect-error sides that do not fit
flights.join({ airport: airports }, { on: { origin: 'code' } });
// @ts-expect-error sides that do not fit
flights.join({ airport: airports }, { on: { orign: 'iata' } });
// @ts-expect-error sides that do not fit
flights.join({ airport: airports }, { on: { origin: 'iat' } });
// @ts-expect-error sides that do not fit
flights.join({ origin: airports }, { on: { origin: 'iata' } });
// @ts-expect-error sides that do not fit
flights.join({ one: airports, two: airports }, { on: { origin: 'iata' } });
// @ts-expect-error sides that do not fit
flights.union(airports);

// Names
// @ts-expect-error a name that is taken
flights.groupBy('origin').aggregate({ origin: count() });

// Keys and indexes
// @ts-expect-error not a key or an index of these rows
view('by-origin', { from: byOrigin, key: 'destination' });
// @ts-expect-error not a key or an index of these rows
view('raw', { from: flights });
// @ts-expect-error not a key or an index of these rows
view('by-origin', { from: byOrigin, indexes: ['flight.desc'] });
// @ts-expect-error not a key or an index of these rows
view('by-origin', { from: byOrigin, indexes: [['origin', 'flight.desc']] });
// @ts-expect-error not a key or an index of these rows
table('airports', { schema: z.object({ iata: z.string() }), key: 'iat' });
// @ts-expect-error not a key or an index of these rows
table('airports', { schema: z.object({ iata: z.string() }), key: 'iata', eventTime: 'since' });
const dated = z.object({ id: z.string(), since: z.number() });
// @ts-expect-error an event time that is no instant
table('dated', { schema: dated, key: 'id', eventTime: 'since' });
// @ts-expect-error a key of objects
table('airports', { schema: z.object({ where: z.object({ lat: z.number() }) }), key: 'where' });
// @ts-expect-error not a key or an index of these rows
stream('flights', { schema: z.object({ at: instant() }), eventTime: 'when' });
// @ts-expect-error not a key or an index of these rows
stream('flights', { schema: z.object({ at: z.number() }), eventTime: 'at' });
// @ts-expect-error not a key or an index of these rows
stream('flights', { schema: z.object({ at: instant() }), lateness: 'soon' });
// @ts-expect-error not a key or an index of these rows
stream('flights', { schema: z.object({ at: instant() }), partitions: 4, partitionBy: 'origin' });

// Functions that do not give their value at once
// @ts-expect-error an async function
flights.where(async (flight) => flight.delay > 3);
// @ts-expect-error an async function
flights.select({ late: computed(z.boolean(), async (flight) => flight.delay > 3) });
// @ts-expect-error an async function
flights.flatMap(z.object({ tag: z.string() }), async (flight) => flight.tags.map((tag) => ({ tag })));

// Schemas whose values JSON cannot keep
// @ts-expect-error not JSON
stream('s', { schema: z.object({ at: z.date() }) });
// @ts-expect-error not JSON
stream('s', { schema: z.object({ id: z.bigint() }) });
// @ts-expect-error not JSON
stream('s', { schema: z.object({ m: z.map(z.string(), z.number()) }) });
// @ts-expect-error not JSON
stream('s', { schema: z.object({ nothing: z.undefined() }) });
// @ts-expect-error not JSON
stream('s', { schema: z.object({ deep: z.array(z.object({ at: z.date() })) }) });
// @ts-expect-error not JSON
stream('s', { schema: z.array(z.string()) });
// @ts-expect-error not JSON
flights.select({ at: computed(z.date(), (flight) => new Date(flight.at)) });
// @ts-expect-error not JSON
flights.flatMap(z.object({ at: z.date() }), () => []);
