import { view } from 'stillwater';
import { bidsByRank, distinctByRank, rankedBids } from './ranks.js';

/** Bidding statistics: a row a day. */
export const q15 = view('q15', {
  from: rankedBids.groupBy('day').aggregate({ ...bidsByRank, ...distinctByRank }),
});
