import { view } from 'stillwater';
import { auctions, bids } from '../events.js';

/**
 * Winning bids: every auction with the highest bid that came while it was open, the earliest of several as high. It changes as higher
 * bids come, and the auction may be known later than bids for it.
 */
export const q9 = view('q9', {
  from: auctions
    .join(
      {
        bid: bids.select({
          auction: 'auction',
          bidder: 'bidder',
          price: 'price',
          date_time: 'date_time',
          extra: 'extra',
          seq: 'seq',
        }),
      },
      {
        on: { id: 'auction' },
        where: ({ bid, date_time, expires }) => bid.date_time >= date_time && bid.date_time <= expires,
      },
    )
    .top(1, { per: 'id', order: ['bid.price.desc', 'bid.date_time', 'bid.seq'] }),
});
