import { count, tumbling, view } from 'stillwater';
import { bids } from '../events.js';

/** Windows of a bidder: how many bids each makes in ten seconds, of the time in which they were made. */
export const q12 = view('q12', {
  from: bids.window(tumbling('10s')).groupBy('bidder').aggregate({ bids: count() }),
});
