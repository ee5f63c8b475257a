import {
  avg,
  Decimal,
  decimal,
  declarationErrors,
  max,
  min,
  rolling,
  stream,
  sum,
  table,
  variance,
  view,
} from 'stillwater';
import { z } from 'zod';
import { columnsOf } from '../../src/view/columns.js';
import { kindOf, typeText } from '../../src/view/column.js';
import { indexOrderText } from '../../src/view/index-order.js';
import { RowDecoder } from '../../src/runtime/row-decoder.js';
import { compareText } from '../../src/zset/text-order.js';
import { Timed } from '../support/timed.js';

const money = decimal(2);
const read = (value: unknown): unknown => {
  const result = money.safeParse(value);
  return result.success ? result.data : result.error.issues[0]!.message;
};

describe('a decimal', () => {
  it.each([
    ['12.5', '12.50'],
    ['-3', '-3.00'],
    ['1.25e1', '12.50'],
    [12.5, '12.50'],
    [0.1, '0.10'],
    [-0, '0.00'],
    ['123456789012345678901234567890.12', '123456789012345678901234567890.12'],
  ])('reads %p as text of its scale', (given, text) => {
    expect(read(given)).toBe(text);
  });

  it.each([
    ['12.505', /12\.505 has 3 digits behind the point, and there is place for 2/],
    [0.1 + 0.2, /has 17 digits behind the point/],
    ['1e200', /expected a number/],
    [`1${'0'.repeat(100)}`, /more than 100 digits before the point/],
    [2 ** 53, /beyond 2\^53/],
    [Infinity, /infinite/],
    ['twelve', /expected a number, as text \('12\.50'\)/],
    ['', /expected a number/],
    [null, /expected a number/],
    [true, /expected a number/],
    [{}, /expected a number/],
  ])('refuses %p and says why', (given, message) => {
    expect(read(given)).toMatch(message);
  });

  it('is a column of its own kind, with a scale; another scale is another kind', () => {
    const { columns } = columnsOf(
      z.object({
        a: money,
        b: money.nullable(),
        c: decimal(0).optional(),
        d: money.default('1.00'),
        e: z.array(money),
        f: z.union([money, z.null()]),
        g: z.union([money, decimal(3)]),
        h: money.refine((value) => value !== '0.00'),
      }),
    )!;
    expect(columns.map(({ name, type }) => [name, typeText(type)])).toEqual([
      ['a', 'decimals(2)'],
      ['b', 'decimals(2) or null'],
      ['c', 'decimals(0) or null'],
      ['d', 'decimals(2)'],
      ['e', 'decimals(2)[]'],
      ['f', 'decimals(2) or null'],
      ['g', 'anything'],
      ['h', 'decimals(2)'],
    ]);
    expect(kindOf(columns[0]!.type)).not.toBe(kindOf(columns[2]!.type));
  });

  it('is refused at the declaration where its scale is none', () => {
    for (const scale of [-1, 2.5, 101, NaN]) {
      const { declaration } = (stream as any)('s', { schema: z.object({ a: decimal(scale) }) });
      expect(declarationErrors([declaration]).map(({ message }) => message)).toEqual([
        expect.stringContaining(`decimal(${scale}), whose scale is not a whole number up to 100`),
      ]);
    }
  });

  it('may be a key, and is not joined with decimals of another scale, nor with text', () => {
    const prices = (table as any)('prices', {
      schema: z.object({ price: money, name: z.string() }),
      key: 'price',
    });
    const offers = (stream as any)('offers', {
      schema: z.object({ at: money, exact: decimal(4), text: z.string() }),
    });
    const problems = (on: object) => {
      const { declaration } = (view as any)('v', { from: offers.join({ p: prices }, { on }), key: 'at' });
      return declarationErrors([declaration]).map(({ code }: { code: string }) => code);
    };
    expect(problems({ at: 'price' })).toEqual([]);
    expect(problems({ exact: 'price' })).toEqual(['join-types']);
    expect(problems({ text: 'price' })).toEqual(['join-types']);
  });

  it('is decoded by generated code as by its schema', () => {
    const schema = z.object({ a: money, b: money.nullable() });
    const decoder = new RowDecoder({ schema, columns: columnsOf(schema)!.columns });
    for (const a of ['12.50', '12.5', '-0.00', '0.00', 12.5, '12.505', 'x', null, '01.00'])
      expect(decoder.decode({ a, b: a })).toEqual(decoder.decodeBySchema({ a, b: a }));
    expect(decoder.decode({ a: 3, b: null })).toEqual({ a: '3.00', b: null });
  });

  it('is ordered as the number it stands for, nulls last', () => {
    const schema = z.object({ a: money.nullable() });
    const { columns } = columnsOf(schema)!;
    const values = ['9.00', '10.00', '-1.00', '-10.00', '0.00', null, '0.05', '100.00'];
    const sorted = (descending: boolean) => {
      const text = indexOrderText({ columns: [{ path: 'a', descending, column: columns[0]! }] });
      return [...values].sort((left, right) => compareText(text({ a: left }), text({ a: right })));
    };
    const ascending = ['-10.00', '-1.00', '0.00', '0.05', '9.00', '10.00', '100.00', null];
    expect(sorted(false)).toEqual(ascending);
    expect(sorted(true)).toEqual([...ascending].reverse());
  });
});

describe('decimals that are rolled over', () => {
  it('are added up and compared as the numbers they are, in any frame', () => {
    const paid = stream('paid', { schema: z.object({ n: z.int(), amount: money.nullable() }) });
    const from = paid.over(
      { order: 'n' },
      {
        two: rolling(sum('amount'), { rows: 2 }),
        soFar: rolling(sum('amount'), { rows: 'all' }),
        mean: rolling(avg('amount'), { rows: 'all' }),
        least: rolling(min('amount'), { rows: 2 }),
        most: rolling(max('amount'), { rows: 'all' }),
      },
    );
    const kept = new Timed(view('v', { from, key: 'n' }).declaration);
    kept.tick({
      'stream:paid': [
        { n: 1, amount: '9.99' },
        { n: 2, amount: '10.10' },
        { n: 3, amount: null },
        { n: 4, amount: '-0.10' },
      ],
    });
    expect(kept.rows.map(({ two, soFar, mean, least, most }) => [two, soFar, mean, least, most])).toEqual([
      ['9.99', '9.99', expect.stringMatching(/^9\.990*$/), '9.99', '9.99'],
      ['20.09', '20.09', expect.stringMatching(/^10\.0450*$/), '9.99', '10.10'],
      ['10.10', '20.09', expect.stringMatching(/^10\.0450*$/), '10.10', '10.10'],
      ['-0.10', '19.99', expect.stringMatching(/^6\.663/), '-0.10', '10.10'],
    ]);
  });

  it('have no variance, which is of numbers', () => {
    const paid: any = stream('paid', { schema: z.object({ n: z.int(), amount: money }) });
    const from = paid.over({ order: 'n' }, { v: rolling(variance('amount' as never), { rows: 2 }) });
    expect(declarationErrors([view('v', { from, key: 'n' } as never).declaration])[0]!.code).toBe(
      'wrong-type',
    );
  });
});

describe('decimal arithmetic', () => {
  it('is exact', () => {
    expect(Decimal.add('0.1', '0.20')).toBe('0.30');
    expect(Decimal.add(0.1, 0.2)).toBe('0.3');
    expect(Decimal.sub('1.00', '1')).toBe('0.00');
    expect(Decimal.mul('19.99', '0.075')).toBe('1.49925');
    expect(Decimal.round('1.49925', 2)).toBe('1.50');
    expect([Decimal.round('2.5', 0), Decimal.round('-2.5', 0), Decimal.round('2', 3)]).toEqual([
      '3',
      '-3',
      '2.000',
    ]);
    expect([Decimal.compare('10.0', '9'), Decimal.compare('1.50', 1.5), Decimal.compare(-1, '0')]).toEqual([
      1, 0, -1,
    ]);
  });

  it('refuses what is no number', () => {
    expect(() => Decimal.add('x' as never, 1)).toThrow('x is not a decimal number.');
    expect(() => Decimal.round(NaN, 1)).toThrow('NaN is not a decimal number.');
  });
});
