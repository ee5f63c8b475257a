import { avg, count, countDistinct, countIf, tumbling, view } from 'stillwater';
import { flights } from './flights.js';

/**
 * Departures by the day they were scheduled for: a flight that left after midnight still counts for its day. What is kept
 * of a day beside its row goes when the last of its flights can have been reported.
 */
export const dailyDepartures = view('daily-departures', {
  from: flights
    .window(tumbling('1d'))
    .groupBy()
    .aggregate({
      departures: count(),
      late: countIf((flight) => flight.delay >= 15),
      averageDelay: avg('delay'),
      airports: countDistinct('origin'),
    }),
});
