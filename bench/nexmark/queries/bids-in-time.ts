import { auctions, bids } from '../events.js';

/**
 * Auctions, each with every bid that came while it was open; either may be known before the other. A join keeps the rows of
 * both sides, so only what is read behind it goes into it.
 */
export const bidsInTime = auctions
  .select({ id: 'id', seller: 'seller', category: 'category', date_time: 'date_time', expires: 'expires' })
  .join(
    { bid: bids.select({ auction: 'auction', price: 'price', date_time: 'date_time', seq: 'seq' }) },
    {
      on: { id: 'auction' },
      where: ({ bid, date_time, expires }) => bid.date_time >= date_time && bid.date_time <= expires,
    },
  );
