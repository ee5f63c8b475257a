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
    dir1: computed(z.string(), ({ url }) => partOf(url, '/', 3)),
    dir2: computed(z.string(), ({ url }) => partOf(url, '/', 4)),
    dir3: computed(z.string(), ({ url }) => partOf(url, '/', 5)),
  }),
  key: 'position',
});

/** What lies behind so many separators, up to the next: SPLIT_INDEX of the suite, for which the other parts need not be made. */
function partOf(text: string, separator: string, index: number): string {
  let from = 0;
  for (let passed = 0; passed < index; passed++) {
    const at = text.indexOf(separator, from);
    if (at === -1) return '';
    from = at + separator.length;
  }
  const to = text.indexOf(separator, from);
  return text.slice(from, to === -1 ? undefined : to);
}
