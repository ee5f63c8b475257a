import { avg, max, view } from 'stillwater';
import { bidsInTime } from './bids-in-time.js';

/** Average price for a category: of the winning bids of its auctions, which change as higher ones come. */
export const q4 = view('q4', {
  from: bidsInTime
    .groupBy('id', 'category')
    .aggregate({ final: max('bid.price') })
    .groupBy('category')
    .aggregate({ average: avg('final') }),
});
