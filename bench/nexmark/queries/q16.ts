import { max, view } from 'stillwater';
import { bidsByRank, distinctByRank, rankedBids } from './ranks.js';

/** Channel statistics: a row for each channel and day, with the last minute it was used in. */
export const q16 = view('q16', {
  from: rankedBids
    .groupBy('channel', 'day')
    .aggregate({ minute: max('minute'), ...bidsByRank, ...distinctByRank }),
});
