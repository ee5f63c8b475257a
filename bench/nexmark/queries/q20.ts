import { view } from 'stillwater';
import { auctions, bids } from '../events.js';

/** Expand: every bid for category 10 with all that is known of what it is for. */
export const q20 = view('q20', {
  from: bids
    .select({
      position: '$position',
      auction: 'auction',
      bidder: 'bidder',
      price: 'price',
      channel: 'channel',
      url: 'url',
      date_time: 'date_time',
      extra: 'extra',
    })
    .join({ item: auctions.where(({ category }) => category === 10) }, { on: { auction: 'id' } }),
  key: 'position',
});
