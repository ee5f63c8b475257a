import { computed, view } from 'stillwater';
import { z } from 'zod';
import { bids } from '../events.js';

/** Currency conversion: every bid with its price in another currency, to a thousandth. */
export const q1 = view('q1', {
  from: bids.select({
    position: '$position',
    auction: 'auction',
    bidder: 'bidder',
    price: computed(z.number(), (bid) => (bid.price * 908) / 1_000),
    date_time: 'date_time',
    extra: 'extra',
  }),
  key: 'position',
});
