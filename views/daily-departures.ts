import { avg, computed, count, countDistinct, countIf, view } from 'stillwater';
import { z } from 'zod';
import { flights } from './flights.js';

/** Departures by the day they were scheduled for: a flight that left after midnight still counts for its day. */
export const dailyDepartures = view('daily-departures', {
  from: flights.groupBy({ day: computed(z.iso.date(), (flight) => flight.at.slice(0, 10)) }).aggregate({
    departures: count(),
    late: countIf((flight) => flight.delay >= 15),
    averageDelay: avg('delay'),
    airports: countDistinct('origin'),
  }),
});
