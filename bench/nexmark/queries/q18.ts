import { view } from 'stillwater';
import { bids } from '../events.js';

/** Find last bid: the latest of each bidder for each auction. */
export const q18 = view('q18', {
  from: bids.top(1, { per: ['bidder', 'auction'], order: ['date_time.desc', 'seq.desc'] }),
});
