import { avg, computed, count, countIf, max, view } from 'stillwater';
import { z } from 'zod';
import { airports } from './airports.js';
import { flights } from './flights.js';

/** How late flights leave, airport by airport. Try `order=flights.desc`, or `state=eq.IL`. */
export const delaysByAirport = view('delays-by-airport', {
  from: flights
    .groupBy('origin')
    .aggregate({
      flights: count(),
      late: countIf((flight) => flight.delay >= 15),
      averageDelay: avg('delay'),
      worstDelay: max('delay'),
    })
    .join({ airport: airports }, { on: { origin: 'iata' } })
    .select({
      origin: 'origin',
      airport: 'airport.name',
      city: 'airport.city',
      state: 'airport.state',
      flights: 'flights',
      late: 'late',
      averageDelay: 'averageDelay',
      worstDelay: 'worstDelay',
      busy: computed(z.boolean(), (row) => row.flights > 1_000),
    }),
  indexes: ['flights.desc', 'state,flights.desc'],
});
