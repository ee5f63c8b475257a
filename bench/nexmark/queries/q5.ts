import { count, hopping, max, view } from 'stillwater';
import { bids } from '../events.js';

const bidsByAuction = bids
  .window(hopping('10s', { every: '2s' }))
  .groupBy('auction')
  .aggregate({ num: count() });

/** Hot items: in the last ten seconds, said every two, the auctions with the most bids. */
export const q5 = view('q5', {
  from: bidsByAuction
    .join(
      { most: bidsByAuction.groupBy('windowStart').aggregate({ num: max('num') }) },
      { on: { windowStart: 'windowStart', num: 'num' } },
    )
    .select({ windowStart: 'windowStart', auction: 'auction', num: 'num' }),
});
