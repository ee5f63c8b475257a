import { view } from 'stillwater';
import { auctions, bids, persons } from '../events.js';

const bidders = persons.select({
  id: 'id',
  name: 'name',
  email_address: 'email_address',
  credit_card: 'credit_card',
  city: 'city',
  state: 'state',
  extra: 'extra',
});

/**
 * Three-way join: every bid with who bids, and with everything that person offers. Persons and what they offer are few and come
 * first: the second join keeps its two sides, and so a person once for each offer and not once for each bid.
 */
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
    .join({ person: bidders.join({ offer: auctions }, { on: { id: 'seller' } }) }, { on: { bidder: 'id' } })
    .select({
      position: 'position',
      auction: 'person.offer.id',
      bidder: 'bidder',
      price: 'price',
      channel: 'channel',
      url: 'url',
      extra: 'extra',
      person: 'person',
    }),
  key: ['position', 'auction'],
});
