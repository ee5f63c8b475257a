import { count, max, sum, view } from 'stillwater';
import { delaysByAirport } from './delays-by-airport.js';

/** The same, state by state: a view over a view, which follows its rows as they change. */
export const delaysByState = view('delays-by-state', {
  from: delaysByAirport.groupBy('state').aggregate({
    airports: count(),
    flights: sum('flights'),
    late: sum('late'),
    worstDelay: max('worstDelay'),
  }),
  indexes: ['flights.desc'],
});
