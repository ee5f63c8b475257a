import { declarationErrors } from '../../src/index.js';
import { readAirports } from '../../src/demo/airports.js';
import { flightsByDeparture, type Flight } from '../../src/demo/flights.js';
import { discoverViews } from '../../src/view/discover.js';
import type { Row } from '../../src/zset/value.js';
import { Maintained } from '../support/maintained.js';
import { busiestRoutes } from '../../views/busiest-routes.js';
import { dailyDepartures } from '../../views/daily-departures.js';
import { delaysByAirport } from '../../views/delays-by-airport.js';
import { delaysByState } from '../../views/delays-by-state.js';

const FLIGHTS = 6_000;
const TICK = 700;

const airports = readAirports();
let flights: Flight[];

beforeAll(async () => {
  for await (const run of flightsByDeparture()) {
    flights = run.slice(0, FLIGHTS);
    break;
  }
});

const insertions = <R>(rows: readonly R[]) => rows.map((row) => [row as Row, 1] as const);

/** A view over the flights, tick by tick; the airports come in the middle. */
function maintained(
  view: { readonly declaration: ConstructorParameters<typeof Maintained>[0] },
  needsAirports: boolean,
): Maintained {
  const kept = new Maintained(view.declaration);
  for (let from = 0; from < FLIGHTS; from += TICK) {
    if (needsAirports && from === 2 * TICK) kept.tick({ 'table:airports': insertions(airports) });
    kept.tick({ 'stream:flights': insertions(flights.slice(from, from + TICK)) });
  }
  expect(kept.errors).toBe(0);
  return kept;
}

function grouped<K extends string>(by: (flight: Flight) => K): Map<K, Flight[]> {
  const groups = new Map<K, Flight[]>();
  for (const flight of flights) {
    const group = groups.get(by(flight));
    if (group) group.push(flight);
    else groups.set(by(flight), [flight]);
  }
  return groups;
}
const average = (group: readonly Flight[]) => group.reduce((sum, { delay }) => sum + delay, 0) / group.length;
const late = (group: readonly Flight[]) => group.filter(({ delay }) => delay >= 15).length;
const worst = (group: readonly Flight[]) => Math.max(...group.map(({ delay }) => delay));

describe('the example application', () => {
  it('declares a stream, a table and views, without a mistake', async () => {
    const { declarations, errors } = await discoverViews('views', (file) => import(`../../${file}`));
    expect(errors).toEqual([]);
    expect(declarations.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'stream flights',
      'table airports',
      'view busiest-routes',
      'view daily-departures',
      'view delays-by-airport',
      'view delays-by-state',
    ]);
    expect(declarationErrors(declarations)).toEqual([]);
  });

  it('keeps delays by airport', () => {
    const view = maintained(delaysByAirport, true);
    const groups = grouped(({ origin }) => origin);
    expect(view.rows).toHaveLength(groups.size);
    const chicago = groups.get('ORD')!;
    expect(view.rows.find((row) => row.origin === 'ORD')).toEqual({
      origin: 'ORD',
      airport: "Chicago O'Hare International",
      city: 'Chicago',
      state: 'IL',
      flights: chicago.length,
      late: late(chicago),
      averageDelay: average(chicago),
      worstDelay: worst(chicago),
      busy: chicago.length > 1_000,
    });
  });

  it('keeps delays by state, from the rows of the airports', () => {
    const view = new Maintained(delaysByState.declaration);
    const rows = maintained(delaysByAirport, true).rows;
    view.tick({ 'view:delays-by-airport': insertions(rows) });
    const stateOf = new Map(airports.map(({ iata, state }) => [iata, state]));
    const groups = grouped(({ origin }) => stateOf.get(origin)!);
    expect(view.rows).toHaveLength(groups.size);
    const illinois = groups.get('IL')!;
    expect(view.rows.find((row) => row.state === 'IL')).toEqual({
      state: 'IL',
      airports: new Set(illinois.map(({ origin }) => origin)).size,
      flights: illinois.length,
      late: late(illinois),
      worstDelay: worst(illinois),
    });
  });

  it('keeps the busiest routes', () => {
    const rows = maintained(busiestRoutes, false).rows;
    const groups = grouped(({ origin, destination }) => `${origin}-${destination}`);
    expect(rows).toHaveLength(groups.size);
    for (const { origin, destination, flights: count, averageDelay } of rows) {
      const group = groups.get(`${origin as string}-${destination as string}`)!;
      expect([count, averageDelay]).toEqual([group.length, average(group)]);
    }
  });

  it('keeps departures by day', () => {
    const rows = maintained(dailyDepartures, false).rows;
    const groups = grouped(({ at }) => at.slice(0, 10));
    const expected = [...groups].map(([day, group]) => ({
      windowStart: `${day}T00:00:00.000Z`,
      windowEnd: new Date(Date.parse(day) + 86_400_000).toISOString(),
      departures: group.length,
      late: late(group),
      averageDelay: average(group),
      airports: new Set(group.map(({ origin }) => origin)).size,
    }));
    expect(rows).toEqual(expected.sort((left, right) => (left.windowStart < right.windowStart ? -1 : 1)));
  });
});
