import { computed, view } from 'stillwater';
import { z } from 'zod';
import { bids, sideInput } from '../events.js';

/** Bounded side input: every bid with what a table knows of its auction. */
export const q13 = view('q13', {
  from: bids
    .select({
      position: '$position',
      auction: 'auction',
      bidder: 'bidder',
      price: 'price',
      date_time: 'date_time',
      key: computed(z.int(), (bid) => bid.auction % 10_000),
    })
    .join({ side: sideInput }, { on: { key: 'key' } })
    .select({
      position: 'position',
      auction: 'auction',
      bidder: 'bidder',
      price: 'price',
      date_time: 'date_time',
      value: 'side.value',
    }),
  key: 'position',
});
