import { computed, count, countDistinct, countIf } from 'stillwater';
import { z } from 'zod';
import { bids } from '../events.js';

interface Priced {
  readonly price: number;
}

/** Bids by price, in three ranks. */
const isRank1 = ({ price }: Priced): boolean => price < 10_000;
const isRank2 = ({ price }: Priced): boolean => price >= 10_000 && price < 1_000_000;
const isRank3 = ({ price }: Priced): boolean => price >= 1_000_000;

const someone = z.int().nullable();

/** What the statistics reports are made of: who bids for what, once more for each rank, null in the others. */
export const rankedBids = bids.select({
  channel: 'channel',
  price: 'price',
  day: computed(z.string(), (bid) => bid.date_time.slice(0, 10)),
  minute: computed(z.string(), (bid) => bid.date_time.slice(11, 16)),
  bidder: 'bidder',
  rank1_bidder: computed(someone, (bid) => (isRank1(bid) ? bid.bidder : null)),
  rank2_bidder: computed(someone, (bid) => (isRank2(bid) ? bid.bidder : null)),
  rank3_bidder: computed(someone, (bid) => (isRank3(bid) ? bid.bidder : null)),
  auction: 'auction',
  rank1_auction: computed(someone, (bid) => (isRank1(bid) ? bid.auction : null)),
  rank2_auction: computed(someone, (bid) => (isRank2(bid) ? bid.auction : null)),
  rank3_auction: computed(someone, (bid) => (isRank3(bid) ? bid.auction : null)),
});

/** How many bids, in all and of each rank. */
export const bidsByRank = {
  total_bids: count(),
  rank1_bids: countIf(isRank1),
  rank2_bids: countIf(isRank2),
  rank3_bids: countIf(isRank3),
};

/** How many different bidders and auctions, in all and of each rank. */
export const distinctByRank = {
  total_bidders: countDistinct('bidder'),
  rank1_bidders: countDistinct('rank1_bidder'),
  rank2_bidders: countDistinct('rank2_bidder'),
  rank3_bidders: countDistinct('rank3_bidder'),
  total_auctions: countDistinct('auction'),
  rank1_auctions: countDistinct('rank1_auction'),
  rank2_auctions: countDistinct('rank2_auction'),
  rank3_auctions: countDistinct('rank3_auction'),
} as const;
