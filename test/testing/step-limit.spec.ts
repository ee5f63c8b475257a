import { z } from 'zod';
import { computed, count, stream, sum, view } from 'stillwater';
import { given } from 'stillwater/testing';

const orders = stream('orders', { schema: z.object({ customer: z.string(), amount: z.int() }) });
const loops = (amount: number): boolean => {
  for (let n = amount; n !== 0;) n = n > 0 ? n : n + 1;
  return true;
};
const some = given(orders, [
  { customer: 'ada', amount: -3 },
  { customer: 'bob', amount: 4 },
]);
const within = { stepMsMax: 200 };

describe('a view function that does not come to an end', () => {
  it('is stopped, and named with its view', () => {
    const endless = view('endless', {
      from: orders
        .where(({ amount }) => loops(amount))
        .groupBy('customer')
        .aggregate({ n: count() }),
    });
    expect(() => some.expect(endless, within).rows([])).toThrow(
      /step of the view "endless".*of `where`[^]*stopped after {2}200 ms[^]*loops\(amount\)/,
    );
    expect(() => some.expect(endless, within).converges({ runs: 1 })).toThrow(/"endless"/);
  });

  it('is found in a view that another reads, and in what it gives', () => {
    const upstream = view('upstream', {
      from: orders.flatMap(z.object({ amount: z.int() }), function* ({ amount }) {
        while (loops(amount)) yield { amount };
      }),
      key: ['amount'],
    });
    const over = view('over', { from: upstream.groupBy('amount').aggregate({ n: count() }) });
    expect(() => some.expect(over, within).rows([])).toThrow(/view "upstream".*of `flatMap`/);
  });

  it('leaves what is tested next as it was', () => {
    expect(performance.now()).toBeGreaterThan(0);
    expect(Date.now()).toBeGreaterThan(0);
    const doubled = view('doubled', {
      from: orders
        .select({ customer: 'customer', twice: computed(z.int(), ({ amount }) => amount * 2) })
        .groupBy('customer')
        .aggregate({ twice: sum('twice') }),
    });
    some.expect(doubled, within).rows([
      { customer: 'ada', twice: -6 },
      { customer: 'bob', twice: 8 },
    ]);
    some.expect(doubled).converges({ runs: 2 });
  });
});

describe('the functions of a tested view', () => {
  it('are handed the initial state as production hands it out: it cannot be changed', () => {
    const changing = view('changing', {
      from: orders
        .groupBy('customer')
        .evolve(z.object({ sum: z.int(), lines: z.array(z.int()) }), { sum: 0, lines: [] })
        .with((state, { amount }) => {
          if (amount > 0) state.sum += amount;
          else state.lines.push(amount);
          return state;
        }),
    });
    some
      .expect(changing)
      .rows([])
      .errors([/^TypeError: Cannot add property 0/, /^TypeError: Cannot assign to read only property 'sum'/]);
  });
});
