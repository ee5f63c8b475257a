import { auctions, bids } from '../events.js';

/**
 * Every auction with the highest bid that came while it was open, the earliest of several as high. It changes as higher
 * bids come, and the auction may be known later than bids for it.
 */
export const winningBids = auctions
  .join(
    { bid: bids },
    {
      on: { id: 'auction' },
      where: ({ bid, date_time, expires }) => bid.date_time >= date_time && bid.date_time <= expires,
    },
  )
  .top(1, { per: 'id', order: ['bid.price.desc', 'bid.date_time', 'bid.seq'] });
