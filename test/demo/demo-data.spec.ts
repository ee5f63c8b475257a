import { readAirports, readCsv } from '../../src/demo/airports.js';
import { flightsByDeparture, type Flight } from '../../src/demo/flights.js';
import { readFlightsWanted } from '../../src/demo/load-demo.js';

const departed = ({ at, delay }: Flight): number => Date.parse(at) + delay * 60_000;

describe('the flights of the example', () => {
  it('come in the order in which they left, across row groups, and so out of the order of their schedule', async () => {
    let flights: Flight[] = [];
    for await (const run of flightsByDeparture()) {
      flights = flights.concat(run);
      if (flights.length > 300_000) break;
    }
    expect(
      flights.findIndex((flight, index) => index > 0 && departed(flight) < departed(flights[index - 1]!)),
    ).toBe(-1);

    let newest = '';
    const behind = flights.filter(({ at }) => {
      const late = at < newest;
      if (!late) newest = at;
      return late;
    });
    expect(behind.length / flights.length).toBeGreaterThan(0.9);
    expect(flights[0]).toMatchObject({
      at: expect.stringMatching(/^2001-01-01T\d\d:\d\d:00\.000Z$/) as string,
      delay: expect.any(Number) as number,
    });
  });

  it('can be asked for by number or all at once', () => {
    expect([readFlightsWanted('5000'), readFlightsWanted('1_000_000'), readFlightsWanted('all')]).toEqual([
      5_000, 1_000_000, 3_000_000,
    ]);
    for (const wrong of ['', '0', '-3', 'many', '1.5'])
      expect(() => readFlightsWanted(wrong)).toThrow(/how many flights/);
  });
});

describe('the airports of the example', () => {
  it('are all there, one for each code', () => {
    const airports = readAirports();
    expect(airports).toHaveLength(3_376);
    expect(new Set(airports.map(({ iata }) => iata)).size).toBe(3_376);
    expect(airports.find(({ iata }) => iata === 'ORD')).toMatchObject({ city: 'Chicago', state: 'IL' });
    expect(
      airports.every(({ latitude, longitude }) => Number.isFinite(latitude) && Number.isFinite(longitude)),
    ).toBe(true);
  });

  it('are read from text in which cells may be quoted and empty', () => {
    expect(readCsv('a,b\r\n"x, ""y""",\n\n,z')).toEqual([
      ['a', 'b'],
      ['x, "y"', ''],
      ['', 'z'],
    ]);
  });
});
