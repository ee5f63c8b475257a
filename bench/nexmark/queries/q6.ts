import { avg, rolling, view } from 'stillwater';
import { bidsInTime } from './bids-in-time.js';

/** Average selling price by seller: of each winning bid and the ten before it of the same seller. */
export const q6 = view('q6', {
  from: bidsInTime
    .top(1, { per: 'id', order: ['bid.price.desc', 'bid.date_time', 'bid.seq'] })
    .select({ id: 'id', seller: 'seller', price: 'bid.price', at: 'bid.date_time' })
    .over({ per: 'seller', order: ['at', 'id'] }, { average: rolling(avg('price'), { rows: 11 }) }),
});
