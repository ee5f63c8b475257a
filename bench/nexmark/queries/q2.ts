import { view } from 'stillwater';
import { bids } from '../events.js';

/** Selection: bids for some auctions. */
export const q2 = view('q2', {
  from: bids
    .where((bid) => bid.auction % 123 === 0)
    .select({ position: '$position', auction: 'auction', price: 'price' }),
  key: 'position',
});
