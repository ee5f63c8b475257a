import { instant, stream, table } from 'stillwater';
import { z } from 'zod';

/**
 * An auction house: people register, offer items, bid. Events as the generator of the Nexmark suite makes them, told
 * apart by stream. `seq` is an event's place in the order of time; ties that Nexmark leaves open are broken by it.
 */
export const persons = stream('persons', {
  schema: z.object({
    seq: z.int(),
    id: z.int(),
    name: z.string(),
    email_address: z.string(),
    credit_card: z.string(),
    city: z.string(),
    state: z.string(),
    date_time: instant(),
    extra: z.string(),
  }),
  eventTime: 'date_time',
  lateness: '2m',
});

export const auctions = stream('auctions', {
  schema: z.object({
    seq: z.int(),
    id: z.int(),
    item_name: z.string(),
    description: z.string(),
    /** Cents, as all prices. */
    initial_bid: z.int(),
    reserve: z.int(),
    date_time: instant(),
    expires: instant(),
    /** The person who offers. */
    seller: z.int(),
    category: z.int(),
    extra: z.string(),
  }),
  eventTime: 'date_time',
  lateness: '2m',
});

export const bids = stream('bids', {
  schema: z.object({
    seq: z.int(),
    /** What is bid for. */
    auction: z.int(),
    /** The person who bids. */
    bidder: z.int(),
    price: z.int(),
    channel: z.string(),
    url: z.string(),
    date_time: instant(),
    extra: z.string(),
  }),
  eventTime: 'date_time',
  lateness: '2m',
});

/** What q13 joins with: does not change. */
export const sideInput = table('side_input', {
  schema: z.object({ key: z.int(), value: z.string() }),
  key: 'key',
});
