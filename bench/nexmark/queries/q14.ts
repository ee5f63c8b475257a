import { computed, view } from 'stillwater';
import { z } from 'zod';
import { bids } from '../events.js';

/** Calculation: bids of a price range with the time of day in words and a letter counted. */
export const q14 = view('q14', {
  from: bids
    .where((bid) => 0.908 * bid.price > 1_000_000 && 0.908 * bid.price < 50_000_000)
    .select({
      position: '$position',
      auction: 'auction',
      bidder: 'bidder',
      price: computed(z.number(), (bid) => (bid.price * 908) / 1_000),
      bidTimeType: computed(z.enum(['dayTime', 'nightTime', 'otherTime']), (bid) => {
        const hour = Number(bid.date_time.slice(11, 13));
        if (hour >= 8 && hour <= 18) return 'dayTime';
        return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime';
      }),
      date_time: 'date_time',
      extra: 'extra',
      c_counts: computed(z.int(), (bid) => bid.extra.split('c').length - 1),
    }),
  key: 'position',
});
