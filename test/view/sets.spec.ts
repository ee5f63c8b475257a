import { declarationErrors, instant, stream, table, view } from 'stillwater';
import { z } from 'zod';
import type { Collection } from '../../src/view/collection.js';
import { explainView } from '../../src/view/explain.js';

const orders = stream('orders', { schema: z.object({ customer: z.string(), amount: z.int() }) });
const customers = table('customers', { schema: z.object({ id: z.string(), city: z.string() }), key: 'id' });
const buyers = orders.select({ id: 'customer' });
const known = customers.select({ id: 'id' });

describe('collections that are compared', () => {
  it('are known by the key of a side, else by all columns where each row comes once', () => {
    expect(known.except(buyers).plan.relation.uniqueKey).toEqual(['id']);
    expect(buyers.except(known).plan.relation.uniqueKey).toEqual(['id']);
    expect(buyers.except(known, { all: true }).plan.relation.uniqueKey).toBeNull();
    expect(buyers.intersect(known, { all: true }).plan.relation.uniqueKey).toEqual(['id']);
  });

  it('only gain rows where both sides only gain rows and those of both are shown', () => {
    expect(buyers.intersect(buyers).plan.relation).toMatchObject({ appendOnly: true, log: null });
    expect(buyers.intersect(known).plan.relation.appendOnly).toBe(false);
    expect(buyers.except(buyers).plan.relation.appendOnly).toBe(false);
  });

  it('have the same columns, in any order', () => {
    const pairs = orders.select({ a: 'customer', b: 'amount' });
    const turned = orders.select({ b: 'amount', a: 'customer' });
    const plan = pairs.except(turned).plan;
    expect(plan.op === 'except' && plan.right.relation.columns.map((column) => column.name)).toEqual([
      'a',
      'b',
    ]);
    const wrong = view('wrong', { from: pairs.except(buyers as never), key: ['a', 'b'] });
    expect(declarationErrors([wrong.declaration])).toMatchObject([
      {
        code: 'union-columns',
        message: expect.stringContaining('Collections of different columns are compared.'),
      },
    ]);
  });

  it('lie together, row by row', () => {
    const placed = (partitionBy: 'customer' | 'amount') =>
      stream(`placed-by-${partitionBy}`, {
        schema: z.object({ customer: z.string(), amount: z.int() }),
        partitions: 4,
        partitionBy,
      });
    const codes = (from: Collection<any, any>) =>
      declarationErrors([view('v', { from, key: ['customer', 'amount'] } as never).declaration]).map(
        ({ code }) => code,
      );
    expect(codes(placed('customer').except(placed('customer')))).toEqual([]);
    expect(codes(placed('customer').except(placed('amount')))).toEqual([]);
    const moved = placed('customer').intersect(orders).plan.relation;
    expect([moved.partitions, moved.partitionedBy]).toEqual([4, ['customer']]);
  });

  it('are another view where copies count, or the sides are turned', () => {
    const prints = [
      known.except(buyers),
      buyers.except(known),
      known.except(buyers, { all: true }),
      known.intersect(buyers),
    ].map((from) => view('v', { from, key: 'id' }).declaration.fingerprint);
    expect(new Set(prints).size).toBe(4);
  });

  it('say what they keep', () => {
    const explained = explainView(view('v', { from: known.except(buyers) }).declaration).operators;
    expect(explained.find(({ op }) => op === 'except')).toMatchObject({
      what: 'the rows that are not in the other',
      cost: 'O(|Δ|)',
      growth: 'grows for ever',
    });
  });

  it('keep what may still come or go, where a column has a watermark on both sides', () => {
    const eventsOf = (name: string, lateness?: '1h') =>
      stream(name, {
        schema: z.object({ at: instant(), id: z.string() }),
        eventTime: 'at',
        ...(lateness && { lateness }),
      });
    const [sent, seen, odd] = [eventsOf('sent', '1h'), eventsOf('seen', '1h'), eventsOf('odd')];
    const known = (from: Collection<any, any>) => {
      const declared = view('v', { from, key: ['at', 'id'] } as never).declaration;
      const { op, growth } = explainView(declared).operators.at(-2)!;
      return [
        op,
        growth,
        from.plan.relation.watermarks.map(({ column }) => column),
        from.plan.relation.lates,
      ];
    };
    expect(known(sent.except(seen))).toEqual(['except', 'freed by at', ['at'], false]);
    expect(known(sent.intersect(seen, { all: true }))).toEqual(['intersect', 'freed by at', ['at'], false]);
    expect(known(sent.except(odd))).toEqual(['except', 'grows for ever', [], false]);
    expect(sent.except(seen).plan.relation.watermarks[0]!.time).toEqual([
      { source: 'stream:sent', delayMs: 0 },
      { source: 'stream:seen', delayMs: 0 },
    ]);
  });
});
