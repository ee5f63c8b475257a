import { view } from 'stillwater';
import { auctions, bids, persons } from '../events.js';

/** Three-way join: every bid with who bids, and with everything that person offers. */
export const q23 = view('q23', {
  from: bids
    .select({
      position: '$position',
      bidder: 'bidder',
      price: 'price',
      channel: 'channel',
      url: 'url',
      extra: 'extra',
    })
    .join({ person: persons }, { on: { bidder: 'id' } })
    .join({ offer: auctions }, { on: { bidder: 'seller' } })
    .select({
      position: 'position',
      auction: 'offer.id',
      bidder: 'bidder',
      price: 'price',
      channel: 'channel',
      url: 'url',
      extra: 'extra',
      person: 'person',
      offer: 'offer',
    }),
  key: ['position', 'auction'],
});
