import { count, declarationErrors, instant, stream, view } from 'stillwater';
import { z } from 'zod';
import { explainView } from '../../src/view/explain.js';
import type { Collection } from '../../src/view/collection.js';
import type { ViewDeclaration } from '../../src/view/plan.js';

const bids = stream('bids', {
  schema: z.object({
    at: instant(),
    auction: z.int(),
    bidder: z.string(),
    price: z.number().nullable(),
    item: z.object({ name: z.string() }),
  }),
  eventTime: 'at',
});
const perAuction = bids.groupBy('auction').aggregate({ bids: count() });
const declared = (
  from: Collection<any, any>,
  key: string | [string, ...string[]] = 'auction',
): ViewDeclaration => view('v', { from, key } as never).declaration;
const problems = (from: Collection<any, any>): string[] =>
  declarationErrors([declared(from)]).map(({ code, message }) => `${code}: ${message.split('\n')[0]!}`);

describe('the first rows of groups', () => {
  it('are known by their group where each has one, by their own key, or by their place', () => {
    const key = ({ plan }: Collection<any, any>) => plan.relation.uniqueKey;
    expect(key(bids.top(1, { per: ['bidder', 'auction'], order: 'at' }))).toEqual(['bidder', 'auction']);
    expect(key(bids.top(1, { order: 'at' }))).toEqual([]);
    expect(key(bids.top(2, { per: 'auction', order: 'at', rank: 'place' }))).toEqual(['auction', 'place']);
    expect(key(bids.top(2, { per: 'auction', order: 'at' }))).toBeNull();
    expect(key(bids.top(1, { per: 'item.name', order: 'at' }))).toBeNull();
    expect(key(perAuction.top(2, { order: 'bids', rank: 'place' }))).toEqual(['auction']);
  });

  it('come and go, and have a column for their place behind the others', () => {
    const { relation } = bids.top(2, { per: 'auction', order: 'at', rank: 'place' }).plan;
    expect(relation).toMatchObject({ appendOnly: false, log: null, watermarks: [], lates: false });
    expect(relation.columns.at(-1)).toMatchObject({
      name: 'place',
      type: { kind: 'number', integer: true, nullable: false },
    });
  });

  it('are ordered by the words that indexes are declared with', () => {
    const { plan } = bids.top(2, { order: ['price.desc', 'item.name', 'at.asc'] });
    expect(plan.op === 'top' && plan.order).toMatchObject([
      { path: 'price', descending: true },
      { path: 'item.name', descending: false },
      { path: 'at', descending: false },
    ]);
  });

  it('are refused with all reasons at once', () => {
    const wrong = { per: ['auktion', 'item'], order: ['prise', 'item'], offset: -1, rank: 'bidder' };
    expect(problems(bids.top(0, wrong as never))).toEqual([
      'unknown-column: There is no column "auktion" to group by.',
      'wrong-type: "item" is grouped by and does not hold text, numbers or booleans.',
      'bad-order: The rows of top() are ordered by a column that there is not: "prise".',
      'bad-order: The rows of top() are ordered by a column that has no order: "item".',
      'bad-option: top() has an impossible count.',
      'bad-option: top() has an impossible offset.',
      'column-twice: The rows have a column "bidder" already.',
    ]);
    expect(problems(bids.top(1, {} as never))).toEqual([
      'no-order: Nothing is said of the order of the rows of top().',
    ]);
    expect(problems(bids.top(6_000, { per: 'auction', order: 'at', offset: 6_000 }))).toEqual([
      'bad-option: top() shows rows too far from the beginning of their order.',
    ]);
  });

  it('lie in one partition for each group', () => {
    const placed = stream('placed', {
      schema: z.object({ region: z.string(), price: z.int() }),
      partitions: 4,
      partitionBy: 'region',
    });
    expect(problems(placed.top(1, { per: ['price', 'region'], order: 'price' }))).toEqual([
      'unknown-column: View "v" has no column "auction" to be its key.',
      expect.stringContaining('needs-exchange'),
    ]);
    const codes = (from: Collection<any, any>) =>
      declarationErrors([declared(from, ['region', 'price'])]).map(({ code }) => code);
    expect(codes(placed.top(1, { per: ['price', 'region'], order: 'price' }))).toEqual([]);
    expect(codes(placed.top(1, { per: 'price', order: 'price' }))).toEqual(['needs-exchange']);
    expect(codes(placed.top(1, { order: 'price' }))).toEqual(['needs-exchange']);
  });

  it('are another view where anything of them differs', () => {
    const prints = [
      bids.top(1, { per: 'auction', order: 'at' }),
      bids.top(2, { per: 'auction', order: 'at' }),
      bids.top(1, { per: 'bidder', order: 'at' }),
      bids.top(1, { per: 'auction', order: 'at.desc' }),
      bids.top(1, { per: 'auction', order: 'at', offset: 1 }),
      bids.top(1, { per: 'auction', order: 'at', rank: 'place' }),
    ].map((from) => declared(from, ['auction', 'bidder']).fingerprint);
    expect(new Set(prints).size).toBe(6);
  });

  it('say what they keep: of rows that never go only those that are shown', () => {
    const explained = (from: Collection<any, any>) =>
      explainView(declared(from)).operators.find(({ op }) => op === 'top');
    expect(
      explained(bids.top(3, { per: 'auction', order: 'price.desc', offset: 1, rank: 'place' })),
    ).toMatchObject({
      what: 'the first 3 after the first 1 of each auction by price.desc, their place as place',
      cost: 'O(|Δ| log n)',
      growth: 'the first rows of each group',
    });
    expect(explained(perAuction.top(3, { order: 'bids.desc' }))).toMatchObject({
      what: 'the first 3 by bids.desc',
      growth: 'grows with its input',
    });
  });
});

describe('rows without repetitions', () => {
  it('are known by what they are compared by where one is left of each, else by their own key', () => {
    const key = ({ plan }: Collection<any, any>) => plan.relation.uniqueKey;
    expect(key(bids.dedupe({ by: ['bidder', 'auction'] }))).toEqual(['bidder', 'auction']);
    expect(key(bids.dedupe({ by: 'item.name' }))).toBeNull();
    expect(key(bids.dedupe({ by: 'auction', within: '10m' }))).toBeNull();
    expect(bids.dedupe({ by: 'auction', within: '10m' }).plan.relation).toMatchObject({
      appendOnly: false,
      log: null,
    });
  });

  it('are refused with all reasons at once', () => {
    expect(problems(perAuction.dedupe({ by: 'auction', within: 'soon' as never }))).toEqual([
      'bad-option: dedupe() has an impossible `within`.',
      'no-order: dedupe() is asked of rows that no longer come straight from one stream: nothing says which came first.',
    ]);
    expect(problems(bids.dedupe({ by: [] as never, on: 'bidder' }))).toEqual([
      'no-columns: dedupe() does not say which rows repeat one another.',
      'wrong-type: "bidder" says when a row was and does not always hold an instant.',
    ]);
  });

  it('are another view where anything of them differs', () => {
    const prints = [
      bids.dedupe({ by: 'auction' }),
      bids.dedupe({ by: 'bidder' }),
      bids.dedupe({ by: 'auction', within: '10m' }),
      bids.dedupe({ by: 'auction', on: 'at' }),
    ].map((from) => declared(from, ['auction', 'bidder']).fingerprint);
    expect(new Set(prints).size).toBe(4);
  });

  it('say what they keep', () => {
    const explained = (from: Collection<any, any>) =>
      explainView(declared(from)).operators.find(({ op }) => op === 'dedupe');
    expect(explained(bids.dedupe({ by: 'auction', within: '90m' }))).toMatchObject({
      what: 'each but those with another of their auction at most 90m before them, by their place in the log',
      growth: 'grows for ever',
    });
    expect(explained(bids.dedupe({ by: 'auction', on: 'at' }))).toMatchObject({
      what: 'the first of each auction by at',
      growth: 'the first rows of each group',
    });
  });
});
