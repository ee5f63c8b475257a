import { expectConverges, given } from 'stillwater/testing';
import { airports } from '../../views/airports.js';
import { busiestRoutes } from '../../views/busiest-routes.js';
import { delaysByAirport } from '../../views/delays-by-airport.js';
import { delaysByState } from '../../views/delays-by-state.js';
import { flights } from '../../views/flights.js';

// What an author of views writes beside them: no Redis, no service, no waiting.

const flight = (origin: string, delay: number, destination = 'SFO') => ({
  at: '2001-01-01T05:00:00Z',
  delay,
  distance: 1_846,
  origin,
  destination,
});
const airport = (iata: string, state: string, name = iata) => ({
  ...{ iata, state, name, city: name, country: 'USA', latitude: 41.9, longitude: -87.9 },
});

describe('the views of the example, under test', () => {
  it('show an airport with its delays as soon as it is known', () => {
    given(flights, [flight('ORD', 10), flight('ORD', 30)])
      .expect(delaysByAirport)
      .rows([])
      .afterwards(airports, [airport('ORD', 'IL', "O'Hare")])
      .rows([
        {
          ...{ origin: 'ORD', airport: "O'Hare", city: "O'Hare", state: 'IL' },
          ...{ flights: 2, late: 1, averageDelay: 20, worstDelay: 30, busy: false },
        },
      ]);
  });

  it('follow one another', () => {
    given(airports, [airport('ORD', 'IL'), airport('MDW', 'IL'), airport('JFK', 'NY')])
      .and(flights, [flight('ORD', 20), flight('MDW', 5), flight('JFK', -3), flight('ORD', 1)])
      .expect(delaysByState)
      .rows([
        { state: 'IL', airports: 2, flights: 3, late: 1, worstDelay: 20 },
        { state: 'NY', airports: 1, flights: 1, late: 0, worstDelay: -3 },
      ]);
  });

  it('are the same however they are maintained', () => {
    expectConverges(
      busiestRoutes,
      given(flights, [
        flight('ORD', 1, 'JFK'),
        flight('JFK', 2, 'ORD'),
        flight('ORD', 3, 'JFK'),
        flight('ORD', 3, 'SFO'),
      ]),
      { runs: 20 },
    );
  });

  it('say what differs where a test is wrong', () => {
    expect(() =>
      given(flights, [flight('ORD', 1)])
        .expect(busiestRoutes)
        .rows([]),
    ).toThrow(/ORD/);
  });
});
