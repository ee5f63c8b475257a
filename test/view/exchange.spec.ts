import { z } from 'zod';
import {
  collect,
  computed,
  count,
  countIf,
  first,
  instant,
  last,
  max,
  median,
  session,
  stream,
  sum,
  table,
  tumbling,
  view,
} from '../../src/index.js';
import { compileStage, compileView } from '../../src/view/compile-plan.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import { declarationOf } from '../../src/view/declaration-of.js';
import { exchanged, stageOf } from '../../src/view/exchange.js';
import { explainView } from '../../src/view/explain.js';
import type { PlanNode } from '../../src/view/plan.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { nodesOf } from '../../src/view/plan-nodes.js';
import { partitionsOfStage, stagesOf } from '../../src/view/stages.js';

const sales = stream('sales', {
  schema: z.object({ at: instant(), shop: z.string(), buyer: z.string(), amount: z.number() }),
  partitions: 3,
  partitionBy: 'shop',
  eventTime: 'at',
  lateness: '1h',
});
const buyers = table('buyers', { schema: z.object({ buyer: z.string(), city: z.string() }), key: 'buyer' });
const shops = table('shops', {
  schema: z.object({ shop: z.string(), city: z.string() }),
  key: 'shop',
  partitions: 3,
});
const declared = (from: object, options: object = {}): ViewDeclaration =>
  declarationOf(view('v', { from, ...options } as never)) as ViewDeclaration;
const codes = (from: object, options: object = {}): string[] =>
  declarationErrors([declared(from, options)]).map(({ code }) => code);
/** What moves the rows of a plan: by which columns, to how many partitions, out of which stage. */
const moves = (plan: PlanNode): (readonly [string, number, string])[] =>
  nodesOf(plan).flatMap((node) =>
    node.op === 'exchange' ? [[node.by.join(), node.relation.partitions, node.input.op] as const] : [],
  );

describe('rows that belong together and lie in different partitions', () => {
  it('are moved to where the columns they are grouped by place them', () => {
    expect(moves(sales.groupBy('buyer').aggregate({ n: count() }).plan)).toEqual([['buyer', 3, 'parts']]);
    expect(moves(sales.groupBy().aggregate({ n: count() }).plan)).toEqual([['', 1, 'parts']]);
    expect(moves(sales.groupBy('shop', 'buyer').aggregate({ n: count() }).plan)).toEqual([]);
    expect(moves(sales.select({ buyer: 'buyer' }).distinct().plan)).toEqual([['buyer', 3, 'select']]);
    expect(moves(sales.dedupe({ by: 'buyer', within: '1h', on: 'at' }).plan)).toEqual([
      ['buyer', 3, 'source'],
    ]);
  });

  it('are moved without the columns that nobody reads', () => {
    const moved = (results: object) =>
      nodesOf(sales.groupBy('buyer').aggregate(results as { n: never }).plan)
        .find(({ op }) => op === 'exchange')!
        .relation.columns.map(({ name }) => name);
    expect(moved({ n: median('amount') })).toEqual(['buyer', 'amount']);
    expect(moved({ n: first('amount', { by: 'at' }) })).toEqual(['at', 'buyer', 'amount']);
  });

  it('are folded before they are moved, where what is kept of a group is all that its results need', () => {
    const moved = (rows: { groupBy: any }, results: object) =>
      moves(rows.groupBy('buyer').aggregate(results).plan)[0]![2];
    expect(moved(sales, { n: count(), amount: sum('amount'), most: max('amount') })).toBe('parts');
    expect(moved(sales, { n: count(), middle: median('amount') })).not.toBe('parts');
    expect(moved(sales, { n: count(), latest: last('amount') })).not.toBe('parts');
    // Of a table whose rows go, the greatest is looked for among all that are left.
    const spread = table('spread', {
      schema: z.object({ buyer: z.string(), city: z.string() }),
      key: 'buyer',
      partitions: 2,
    });
    const perCity = (results: object) =>
      moves(spread.groupBy('city').aggregate(results as never).plan)[0]![2];
    expect(perCity({ every: count(), some: countIf(({ buyer }: { buyer: string }) => buyer > 'm') })).toBe(
      'parts',
    );
    expect(perCity({ most: max('buyer') })).not.toBe('parts');
    const perMinute = sales.window(tumbling('1m')).groupBy('buyer').aggregate({ n: count() });
    expect(moves(perMinute.plan)).toEqual([['buyer', 3, 'parts']]);
  });

  it('are moved by what is computed to group by', () => {
    const byLetter = sales
      .groupBy({ letter: computed(z.string(), (sale) => sale.buyer.slice(0, 1)) })
      .aggregate({ n: count() });
    expect(moves(byLetter.plan)).toEqual([['letter', 3, 'parts']]);
    expect(codes(byLetter)).toEqual([]);
  });

  it('are moved before they are put in sessions, and after they are put in windows', () => {
    const inSessions = sales.window(session('30m')).groupBy('buyer').aggregate({ n: count() });
    expect(moves(inSessions.plan)).toEqual([['buyer', 3, 'source']]);
    const inWindows = sales.window(tumbling('1h')).groupBy('buyer').aggregate({ n: count() }).final();
    expect(moves(inWindows.plan)).toEqual([['buyer', 3, 'parts']]);
    // Time goes with them.
    expect(codes(inWindows)).toEqual([]);
  });

  it('are moved on the side of a join that does not lie as the other; what lies well is passed on', () => {
    const withCity = sales.join({ home: buyers }, { on: { buyer: 'buyer' } });
    expect(moves(withCity.plan)).toEqual([
      ['buyer', 3, 'source'],
      ['buyer', 3, 'source'],
    ]);
    expect(moves(sales.join({ where: shops }, { on: { shop: 'shop' } }).plan)).toEqual([]);
    const perShop = sales.semiJoin(buyers, { on: { shop: 'buyer' } });
    expect(moves(perShop.plan)).toEqual([
      ['shop', 3, 'source'],
      ['buyer', 3, 'source'],
    ]);
    const perBuyer = sales.groupBy('buyer').aggregate({ n: count() });
    expect(moves(perBuyer.join({ home: buyers }, { on: { buyer: 'buyer' } }).plan)).toEqual([
      ['buyer', 3, 'parts'],
      ['buyer', 3, 'source'],
    ]);
    for (const joined of [withCity, perShop, perBuyer.join({ home: buyers }, { on: { buyer: 'buyer' } })])
      for (const node of nodesOf(joined.plan))
        if ('left' in node) expect(stageOf(node.left)).toBe(stageOf(node.right));
  });

  it('need not be moved to be united, unless the others were', () => {
    const names = sales.select({ buyer: 'buyer' });
    const known = buyers.select({ buyer: 'buyer' });
    expect(moves(names.union(known).plan)).toEqual([]);
    expect(names.union(known).plan.relation).toMatchObject({ partitions: 3, partitionedBy: null });
    expect(moves(names.distinct().union(known).plan)).toEqual([
      ['buyer', 3, 'select'],
      ['', 1, 'select'],
    ]);
  });

  it('have no place in a log any more', () => {
    expect(codes(sales.groupBy('buyer').aggregate({ first: first('amount') }))).not.toEqual([]);
    expect(codes(sales.groupBy('shop').aggregate({ first: first('amount') }))).toEqual([]);
    expect(codes(sales.groupBy('buyer').aggregate({ all: collect('amount') }))).toEqual([]);
  });
});

describe('a view', () => {
  it('has the partitions it is told to have, by its key', () => {
    const perShop = sales.groupBy('shop').aggregate({ n: count() });
    expect(moves(declared(perShop).plan)).toEqual([]);
    expect(moves(declared(perShop, { partitions: 8 }).plan)).toEqual([['shop', 8, 'aggregate']]);
    expect(declared(perShop, { partitions: 8 }).partitions).toBe(8);
    const perBuyer = sales.groupBy('buyer').aggregate({ n: count() });
    expect(moves(declared(perBuyer, { partitions: 8 }).plan)).toEqual([['buyer', 3, 'parts']]);
    expect(declared(perBuyer, { partitions: 8 }).partitions).toBe(8);
    expect(declared(buyers, { partitions: 4 })).toMatchObject({ partitions: 4 });
    expect(codes(perShop, { partitions: 0 })).toEqual(['bad-partitions']);
  });

  it('is another one with another number of them', () => {
    const perBuyer = sales.groupBy('buyer').aggregate({ n: count() });
    const fingerprints = [undefined, 3, 8, 9].map(
      (partitions) => declared(perBuyer, partitions === undefined ? {} : { partitions }).fingerprint,
    );
    expect(new Set(fingerprints).size).toBe(3);
    expect(fingerprints[0]).toBe(fingerprints[1]);
  });

  it('moves rows to where its key is looked for', () => {
    expect(moves(declared(sales.select({ buyer: 'buyer', shop: 'shop' }), { key: 'buyer' }).plan)).toEqual([
      ['buyer', 3, 'select'],
    ]);
  });

  it('is explained with what it moves', () => {
    const { operators, text } = explainView(declared(sales.groupBy('buyer').aggregate({ n: count() })));
    expect(operators.map(({ op }) => op)).toEqual(['source', 'parts', 'exchange', 'aggregate', 'view']);
    expect(text).toContain('moves rows to the partition of buyer, of 3');
    const all = explainView(declared(sales.groupBy().aggregate({ n: count() })));
    expect(all.text).toContain('moves all rows to one partition');
  });

  it('is compiled stage by stage: what one sends the next receives, and all know of time what any acts on', () => {
    const budget = { entriesMax: 10 };
    const declaration = declared(
      sales
        .window(tumbling('1h'))
        .groupBy('buyer')
        .aggregate({ n: count(), amount: sum('amount') })
        .leftJoin({ home: buyers }, { on: { buyer: 'buyer' } }),
      { partitions: 5 },
    );
    expect(stagesOf(declaration)).toBe(2);
    expect([0, 1].map((stage) => partitionsOfStage(declaration, stage))).toEqual([3, 5]);
    const [sends, shows] = [0, 1].map((stage) => compileStage(declaration, stage, { budget }));
    expect(sends!.sent!.exchanges).toHaveLength(2);
    expect(shows!.received).toEqual(['exchange:0', 'exchange:1']);
    expect(shows!.sent).toBeNull();
    expect([sends!.inputs.map(({ name }) => name), shows!.inputs]).toEqual([
      ['stream:sales', 'table:buyers'],
      [],
    ]);
    expect([...sends!.timed]).toEqual([...compileView(declaration, { budget }).timed]);
    expect(new Set([...sends!.states, ...shows!.states].map(({ name }) => name)).size).toBeGreaterThan(3);
  });
});

describe('an exchange', () => {
  it('keeps what is known of rows but their place', () => {
    const node = exchanged(sales.plan, ['buyer'], 3, null);
    expect(node.relation).toMatchObject({
      columns: sales.plan.relation.columns,
      watermarks: sales.plan.relation.watermarks,
      lates: true,
      appendOnly: true,
      log: null,
      partitions: 3,
      partitionedBy: ['buyer'],
    });
  });
});
