import { count, max, stream, sum, view, type RowOf } from 'stillwater';
import { z } from 'zod';
import type { Equal, Expect } from './expect.js';

const orders = stream('orders', {
  schema: z.discriminatedUnion('type', [
    z.object({
      type: z.literal('OrderPlaced'),
      orderId: z.string(),
      lines: z.array(z.object({ sku: z.string() })),
      amount: z.number(),
    }),
    z.object({ type: z.enum(['OrderPaid', 'OrderRefunded']), orderId: z.string(), amount: z.number() }),
    z.object({
      type: z.literal('OrderDeleted'),
      orderId: z.string(),
      by: z.object({ name: z.string() }).optional(),
    }),
  ]),
  unknownTypes: 'skip',
});
const readings = stream('readings', { schema: z.object({ sensor: z.string(), value: z.number() }) });

const Order = z.object({
  status: z.enum(['new', 'placed', 'paid']),
  lines: z.int(),
  note: z.string().optional(),
});
const initial = { status: 'new', lines: 0 } as const;

export const summary = orders
  .groupBy('orderId')
  .evolve(Order, initial)
  .on({
    OrderPlaced: (order, event) => ({ ...order, status: 'placed', lines: event.lines.length }),
    OrderPaid: (order, event) => {
      const type: 'OrderPaid' = event.type;
      return { ...order, status: 'paid', note: type };
    },
    OrderDeleted: () => null,
  });
export const summaryView = view('order-summary', { from: summary, indexes: ['status'] });
export const placed = orders.of('OrderPlaced').where((event) => event.lines.length > 0);
export const some = orders.where((event) => event.orderId !== '').of('OrderPaid', 'OrderDeleted');
export const perOrder = orders
  .groupBy('orderId')
  .aggregate({ events: count(), total: sum('amount'), last: max('by.name') });
export const shaped = orders.select({ id: 'orderId', amount: 'amount', type: 'type' });
export const counted = readings
  .groupBy('sensor')
  .evolve(z.object({ readings: z.int(), last: z.number().nullable() }), { readings: 0, last: null })
  .with((state, event) => ({ readings: state.readings + 1, last: event.value }));
export const machine = orders
  .groupBy('orderId')
  .evolve(
    z.discriminatedUnion('state', [
      z.object({ state: z.literal('open'), lines: z.int() }),
      z.object({ state: z.literal('closed') }),
    ]),
    { state: 'open', lines: 0 },
  )
  .on({ OrderPaid: () => ({ state: 'closed' }) });

export type Checks = [
  Expect<
    Equal<
      RowOf<typeof summaryView>,
      { orderId: string; status: 'new' | 'placed' | 'paid'; lines: number; note: string | null }
    >
  >,
  Expect<
    Equal<
      RowOf<typeof placed>,
      { type: 'OrderPlaced'; orderId: string; lines: { sku: string }[]; amount: number }
    >
  >,
  Expect<
    Equal<
      RowOf<typeof some>,
      | { type: 'OrderPaid'; orderId: string; amount: number }
      | { type: 'OrderDeleted'; orderId: string; by: { name: string } | null }
    >
  >,
  Expect<
    Equal<
      RowOf<typeof perOrder>,
      { orderId: string; events: number; total: number | null; last: string | null }
    >
  >,
  Expect<
    Equal<
      RowOf<typeof shaped>,
      {
        id: string;
        amount: number | null;
        type: 'OrderPlaced' | 'OrderPaid' | 'OrderRefunded' | 'OrderDeleted';
      }
    >
  >,
  Expect<Equal<RowOf<typeof counted>, { sensor: string; readings: number; last: number | null }>>,
  Expect<
    Equal<
      RowOf<typeof machine>,
      { orderId: string; state: 'open'; lines: number } | { orderId: string; state: 'closed' }
    >
  >,
];

export const upcasted = stream('upcasted', {
  schema: z.object({ a: z.string() }),
  decoder: 'envelope',
  upcast: (event) => ({ a: String(event.old) }),
});
export const decoded = stream('decoded', {
  schema: z.object({ a: z.string() }),
  decoder: ({ id, fields }) => (fields.a === undefined ? null : { a: `${id}${fields.a}` }),
});
// @ts-expect-error no decoder of this name
stream('s', { schema: z.object({ a: z.string() }), decoder: 'xml' });

const folding = orders.groupBy('orderId').evolve(Order, initial);
const plain = readings.groupBy('sensor').evolve(Order, initial);
const Tagged = z.discriminatedUnion('t', [z.object({ t: z.literal('a') })]);

// Types of events that there are not
// @ts-expect-error no such type
orders.of('OrderPlacd');
// @ts-expect-error no such type among those that are left
orders.of('OrderPaid').of('OrderPlaced');
// @ts-expect-error no such type
folding.on({ OrderPlacd: () => null });
// @ts-expect-error events of one kind
readings.of('Reading');
// @ts-expect-error events of one kind
plain.on({ Reading: () => null });
// @ts-expect-error events of one kind
stream('s', { schema: z.object({ a: z.string() }), unknownTypes: 'skip' });
// @ts-expect-error no option of this name
stream('s', { schema: Tagged, unknownTypes: 'ignore' });

// States
// @ts-expect-error not a state of the schema
orders.groupBy('orderId').evolve(Order, { status: 'old', lines: 0 });
// @ts-expect-error not a state of the schema
folding.on({ OrderPaid: (order) => ({ ...order, status: 'old' }) });
// @ts-expect-error undefined is no state
folding.on({ OrderPaid: () => undefined });
// @ts-expect-error a column of the group
orders.groupBy('orderId').evolve(z.object({ orderId: z.string() }), { orderId: '' });
// @ts-expect-error not JSON
orders.groupBy('orderId').evolve(z.object({ at: z.date() }), { at: new Date(0) });
// @ts-expect-error an async function
folding.on({ OrderPaid: async (order) => order });
// @ts-expect-error an async function
plain.with(async (order) => order);
// @ts-expect-error a column of another type of event
orders.of('OrderPlaced').groupBy('by');
