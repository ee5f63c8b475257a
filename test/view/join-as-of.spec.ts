import { declarationErrors, instant, stream, table, view } from 'stillwater';
import { z } from 'zod';
import { explainView } from '../../src/view/explain.js';
import { at, Timed } from '../support/timed.js';

const trades = stream('trades', {
  schema: z.object({ id: z.int(), at: instant(), product: z.string() }),
  eventTime: 'at',
  lateness: '5m',
});
const prices = table('prices', {
  schema: z.object({ product: z.string(), since: instant(), price: z.number() }),
  key: 'product',
  eventTime: 'since',
  lateness: '10m',
});
const plain = table('plain', {
  schema: z.object({ product: z.string(), price: z.number() }),
  key: 'product',
});
const on = { product: 'product' } as const;

const trade = (id: number, time: string, product = 'tea') => ({ id, at: at(time), product });
const price = (time: string, value: number, product = 'tea') => ({ product, since: at(time), price: value });
const paid = (of: Timed): string[] => of.rows.map((row: any) => `${row.id} ${row.price?.price ?? '-'}`);

describe('a join as of a time', () => {
  it('shows each event with what was true when it happened, whatever the order they come in', () => {
    const joined = new Timed(
      view('v', { from: trades.leftJoinAsOf({ price: prices }, { on }), key: 'id' }).declaration,
    );
    joined.tick({ 'table:prices': [price('10:00', 1), price('11:00', 2)] });
    joined.tick({
      'stream:trades': [trade(1, '09:59'), trade(2, '10:30'), trade(3, '11:00'), trade(4, '11:00', 'milk')],
    });
    expect(paid(joined)).toEqual(['1 -', '2 1', '3 2', '4 -']);
    joined.tick({ 'table:prices': [price('10:55', 1.5), price('10:52', 3, 'milk')] });
    expect(paid(joined)).toEqual(['1 -', '2 1', '3 2', '4 3']);
    joined.tick({ 'stream:trades': [trade(5, '10:56')] });
    expect(paid(joined)).toEqual(['1 -', '2 1', '3 2', '4 3', '5 1.5']);
    joined.tick({ 'table:prices': [[{ product: 'tea', since: at('10:58') } as never, -1]] });
    joined.tick({ 'stream:trades': [trade(6, '10:59')] });
    expect(paid(joined)).toEqual(['1 -', '2 1', '3 2', '4 3', '5 1.5', '6 -']);
  });

  it('keeps no more than what may still be asked for', () => {
    const joined = new Timed(
      view('v', { from: trades.joinAsOf({ price: prices }, { on }), key: 'id' }).declaration,
    );
    const kept: number[] = [];
    for (let hour = 1; hour < 20; hour++) {
      const time = `${String(hour).padStart(2, '0')}:00`;
      joined.tick({ 'table:prices': [price(time, hour)] });
      joined.tick({ 'stream:trades': Array.from({ length: 20 }, (_, n) => trade(hour * 100 + n, time)) });
      kept.push(joined.kept);
    }
    expect(joined.rows).toHaveLength(19 * 20);
    expect(kept.at(-1)).toBe(kept[4]);
  });

  it('lags behind both, says what it keeps, and is another one of another time', () => {
    const from = trades.joinAsOf({ price: prices }, { on });
    expect(from.plan.relation).toMatchObject({
      appendOnly: false,
      lates: false,
      watermarks: [
        {
          column: 'at',
          time: [
            { source: 'stream:trades', delayMs: 0 },
            { source: 'table:prices', delayMs: 0 },
          ],
        },
      ],
    });
    const declared = (given: object) => (view as any)('v', { from: given, key: 'id' }).declaration;
    const explained = (given: object) =>
      explainView(declared(given)).operators.find(({ op }) => op === 'joinAsOf');
    expect(explained(from)).toMatchObject({
      what: 'join price on product as of at',
      growth: 'freed by at and price.since',
    });
    const forever = table('forever', {
      schema: prices.declaration.schema,
      key: 'product',
      eventTime: 'since',
    } as never) as any;
    expect(explained((trades as any).joinAsOf({ price: forever }, { on }))).toMatchObject({
      growth: 'grows for ever',
    });
    expect(declared(from).fingerprint).not.toBe(
      declared(trades.leftJoinAsOf({ price: prices }, { on })).fingerprint,
    );
  });

  it('is of a table that says since when its records hold, by its whole key', () => {
    const some: any = trades;
    const codes = (from: any): string[] =>
      declarationErrors([(view as any)('v', { from, key: 'id' }).declaration]).map(({ code }) => code);
    expect(codes(some.joinAsOf({ price: plain }, { on }))).toEqual(['no-versions']);
    expect(codes(some.joinAsOf({ price: prices.where(() => true) }, { on }))).toEqual(['no-versions']);
    expect(codes(some.joinAsOf({ price: prices }, { on: { product: 'product', at: 'since' } }))).toEqual([
      'join-keys',
    ]);
    expect(codes(some.joinAsOf({ price: prices }, { on, at: 'product' }))).toEqual(['wrong-type']);
    expect(codes((plain as any).joinAsOf({ p: prices }, { on }))).toContain('no-time-column');
  });

  it('reads the records and the rows of one table', () => {
    const from = trades
      .joinAsOf({ then: prices }, { on })
      .leftJoin({ now: prices }, { on: { product: 'product' } })
      .select({ id: 'id', then: 'then.price', now: 'now.price' });
    const joined = new Timed(view('v', { from, key: 'id' }).declaration);
    joined.tick({
      'table:prices': [price('10:00', 1), price('11:00', 2)],
      'stream:trades': [trade(1, '10:30')],
    });
    expect(joined.rows).toEqual([{ id: 1, then: 1, now: 2 }]);
  });
});
