import {
  collect,
  count,
  countIf,
  declarationErrors,
  denseRank,
  instant,
  lag,
  lead,
  rank,
  firstValue,
  lastValue,
  rolling,
  variance,
  type Frame,
  rowNumber,
  stream,
  some,
  sum,
  tumbling,
  view,
} from 'stillwater';
import { z } from 'zod';
import { explainView } from '../../src/view/explain.js';
import type { Collection } from '../../src/view/collection.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';

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
      'bad-option: The `count` of top() is 0, and not a whole number from 1 to 10000.',
      'bad-option: The `offset` of top() is -1, and not a whole number from 0 to 9999.',
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
    ]);
    const codes = (from: Collection<any, any>) =>
      declarationErrors([declared(from, ['region', 'price'])]).map(({ code }) => code);
    expect(codes(placed.top(1, { per: ['price', 'region'], order: 'price' }))).toEqual([]);
    const placedBy = (from: Collection<any, any>) => [
      from.plan.relation.partitions,
      from.plan.relation.partitionedBy,
    ];
    expect(placedBy(placed.top(1, { per: ['price', 'region'], order: 'price' }))).toEqual([4, ['region']]);
    expect(placedBy(placed.top(1, { per: 'price', order: 'price' }))).toEqual([4, ['price']]);
    expect(placedBy(placed.top(1, { order: 'price' }))).toEqual([1, []]);
    expect(codes(placed.top(1, { per: 'price', order: 'price' }))).toEqual([]);
  });

  it('see all up to them, those of equal order included, by any order; so much before them by none but one column', () => {
    const peered = (frame: Frame) =>
      declarationErrors([
        declared(
          bids.over(
            { order: ['bidder', 'at'] },
            { s: rolling(count(), frame), f: lastValue('price', frame) },
          ),
          ['auction', 'bidder'],
        ),
      ]).map(({ code }) => code);
    expect(peered({ range: 'all' })).toEqual([]);
    expect(peered({ range: 0 })).toEqual([]);
    expect(peered({ range: { before: 'all' } })).toEqual([]);
    expect(peered({ range: { before: 'all', after: 1 } })).toEqual(['bad-order', 'bad-order']);
    const explained = explainView(
      declared(
        bids.over(
          { order: ['bidder', 'at'] },
          {
            soFar: rolling(
              countIf((bid) => bid.price === 2),
              { range: 'all' },
            ),
            alike: rolling(
              some((bid) => bid.price === 2),
              { range: 0 },
            ),
          },
        ),
      ),
    ).operators.find(({ op }) => op === 'over');
    expect(explained!.what).toBe(
      'soFar = countIf((bid)=>bid.price === 2) of all up to it, alike = some((bid)=>bid.price === 2) of those of equal order by bidder, at',
    );
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
      'wrong-type: "bidder" says when a row was and does not hold instants.',
    ]);
    const seen: any = stream('seen', {
      schema: z.object({ k: z.string(), at: instant(), left: instant().nullable() }),
    });
    const [error] = declarationErrors([
      declared(seen.dedupe({ by: 'k', within: '1h', on: 'left' }), ['k', 'at'] as never),
    ]);
    expect(error!.message).toContain('dedupe() goes by "left", which may be null');
    expect(error!.message).toContain('computed(instant(), (row) => row.left ?? …)');
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

describe('rows with what they have of their place', () => {
  it('keep their key, and have the columns behind their own', () => {
    const { relation } = perAuction.over({ order: 'bids' }, { n: rowNumber(), p: lag('bids') }).plan;
    expect(relation).toMatchObject({ uniqueKey: ['auction'], appendOnly: false, log: null, watermarks: [] });
    expect(relation.columns.map(({ name, type }) => [name, type.nullable])).toEqual([
      ['auction', false],
      ['bids', false],
      ['n', false],
      ['p', true],
    ]);
  });

  it('show null where there is no such row, unless another value is named', () => {
    const { columns } = bids.over(
      { order: 'at' },
      { p: lag('bidder'), q: lead('bidder', { default: '' }), s: rolling(sum('price'), { rows: 2 }) },
    ).plan.relation;
    expect(columns.slice(-3).map(({ name, type }) => [name, type.nullable])).toEqual([
      ['p', true],
      ['q', false],
      ['s', true],
    ]);
  });

  it('are refused with all reasons at once', () => {
    const given = {
      price: rowNumber(),
      a: lag('prise' as never, { offset: -1 }),
      b: lead('bidder', { default: 7 as never }),
      c: rolling(collect('price'), { rows: 3 }),
      d: rolling(count(), { rows: 0 }),
      e: rolling(count(), { range: 10 }),
      f: count() as never,
      g: rolling(count(), { rows: { before: 'all', after: -1 } }),
      h: firstValue('bidder', { range: { before: '1h', after: 'soon' as never } }),
      i: lastValue('tags' as never, { rows: { before: 1.5 } }),
    };
    expect(problems(bids.over({ order: 'at' }, given as never))).toEqual([
      'column-twice: The rows have a column "price" already.',
      'unknown-column: There is no column "prise" to look back to.',
      'bad-option: The `offset` of lag() is -1, and not a whole number from 0 to 1000.',
      'bad-option: The default of the column "b" is no value of "bidder".',
      'bad-option: The column "c" rolls an aggregate that cannot be: collect.',
      'bad-option: The `rows` of the frame of the column "d" is 0, and not a whole number from 1 to 1000.',
      'bad-option: The column "e" has an impossible range.',
      'bad-option: The column "f" of over() is nothing that a row has of its place.',
      'bad-option: The `after` of the frame of the column "g" is -1, and not a whole number from 0 to 1000.',
      'bad-option: The column "h" has an impossible range.',
      'unknown-column: There is no column "tags" to look ahead to.',
      'bad-option: The `before` of the frame of the column "i" is 1.5, and not a whole number from 0 to 1000.',
    ]);
    // What is refused is not missing as well.
    const refused: any = bids.over({ order: 'at' }, { e: rolling(count(), { range: 'soon' as never }) });
    expect(problems(refused.select({ auction: 'auction', e: 'e' }))).toEqual([
      'bad-option: The column "e" has an impossible range.',
    ]);
    expect(problems(bids.over({} as never, {}))).toEqual([
      'no-order: Nothing is said of the order of the rows of over().',
      'no-columns: over() makes no columns.',
    ]);
    expect(
      problems(bids.over({ order: ['at', 'price'] }, { s: rolling(count(), { range: '10m' }) })).concat(
        problems(bids.over({ order: 'bidder' }, { s: rolling(count(), { range: '10m' }) })),
      ),
    ).toEqual(
      Array(2).fill(
        'bad-order: The range of the column "s" is measured by the order, which is not one column of instants or of numbers.',
      ),
    );
  });

  it('are another view where anything of them differs', () => {
    const prints = [
      bids.over({ order: 'at' }, { n: rowNumber() }),
      bids.over({ order: 'at.desc' }, { n: rowNumber() }),
      bids.over({ order: 'at', per: 'auction' }, { n: rowNumber() }),
      bids.over({ order: 'at' }, { m: rowNumber() }),
      bids.over({ order: 'at' }, { n: rank() }),
      bids.over({ order: 'at' }, { n: lag('auction') }),
      bids.over({ order: 'at' }, { n: lead('auction') }),
      bids.over({ order: 'at' }, { n: lag('auction', { offset: 2 }) }),
      bids.over({ order: 'at' }, { n: lag('auction', { default: 0 }) }),
      bids.over({ order: 'at' }, { n: rolling(count(), { rows: 2 }) }),
      bids.over({ order: 'at' }, { n: rolling(count(), { range: '2m' }) }),
      bids.over({ order: 'at' }, { n: rolling(count('price'), { rows: 2 }) }),
      bids.over({ order: 'at' }, { n: rolling(count(), { rows: 'all' }) }),
      bids.over({ order: 'at' }, { n: rolling(count(), { range: 'all' }) }),
      bids.over({ order: 'at' }, { n: rolling(count(), { rows: { before: 1, after: 1 } }) }),
      bids.over({ order: 'at' }, { n: rolling(variance('price'), { rows: 2 }) }),
      bids.over({ order: 'at' }, { n: rolling(variance('price', { population: true }), { rows: 2 }) }),
      bids.over(
        { order: 'at' },
        {
          n: rolling(
            countIf((bid) => bid.price === 2),
            { rows: 2 },
          ),
        },
      ),
      bids.over(
        { order: 'at' },
        {
          n: rolling(
            countIf((bid) => bid.price === 3),
            { rows: 2 },
          ),
        },
      ),
      bids.over({ order: 'at' }, { n: firstValue('price') }),
      bids.over({ order: 'at' }, { n: firstValue('price', { rows: 2 }) }),
      bids.over({ order: 'at' }, { n: lastValue('price') }),
    ].map((from) => declared(from, ['auction', 'bidder']).fingerprint);
    expect(new Set(prints).size).toBe(22);
  });

  it('are one view however the same frame is said', () => {
    const printOf = (frame: Frame) =>
      declared(bids.over({ order: 'at' }, { n: rolling(count(), frame) }), ['auction', 'bidder']).fingerprint;
    expect(printOf({ rows: 3 })).toBe(printOf({ rows: { before: 2 } }));
    expect(printOf({ rows: 'all' })).toBe(printOf({ rows: { before: 'all', after: 0 } }));
    expect(printOf({ range: '90m' })).toBe(printOf({ range: { before: '1.5h' } }));
  });

  it('say what they cost: as much as there are ranks that move', () => {
    const explained = (from: Collection<any, any>) =>
      explainView(declared(from)).operators.find(({ op }) => op === 'over');
    expect(explained(perAuction.over({ order: 'bids.desc' }, { r: rank(), d: denseRank() }))).toMatchObject({
      what: 'r = rank(), d = denseRank() by bids.desc',
      cost: 'O(the ranks that move)',
      growth: 'grows with its input',
    });
    expect(
      explained(
        bids.over(
          { per: 'auction', order: 'at' },
          {
            p: lag('bidder', { default: '' }),
            s: rolling(sum('price'), { range: '90m' }),
            c: rolling(count(), { rows: 3 }),
          },
        ),
      ),
    ).toMatchObject({
      what: 'p = lag(bidder, 1) or "", s = sum(price) of the last 90m, c = count() of the last 3 of each auction by at',
      cost: 'O(|Δ| · rows in sight)',
      growth: 'grows for ever',
    });
    expect(
      explained(
        bids.over(
          { order: 'at' },
          {
            s: rolling(sum('price'), { rows: 'all' }),
            t: rolling(sum('price'), { range: { before: '1h', after: '5m' } }),
            f: firstValue('bidder'),
            l: lastValue('bidder', { rows: { after: 2 } }),
          },
        ),
      ),
    ).toMatchObject({
      what:
        's = sum(price) of all up to it, t = sum(price) of 1h before it and 5m behind it, f = firstValue(bidder), ' +
        'l = lastValue(bidder) of 0 before it and 2 behind it by at',
      cost: 'O(the rows behind)',
    });
  });
});

describe('rows whose groups the watermark passes', () => {
  const timed = stream('timed', {
    schema: z.object({ at: instant(), auction: z.int(), price: z.int() }),
    eventTime: 'at',
    lateness: '10m',
  });
  const windows = timed.window(tumbling('1h')).rows();
  const known = (from: Collection<any, any>) => {
    const { watermarks, lates } = from.plan.relation;
    const key = ['at', 'auction'] as [string, string];
    const { operators } = explainView(declared(from, key));
    return [watermarks.map(({ column }) => column), lates, operators.at(-2)!.growth];
  };

  it('are freed one by one where they are in the order of a time, and nothing looks at the ends of the group', () => {
    const by = (order: string, columns: object) =>
      known(timed.over({ per: 'auction', order } as never, columns as { n: ReturnType<typeof rank> }));
    const soFar = rolling(sum('price'), { rows: 'all' });
    expect(by('at', { n: rowNumber(), p: lag('price'), soFar })).toEqual([['at'], false, 'freed by at']);
    expect(by('at', { n: lead('price') })).toEqual([[], false, 'freed by at']);
    expect(by('at,price', { n: rank() })).toEqual([['at'], false, 'freed by at']);
    expect(by('at.desc', { n: rank() })).toEqual([[], false, 'grows for ever']);
    expect(by('price,at', { n: rank() })).toEqual([[], false, 'grows for ever']);
    expect(by('at', { n: lastValue('price') })).toEqual([[], false, 'grows for ever']);
  });

  it('keep the watermarks of the columns that make a group, and say what frees them', () => {
    const per = ['auction', 'windowStart'] as const;
    expect(known(windows.top(2, { per, order: 'price' }))).toEqual([
      ['windowStart'],
      false,
      'freed by windowStart',
    ]);
    expect(known(windows.over({ per, order: 'price' }, { n: rowNumber() }))).toEqual([
      ['windowStart'],
      false,
      'freed by windowStart',
    ]);
    expect(known(windows.dedupe({ by: ['auction', 'windowEnd'] }))).toEqual([
      ['windowEnd'],
      false,
      'freed by windowEnd',
    ]);
    expect(known(timed.top(2, { per: 'auction', order: 'at' }))).toEqual([
      [],
      false,
      'the first rows of each group',
    ]);
  });

  it('are forgotten by their own time where they repeat others for so long', () => {
    const freed = [['at'], false, 'freed by at'];
    expect(known(timed.dedupe({ by: 'auction', within: '5m' }))).toEqual(freed);
    expect(known(timed.dedupe({ by: 'auction', within: '5m', on: 'at' }))).toEqual(freed);
    expect(known(windows.dedupe({ by: 'auction', within: '5m' }))).toEqual(freed);
    expect(known(bids.dedupe({ by: 'auction', within: '5m' }))).toEqual([[], false, 'grows for ever']);
  });
});
