import { avg, max, view } from 'stillwater';
import { auctions, bids } from '../events.js';

/** Average price for a category: of the winning bids of its auctions, which change as higher ones come. */
export const q4 = view('q4', {
  from: auctions
    .join(
      { bid: bids },
      {
        on: { id: 'auction' },
        where: ({ bid, date_time, expires }) => bid.date_time >= date_time && bid.date_time <= expires,
      },
    )
    .groupBy('id', 'category')
    .aggregate({ final: max('bid.price') })
    .groupBy('category')
    .aggregate({ average: avg('final') }),
});
