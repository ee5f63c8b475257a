import { computed, view } from 'stillwater';
import { z } from 'zod';
import { bids } from '../events.js';

/** Log: every bid with the day and the minute it belongs under. */
export const q10 = view('q10', {
  from: bids.select({
    position: '$position',
    auction: 'auction',
    bidder: 'bidder',
    price: 'price',
    date_time: 'date_time',
    extra: 'extra',
    day: computed(z.string(), (bid) => bid.date_time.slice(0, 10)),
    minute: computed(z.string(), (bid) => bid.date_time.slice(11, 16)),
  }),
  key: 'position',
});
