import { computed, view } from 'stillwater';
import { z } from 'zod';
import { bids } from '../events.js';

/** Directories of the address. */
export const q22 = view('q22', {
  from: bids.select({
    position: '$position',
    auction: 'auction',
    bidder: 'bidder',
    price: 'price',
    channel: 'channel',
    dir1: computed(z.string(), ({ url }) => url.split('/')[3] ?? ''),
    dir2: computed(z.string(), ({ url }) => url.split('/')[4] ?? ''),
    dir3: computed(z.string(), ({ url }) => url.split('/')[5] ?? ''),
  }),
  key: 'position',
});
