import {
  avg,
  collect,
  computed,
  count,
  Decimal,
  decimal,
  instant,
  max,
  min,
  stream,
  sum,
  sumIf,
  table,
  view,
  type EventOf,
  type RowOf,
} from 'stillwater';
import { z } from 'zod';
import type { Equal, Expect } from './expect.js';

const sales = stream('sales', {
  schema: z.object({
    at: instant(),
    shop: z.enum(['north', 'south']),
    price: decimal(2),
    discount: decimal(2).optional(),
    grade: z.enum(['1', '2']),
  }),
});
const shops = table('shops', {
  schema: z.object({
    shop: z.enum(['north', 'south', 'west']),
    rent: decimal(2).nullable(),
    grade: z.string(),
  }),
  key: 'shop',
});

export const perShop = sales.groupBy('shop').aggregate({
  sales: count(),
  total: sum('price'),
  discounts: sum('discount'),
  high: sumIf('price', (sale) => Decimal.compare(sale.price, 100) > 0),
  mean: avg('price'),
  least: min('price'),
  most: max('discount'),
  prices: collect('price'),
});
export const joined = perShop.leftJoin({ of: shops }, { on: { shop: 'shop' } });
export const byGrade = sales.join({ of: shops }, { on: { grade: 'grade' } });
export const net = view('net', {
  from: sales.select({
    id: '$position',
    net: computed(decimal(2), (sale) => Decimal.round(Decimal.mul(sale.price, '0.93'), 2)),
    text: computed(decimal(0), () => '7'),
    number: computed(decimal(1), () => 7.5),
  }),
  key: 'id',
  indexes: ['net.desc'],
});

type Grouped = RowOf<typeof perShop>;
export type Checks = [
  Expect<
    Equal<
      RowOf<typeof sales>,
      {
        at: string;
        shop: 'north' | 'south';
        price: Decimal;
        discount: Decimal | null;
        grade: '1' | '2';
      }
    >
  >,
  Expect<Equal<EventOf<typeof sales>['price'], string | number>>,
  Expect<
    Equal<
      Grouped,
      {
        shop: 'north' | 'south';
        sales: number;
        total: Decimal;
        discounts: Decimal | null;
        high: Decimal | null;
        mean: Decimal;
        least: Decimal;
        most: Decimal | null;
        prices: Decimal[];
      }
    >
  >,
  Expect<
    Equal<
      RowOf<typeof joined>['of'],
      { shop: 'north' | 'south' | 'west'; rent: Decimal | null; grade: string } | null
    >
  >,
  Expect<Equal<RowOf<typeof net>, { id: string; net: Decimal; text: Decimal; number: Decimal }>>,
];

// @ts-expect-error text is not summed
sales.groupBy('shop').aggregate({ total: sum('at') });
// @ts-expect-error nor is an enum of what looks like numbers
sales.groupBy('shop').aggregate({ total: sum('grade') });
// @ts-expect-error decimals equal no text
sales.join({ of: shops }, { on: { price: 'grade' } });
// @ts-expect-error not a number
computed(decimal(2), () => true);
