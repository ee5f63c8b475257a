import { avg, computed, max, min, sum, view } from 'stillwater';
import { z } from 'zod';
import { bids } from '../events.js';
import { bidsByRank } from './ranks.js';

/** Auction statistics: a row for each auction and day. */
export const q17 = view('q17', {
  from: bids
    .groupBy('auction', { day: computed(z.string(), (bid) => bid.date_time.slice(0, 10)) })
    .aggregate({
      ...bidsByRank,
      min_price: min('price'),
      max_price: max('price'),
      avg_price: avg('price'),
      sum_price: sum('price'),
    }),
});
