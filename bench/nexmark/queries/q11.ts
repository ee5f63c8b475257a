import { count, session, view } from 'stillwater';
import { bids } from '../events.js';

/** User sessions: how many bids each makes with no more than ten seconds between one and the next. */
export const q11 = view('q11', {
  from: bids.window(session('10s')).groupBy('bidder').aggregate({ bids: count() }),
});
