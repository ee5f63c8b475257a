import type { View } from 'stillwater';
import type { RowOf } from 'stillwater';
import type { Cell } from './canonical.js';
import type { bids } from './events.js';
import { q0 } from './queries/q0.js';
import { q1 } from './queries/q1.js';
import { q10 } from './queries/q10.js';
import { q5 } from './queries/q5.js';
import { q6 } from './queries/q6.js';
import { q7 } from './queries/q7.js';
import { q8 } from './queries/q8.js';
import { q11 } from './queries/q11.js';
import { q12 } from './queries/q12.js';
import { q13 } from './queries/q13.js';
import { q14 } from './queries/q14.js';
import { q15 } from './queries/q15.js';
import { q16 } from './queries/q16.js';
import { q18 } from './queries/q18.js';
import { q19 } from './queries/q19.js';
import { q9 } from './queries/q9.js';
import { q17 } from './queries/q17.js';
import { q2 } from './queries/q2.js';
import { q20 } from './queries/q20.js';
import { q21 } from './queries/q21.js';
import { q22 } from './queries/q22.js';
import { q23 } from './queries/q23.js';
import { q3 } from './queries/q3.js';
import { q4 } from './queries/q4.js';

/** A query of the suite: its view, and a row of the view as the suite writes it down. */
export interface Query {
  readonly name: string;
  readonly title: string;
  readonly view: View<any, string>;
  readonly cells: (row: any) => readonly Cell[];
}

const query = <Row>(title: string, view: View<Row, any>, cells: (row: Row) => Cell[]): Query => ({
  name: view.declaration.name,
  title,
  view,
  cells,
});

/** The suite writes times as milliseconds. */
const ms = (instant: string): number => Date.parse(instant);

export const queries: readonly Query[] = [
  query('pass through', q0, (row) => [row.auction, row.bidder, row.price, ms(row.date_time), row.extra]),
  query('currency conversion', q1, (row) => [
    row.auction,
    row.bidder,
    row.price,
    ms(row.date_time),
    row.extra,
  ]),
  query('selection', q2, (row) => [row.auction, row.price]),
  query('local item suggestion', q3, (row) => [row.name, row.city, row.state, row.id]),
  query('average price for a category', q4, (row) => [row.category, row.average]),
  query('hot items', q5, (row) => [row.auction, row.num]),
  query('average selling price by seller', q6, (row) => [row.seller, row.average]),
  query('highest bid', q7, (row) => [row.auction, row.price, row.bidder, ms(row.date_time), row.extra]),
  query('monitor new users', q8, (row) => [row.id, row.name, ms(row.windowStart)]),
  query('winning bids', q9, ({ bid, ...row }) => [
    ...[row.id, row.item_name, row.description, row.initial_bid, row.reserve],
    ...[ms(row.date_time), ms(row.expires), row.seller, row.category, row.extra],
    ...[bid.auction, bid.bidder, bid.price, ms(bid.date_time), bid.extra],
  ]),
  query('log', q10, (row) => [
    row.auction,
    row.bidder,
    row.price,
    ms(row.date_time),
    row.extra,
    row.day,
    row.minute,
  ]),
  query('user sessions', q11, (row) => [row.bidder, row.bids, ms(row.windowStart), ms(row.windowEnd)]),
  query('windows of a bidder', q12, (row) => [row.bidder, row.bids, ms(row.windowStart), ms(row.windowEnd)]),
  query('bounded side input join', q13, (row) => [
    row.auction,
    row.bidder,
    row.price,
    ms(row.date_time),
    row.value,
  ]),
  query('calculation', q14, (row) => [
    row.auction,
    row.bidder,
    row.price,
    row.bidTimeType,
    ms(row.date_time),
    row.extra,
    row.c_counts,
  ]),
  query('bidding statistics report', q15, (row) => [row.day, ...bidCounts(row), ...distinctCounts(row)]),
  query('channel statistics report', q16, (row) => [
    row.channel,
    row.day,
    row.minute,
    ...bidCounts(row),
    ...distinctCounts(row),
  ]),
  query('auction statistics report', q17, (row) => [
    row.auction,
    row.day,
    ...bidCounts(row),
    row.min_price,
    row.max_price,
    row.avg_price,
    row.sum_price,
  ]),
  query('find last bid', q18, (row) => bidCells(row)),
  query('auction top-10 price', q19, (row) => [...bidCells(row), row.rank]),
  query('expand bid with auction', q20, (row) => [
    ...[row.auction, row.bidder, row.price, row.channel, row.url, ms(row.date_time), row.extra],
    ...[row.item.item_name, row.item.description, row.item.initial_bid, row.item.reserve],
    ...[ms(row.item.date_time), ms(row.item.expires), row.item.seller, row.item.category, row.item.extra],
  ]),
  query('add channel id', q21, (row) => [row.auction, row.bidder, row.price, row.channel, row.channel_id]),
  query('get url directories', q22, (row) => [
    row.auction,
    row.bidder,
    row.price,
    row.channel,
    row.dir1,
    row.dir2,
    row.dir3,
  ]),
  query('three-way join', q23, ({ person: { offer, ...person }, ...row }) => [
    ...[row.bidder, row.price, row.channel, row.url, row.extra],
    ...[person.id, person.name, person.email_address, person.credit_card],
    ...[person.city, person.state, person.extra],
    ...[offer.item_name, offer.description, offer.initial_bid, offer.reserve],
    ...[ms(offer.date_time), ms(offer.expires), offer.seller, offer.category, offer.extra],
  ]),
];

export function nexmarkView(name: string): View<any, string> {
  const found = queries.find((query) => query.name === name);
  if (found === undefined) throw new Error(`There is no view for ${name}.`);
  return found.view;
}

const bidCells = (row: RowOf<typeof bids>): Cell[] => [
  ...[row.auction, row.bidder, row.price, row.channel, row.url, ms(row.date_time), row.extra],
];

interface BidCounts {
  readonly total_bids: number;
  readonly rank1_bids: number;
  readonly rank2_bids: number;
  readonly rank3_bids: number;
}
const bidCounts = (row: BidCounts): number[] => [
  row.total_bids,
  row.rank1_bids,
  row.rank2_bids,
  row.rank3_bids,
];

interface DistinctCounts {
  readonly total_bidders: number;
  readonly rank1_bidders: number;
  readonly rank2_bidders: number;
  readonly rank3_bidders: number;
  readonly total_auctions: number;
  readonly rank1_auctions: number;
  readonly rank2_auctions: number;
  readonly rank3_auctions: number;
}
const distinctCounts = (row: DistinctCounts): number[] => [
  ...[row.total_bidders, row.rank1_bidders, row.rank2_bidders, row.rank3_bidders],
  ...[row.total_auctions, row.rank1_auctions, row.rank2_auctions, row.rank3_auctions],
];
