import { z } from 'zod';
import type { RecordSource } from '../../runtime/placement.js';
import { count, sum } from '../../view/aggregates.js';
import { computed } from '../../view/computed.js';
import { declarationOf } from '../../view/declaration-of.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { stream } from '../../view/stream.js';
import { view } from '../../view/view.js';
import { appended, type Shape, type Shown, type Subject } from './subject.js';

const ACCOUNTS = ['a', 'b', 'c', 'd', 'e', 'f'];

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

/** Transfers between accounts, and what each account has. */
export function accounts({ partitions, buckets, retain }: Partial<Shape>) {
  const transfers = stream('transfers', {
    schema: z.object({ from: z.string(), to: z.string(), amount: z.int() }),
    partitions,
    partitionBy: 'from',
    ...(retain && { retain }),
  });
  const balances = view('balances', {
    from: transfers
      .flatMap(z.object({ account: z.string(), amount: z.int() }), ({ from, to, amount }) => [
        { account: from, amount: -amount },
        { account: to, amount },
      ])
      .groupBy('account')
      .aggregate({ amount: sum('amount') }),
    ...(buckets && { buckets }),
  });
  return { transfers, balances };
}

/**
 * What one account gives another one gets: a sum over all of them is always 0, in a view that reads their balances in several
 * partitions as well. `mayTear`: it is said that it need not be.
 */
export function transferred(
  { partitions, buckets, retain }: Shape,
  options: { readonly mayTear?: true } = {},
): Subject {
  const { transfers, balances } = accounts({ partitions: 3, buckets, retain });
  const sides = view('sides', {
    from: balances
      .select({
        side: computed(z.string(), ({ amount }) => (amount < 0 ? 'debit' : 'credit')),
        amount: 'amount',
      })
      .groupBy('side')
      .aggregate({ amount: sum('amount'), accounts: count() }),
    partitions: 2,
    buckets,
    ...options,
  });
  const total = view('total', {
    from:
      partitions === 1
        ? balances.groupBy().aggregate({ total: sum('amount'), accounts: count() })
        : sides.groupBy().aggregate({ total: sum('amount'), accounts: sum('accounts') }),
    buckets,
    ...options,
  });
  return {
    name: `transferred, the total of ${partitions === 1 ? 'balances' : 'sides'}`,
    views: [balances, sides, total].map((each) => declarationOf(each) as ViewDeclaration),
    always: ({ total = 0 }) => total === 0,
    sources: [
      appended(declarationOf(transfers) as RecordSource, (random): Transfer => ({
        from: random.of(ACCOUNTS),
        to: random.of(ACCOUNTS),
        amount: random.below(20),
      })),
    ],
    expected(log) {
      const amounts = new Map<string, number>();
      for (const entries of log.values())
        for (const [, [, data]] of entries) {
          const { from, to, amount } = JSON.parse(data!) as Transfer;
          amounts.set(from, (amounts.get(from) ?? 0) - amount);
          amounts.set(to, (amounts.get(to) ?? 0) + amount);
        }
      const bySide: Shown = new Map();
      for (const amount of amounts.values()) {
        const side = amount < 0 ? 'debit' : 'credit';
        const known = bySide.get(side) ?? { side, amount: 0, accounts: 0 };
        bySide.set(side, {
          side,
          amount: Number(known['amount']) + amount,
          accounts: Number(known['accounts']) + 1,
        });
      }
      const accounts = amounts.size;
      return new Map<string, Shown>([
        ['balances', new Map([...amounts].map(([account, amount]) => [account, { account, amount }]))],
        ['sides', bySide],
        ['total', new Map(accounts === 0 ? [] : [['', { total: 0, accounts }]])],
      ]);
    },
  };
}
