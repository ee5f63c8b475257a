import { view } from 'stillwater';
import { bids } from '../events.js';

/** Pass through: every bid as it is. What anything at all costs. */
export const q0 = view('q0', {
  from: bids.select({
    position: '$position',
    auction: 'auction',
    bidder: 'bidder',
    price: 'price',
    date_time: 'date_time',
    extra: 'extra',
  }),
  key: 'position',
});
