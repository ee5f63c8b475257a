import { instant, stream, table, view, type RowOf } from 'stillwater';
import { z } from 'zod';
import type { Equal, Expect } from './expect.js';

const flights = stream('flights', {
  schema: z.object({ at: instant(), delay: z.int(), origin: z.string(), gate: z.string().nullable() }),
});
const airports = table('airports', {
  schema: z.object({ iata: z.string(), code: z.int(), opened: z.int().optional() }),
  key: 'iata',
});
const on = { origin: 'iata' } as const;

interface Flight {
  at: string;
  delay: number;
  origin: string;
  gate: string | null;
}
interface Airport {
  iata: string;
  code: number;
  opened: number | null;
}

export const inner = flights.join(
  { airport: airports },
  { on, where: (row) => row.delay > row.airport.code },
);
export const left = flights.leftJoin(
  { airport: airports },
  { on, where: (row) => row.airport.iata !== row.gate },
);
export const right = flights.rightJoin({ airport: airports }, { on, where: ({ delay }) => delay > 0 });
export const full = flights.fullJoin({ airport: airports }, { on });
const semi = airports.semiJoin(flights, {
  on: { iata: 'origin' },
  where: (airport, flight) => airport.code < flight.delay,
});
const anti = airports.antiJoin(flights, { on: { iata: 'origin' } });

export type Rows = [
  Expect<
    Equal<
      RowOf<typeof inner>,
      Flight & { airport: Airport } extends infer Row ? { [C in keyof Row]: Row[C] } : never
    >
  >,
  Expect<Equal<RowOf<typeof left>['airport'], Airport | null>>,
  Expect<Equal<RowOf<typeof left>['delay'], number>>,
  Expect<Equal<RowOf<typeof right>['airport'], Airport>>,
  Expect<Equal<RowOf<typeof right>['delay'], number | null>>,
  Expect<Equal<RowOf<typeof full>['airport'], Airport | null>>,
  Expect<Equal<RowOf<typeof full>['origin'], string | null>>,
  Expect<Equal<RowOf<typeof semi>, Airport>>,
  Expect<Equal<RowOf<typeof anti>, Airport>>,
];

// Keys: a table's outlive what has one row for each of its rows at most.
export const served = view('served', { from: semi });
export const unserved = view('unserved', { from: anti });
const regions = table('regions', { schema: z.object({ code: z.int() }), key: 'code' });
export const placed = view('placed', {
  from: airports.leftJoin({ region: regions }, { on: { code: 'code' } }),
});
// @ts-expect-error rows that are alone have no key
export const alone = view('alone', {
  from: airports.fullJoin({ region: regions }, { on: { code: 'code' } }),
});
// @ts-expect-error rows that are alone have no key
export const right2 = view('right', {
  from: airports.rightJoin({ region: regions }, { on: { code: 'code' } }),
});

// Conditions
// @ts-expect-error no such column
flights.join({ airport: airports }, { on, where: (row) => row.airport.city === '' });
// @ts-expect-error not a boolean
flights.join({ airport: airports }, { on, where: (row) => row.delay });
// @ts-expect-error async
flights.leftJoin({ airport: airports }, { on, where: async () => true });
// @ts-expect-error no such column
airports.semiJoin(flights, { on: { iata: 'origin' }, where: (airport, flight) => flight.late });
// @ts-expect-error async
airports.antiJoin(flights, { on: { iata: 'origin' }, where: async () => true });

// Sides
// @ts-expect-error another kind of value
airports.semiJoin(flights, { on: { code: 'origin' } });
// @ts-expect-error no such column
airports.antiJoin(flights, { on: { iata: 'orign' } });
// @ts-expect-error not a collection
airports.antiJoin({ flights }, { on: { iata: 'origin' } });
// @ts-expect-error a name that is taken
flights.fullJoin({ origin: airports }, { on });

// Intervals
const landings = stream('landings', {
  schema: z.object({ landed: instant(), origin: z.string(), runway: z.int() }),
});
export const landed = flights.leftJoin(
  { landing: landings },
  { on: { origin: 'origin' }, within: { before: '0s', after: '12h', left: 'at', right: 'landed' } },
);
export type Landed = Expect<
  Equal<RowOf<typeof landed>['landing'], { landed: string; origin: string; runway: number } | null>
>;
const near = { before: '0s', after: '12h', left: 'at', right: 'landed' } as const;
export const arrived = flights.semiJoin(landings, { on: { origin: 'origin' }, within: near });
export type Arrived = Expect<Equal<RowOf<typeof arrived>, RowOf<typeof flights>>>;
// @ts-expect-error not a duration
flights.antiJoin(landings, { on: { origin: 'origin' }, within: { ...near, before: 'soon' } });
// @ts-expect-error no column of the other side
flights.antiJoin(landings, { on: { origin: 'origin' }, within: { ...near, right: 'at' } });
// @ts-expect-error not a duration
flights.join({ l: landings }, { on: { origin: 'origin' }, within: { before: 'soon', after: '1h' } });
// @ts-expect-error one end only
flights.join({ l: landings }, { on: { origin: 'origin' }, within: { before: '1h' } });
flights.join(
  { l: landings },
  // @ts-expect-error not a time
  { on: { origin: 'origin' }, within: { before: '1h', after: '1h', right: 'runway' } },
);
flights.join(
  { l: landings },
  // @ts-expect-error no such column
  { on: { origin: 'origin' }, within: { before: '1h', after: '1h', left: 'landed' } },
);

// Versions
const gates = table('gates', {
  schema: z.object({ gate: z.string(), since: instant(), terminal: z.int() }),
  key: 'gate',
  eventTime: 'since',
});
export const gated = flights.joinAsOf({ place: gates }, { on: { gate: 'gate' } });
export const maybeGated = flights.leftJoinAsOf({ place: gates }, { on: { gate: 'gate' }, at: 'at' });
export type Gated = [
  Expect<Equal<RowOf<typeof gated>['place'], { gate: string; since: string; terminal: number }>>,
  Expect<Equal<RowOf<typeof maybeGated>['place'], { gate: string; since: string; terminal: number } | null>>,
];
// @ts-expect-error not by its key
flights.joinAsOf({ place: gates }, { on: { delay: 'terminal' } });
// @ts-expect-error a stream has no key
flights.joinAsOf({ place: landings }, { on: { origin: 'origin' } });
// @ts-expect-error no such column
flights.joinAsOf({ place: gates }, { on: { gate: 'gate' }, at: 'when' });
// @ts-expect-error not a time
flights.joinAsOf({ place: gates }, { on: { gate: 'gate' }, at: 'delay' });
