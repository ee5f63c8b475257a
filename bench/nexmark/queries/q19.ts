import { view } from 'stillwater';
import { bids } from '../events.js';

/** Auction top 10: the highest bids for each auction, with their places. */
export const q19 = view('q19', {
  from: bids.top(10, { per: 'auction', order: ['price.desc', 'date_time', 'seq'], rank: 'rank' }),
});
