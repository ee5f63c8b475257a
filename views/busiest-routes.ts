import { avg, count, min, view } from 'stillwater';
import { flights } from './flights.js';

/** Pairs of airports by how much is flown between them. `order=flights.desc` is answered from the index. */
export const busiestRoutes = view('busiest-routes', {
  from: flights.groupBy('origin', 'destination').aggregate({
    flights: count(),
    averageDelay: avg('delay'),
    distance: min('distance'),
  }),
  indexes: ['flights.desc'],
});
