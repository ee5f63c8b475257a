import { max, tumbling, view } from 'stillwater';
import { bids } from '../events.js';

/**
 * Highest bid: every ten seconds, the bids of the highest price. A bid at the very end of a window counts for it too, as
 * the suite has it.
 */
export const q7 = view('q7', {
  from: bids
    .select({
      position: '$position',
      auction: 'auction',
      price: 'price',
      bidder: 'bidder',
      date_time: 'date_time',
      extra: 'extra',
    })
    .join(
      {
        highest: bids
          .window(tumbling('10s'))
          .groupBy()
          .aggregate({ price: max('price') }),
      },
      {
        on: { price: 'price' },
        where: ({ date_time, highest }) => date_time >= highest.windowStart && date_time <= highest.windowEnd,
      },
    )
    .select({
      windowEnd: 'highest.windowEnd',
      position: 'position',
      auction: 'auction',
      price: 'price',
      bidder: 'bidder',
      date_time: 'date_time',
      extra: 'extra',
    }),
  key: ['windowEnd', 'position'],
});
