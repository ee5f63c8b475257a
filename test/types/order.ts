import {
  avg,
  count,
  denseRank,
  instant,
  lag,
  lead,
  max,
  rank,
  firstValue,
  lastValue,
  rolling,
  rowNumber,
  stream,
  sum,
  table,
  view,
  type KeyOf,
  type RowOf,
} from 'stillwater';
import { z } from 'zod';
import type { Equal, Expect } from './expect.js';

const bids = stream('bids', {
  schema: z.object({
    at: instant(),
    auction: z.int(),
    bidder: z.string(),
    price: z.number().nullable(),
    tags: z.array(z.string()),
    item: z.object({ name: z.string() }),
  }),
  eventTime: 'at',
});
const auctions = table('auctions', { schema: z.object({ id: z.int(), seller: z.string() }), key: 'id' });
const perAuction = bids.groupBy('auction').aggregate({ bids: count() });

export const latest = view('latest', {
  from: bids.top(1, { per: ['bidder', 'auction'], order: 'at.desc' }),
});
export const dearest = view('dearest', {
  from: bids.top(10, { per: 'auction', order: ['price.desc', 'at'], rank: 'place' }),
});
export const busiest = view('busiest', { from: perAuction.top(3, { order: 'bids.desc', rank: 'place' }) });
export const busy = view('busy', { from: perAuction.top(3, { order: 'bids.desc,auction', offset: 2 }) });
export const first = view('first', { from: bids.top(1, { order: 'at' }) });
export const byItem = bids.top(1, { per: 'item.name', order: 'at' });
const some: number = 3;
export const dynamic = bids.top(some, { per: 'auction', order: 'at' });

const ids = auctions.select({ id: 'id' });
export const without = view('without', { from: ids.except(bids.select({ id: 'auction' })) });
export const inBoth = view('in-both', { from: bids.select({ id: 'auction' }).intersect(ids) });
export const sold = view('sold', {
  from: bids.select({ id: 'auction' }).intersect(bids.select({ id: 'auction' })),
});
export const more = bids.select({ id: 'auction' }).except(bids.select({ id: 'auction' }), { all: true });

export const once = view('once', { from: bids.dedupe({ by: ['bidder', 'auction'] }) });
export const seldom = bids.dedupe({ by: 'bidder', within: '10m', on: 'at' });

export const numbered = view('numbered', {
  from: perAuction.over({ order: 'bids.desc' }, { n: rowNumber(), r: rank(), d: denseRank() }),
});
export const moving = bids.over(
  { per: ['auction', 'bidder'], order: 'at' },
  {
    before: lag('price'),
    bidderBefore: lag('bidder', { offset: 2 }),
    bidderAfter: lead('bidder', { default: '' }),
    itemBefore: lag('item.name', { default: null }),
    total: rolling(sum('price'), { rows: 3 }),
    mean: rolling(avg('auction'), { range: '10m' }),
    greatest: rolling(max('bidder'), { range: 5 }),
    bids: rolling(count(), { rows: 10 }),
    soFar: rolling(sum('price'), { rows: 'all' }),
    around: rolling(count(), { range: { before: '1h', after: '5m' } }),
    opening: firstValue('price'),
    bidderAhead: lastValue('bidder', { rows: { after: 2 } }),
  },
);
type Moving = RowOf<typeof moving>;

export type Checks = [
  Expect<Equal<keyof KeyOf<typeof numbered>, 'auction'>>,
  Expect<Equal<RowOf<typeof numbered>, { auction: number; bids: number; n: number; r: number; d: number }>>,
  Expect<Equal<Moving['before'], number | null>>,
  Expect<Equal<Moving['bidderBefore'], string | null>>,
  Expect<Equal<Moving['bidderAfter'], string>>,
  Expect<Equal<Moving['itemBefore'], string | null>>,
  Expect<Equal<Moving['total'], number | null>>,
  Expect<Equal<Moving['mean'], number>>,
  Expect<Equal<Moving['greatest'], string>>,
  Expect<Equal<Moving['bids'], number>>,
  Expect<Equal<Moving['soFar'], number | null>>,
  Expect<Equal<Moving['around'], number>>,
  Expect<Equal<Moving['opening'], number | null>>,
  Expect<Equal<Moving['bidderAhead'], string>>,
  Expect<Equal<Moving['tags'], string[]>>,

  Expect<Equal<keyof KeyOf<typeof once>, 'bidder' | 'auction'>>,
  Expect<Equal<RowOf<typeof seldom>, RowOf<typeof bids>>>,
  Expect<Equal<KeyOf<typeof latest>, { bidder: string; auction: number }>>,
  Expect<Equal<RowOf<typeof latest>, RowOf<typeof bids>>>,
  Expect<Equal<keyof KeyOf<typeof dearest>, 'auction' | 'place'>>,
  Expect<Equal<RowOf<typeof dearest>['place'], number>>,
  Expect<Equal<RowOf<typeof dearest>['price'], number | null>>,
  Expect<Equal<keyof KeyOf<typeof busiest>, 'auction'>>,
  Expect<Equal<RowOf<typeof busiest>, { auction: number; bids: number; place: number }>>,
  Expect<Equal<RowOf<typeof busy>, { auction: number; bids: number }>>,
  Expect<Equal<keyof KeyOf<typeof first>, never>>,
  Expect<Equal<keyof KeyOf<typeof without>, 'id'>>,
  Expect<Equal<keyof KeyOf<typeof inBoth>, 'id'>>,
  Expect<Equal<keyof KeyOf<typeof sold>, 'id'>>,
];

// @ts-expect-error nothing is known to identify these rows
view('by-item', { from: byItem });
// @ts-expect-error nothing is known to identify these rows
view('dynamic', { from: dynamic });
// @ts-expect-error nothing is known to identify these rows
view('more', { from: more });

// @ts-expect-error no such column
bids.top(1, { per: 'auktion', order: 'at' });
// @ts-expect-error no such column
bids.top(1, { per: ['auction', 'biddr'], order: 'at' });
// @ts-expect-error no such column
bids.top(1, { order: 'prise.desc' });
// @ts-expect-error no such column
bids.top(1, { order: ['price.desc', 'when'] });
// @ts-expect-error another kind of value
bids.top(1, { per: 'tags', order: 'at' });
// @ts-expect-error a name that is taken
bids.top(1, { order: 'at', rank: 'price' });
// @ts-expect-error no order
bids.top(1, { per: 'auction' });
// @ts-expect-error other columns
bids.except(auctions);
// @ts-expect-error columns of other kinds
bids.select({ id: 'bidder' }).intersect(ids);

// @ts-expect-error nothing is known to identify these rows
view('seldom', { from: seldom });
// @ts-expect-error no such column
bids.dedupe({ by: 'biddr' });
// @ts-expect-error no such column
bids.dedupe({ by: 'bidder', on: 'when' });
// @ts-expect-error not a duration
bids.dedupe({ by: 'bidder', within: '10 minutes' });

// @ts-expect-error no order
bids.over({ per: 'auction' }, { n: rowNumber() });
// @ts-expect-error no such column
bids.over({ order: 'prise' }, { n: rowNumber() });
// @ts-expect-error no such column
bids.over({ per: 'auktion', order: 'at' }, { n: rowNumber() });
// @ts-expect-error no such column
bids.over({ order: 'at' }, { before: lag('prise') });
// @ts-expect-error no such column
bids.over({ order: 'at' }, { total: rolling(sum('prise'), { rows: 3 }) });
// @ts-expect-error another kind of value
bids.over({ order: 'at' }, { total: rolling(sum('bidder'), { rows: 3 }) });
// @ts-expect-error another kind of value
bids.over({ order: 'at' }, { before: lag('bidder', { default: 0 }) });
// @ts-expect-error another kind of value
bids.over({ order: 'at' }, { total: sum('price') });
// @ts-expect-error not a duration
bids.over({ order: 'at' }, { total: rolling(sum('price'), { range: '10 minutes' }) });
// @ts-expect-error a name that is taken
bids.over({ order: 'at' }, { price: rowNumber() });
// @ts-expect-error nothing is known to identify these rows
view('moving', { from: moving });
// @ts-expect-error no such column
bids.over({ order: 'at' }, { f: firstValue('prise') });
// @ts-expect-error a frame looks so far behind the row, and not to the end of the group
bids.over({ order: 'at' }, { f: rolling(sum('price'), { rows: { before: 1, after: 'all' } }) });
