import {
  count,
  declarationErrors,
  declarationOf,
  instant,
  max,
  rowNumber,
  session,
  sliding,
  stream,
  sum,
  table,
  tumbling,
  view,
} from 'stillwater';
import { given, History } from 'stillwater/testing';
import { z } from 'zod';
import { at, Timed } from '../support/timed.js';
import { explainView } from '../../src/view/explain.js';
import type { SourceDeclaration, ViewDeclaration } from '../../src/view/declarations.js';

const placed = z.object({
  type: z.literal('Placed'),
  orderId: z.string(),
  lines: z.array(z.object({ sku: z.string(), n: z.int() })),
});
const paid = z.object({
  type: z.literal('Paid'),
  orderId: z.string(),
  amount: z.number(),
  note: z.string().optional(),
});
const closed = z.object({ type: z.enum(['Closed', 'Lost']), orderId: z.string() });
const deleted = z.object({ type: z.literal('Deleted'), orderId: z.string() });
const events = z.discriminatedUnion('type', [placed, paid, closed, deleted]);
const orders = stream('orders', { schema: events });

const Order = z.object({
  status: z.enum(['new', 'placed', 'paid', 'closed', 'lost']),
  lines: z.int(),
  paid: z.number(),
  note: z.string().optional(),
});
const nothing = { status: 'new', lines: 0, paid: 0 } as const;
const summary = view('order-summary', {
  from: orders
    .groupBy('orderId')
    .evolve(Order, nothing)
    .on({
      Placed: (order, event) => ({ ...order, status: 'placed', lines: event.lines.length }),
      Paid: (order, event) => ({
        ...order,
        status: 'paid',
        paid: order.paid + event.amount,
        note: event.note ?? order.note,
      }),
      Closed: (order, event) => ({ ...order, status: event.type === 'Closed' ? 'closed' : 'lost' }),
      Deleted: () => null,
    }),
  indexes: ['status,lines.desc'],
});
const line = { sku: 'a', n: 1 };

const loose = (from: unknown, options: object = {}): ViewDeclaration =>
  (view as any)('v', { from, ...options }).declaration;
const codes = (declaration: SourceDeclaration): string[] =>
  declarationErrors([declaration]).map(({ code }) => code);
const anyOrders = orders as any;
const folding = (from: any = anyOrders.groupBy('orderId')): any => from.evolve(Order, nothing);

describe('a stream of several types of events', () => {
  it('has the columns of all, null in events that have them not', () => {
    expect(orders.plan.relation.columns.map(({ name, type }) => [name, type.kind, type.nullable])).toEqual([
      ['type', 'enum', false],
      ['orderId', 'string', false],
      ['lines', 'array', true],
      ['amount', 'number', true],
      ['note', 'string', true],
    ]);
    const amounts = view('amounts', {
      from: orders.groupBy('type', 'amount').aggregate({ events: count() }),
    });
    given(orders, [
      { type: 'Paid', orderId: 'o1', amount: 2 },
      { type: 'Deleted', orderId: 'o1' },
    ])
      .expect(amounts)
      .rows([
        { type: 'Paid', amount: 2, events: 1 },
        { type: 'Deleted', amount: null, events: 1 },
      ]);
  });

  it('is narrowed to one type, or to some, with their columns', () => {
    const one = orders.of('Paid');
    expect(one.plan.relation.columns.map(({ name, type }) => [name, type.nullable])).toEqual([
      ['type', false],
      ['orderId', false],
      ['amount', false],
      ['note', true],
    ]);
    expect(
      orders.of('Paid', 'Lost').plan.relation.columns.map(({ name, type }) => [name, type.nullable]),
    ).toEqual([
      ['type', false],
      ['orderId', false],
      ['amount', true],
      ['note', true],
    ]);
    const perOrder = view('paid', { from: one.groupBy('orderId').aggregate({ payments: count() }) });
    const lost = view('lost', {
      from: orders.of('Lost', 'Deleted').groupBy('type').aggregate({ n: count() }),
    });
    const history = given(orders, [
      { type: 'Placed', orderId: 'o1', lines: [line] },
      { type: 'Paid', orderId: 'o1', amount: 2 },
      { type: 'Paid', orderId: 'o1', amount: 3 },
      { type: 'Closed', orderId: 'o1' },
      { type: 'Lost', orderId: 'o2' },
    ]);
    history.expect(perOrder).rows([{ orderId: 'o1', payments: 2 }]);
    history.expect(lost).rows([{ type: 'Lost', n: 1 }]);
  });

  it('keeps places in the log, watermarks and partitions when it is narrowed', () => {
    const at = instant();
    const { relation } = (stream as any)('s', {
      schema: z.discriminatedUnion('t', [
        z.object({ t: z.literal('a'), k: z.string(), x: at }),
        z.object({ t: z.literal('b'), k: z.string(), x: at }),
      ]),
      eventTime: 'x',
      lateness: '1h',
      partitions: 4,
      partitionBy: 'k',
    }).of('a').plan;
    expect(relation).toMatchObject({
      log: 's',
      appendOnly: true,
      partitions: 4,
      partitionedBy: ['k'],
      lates: true,
      watermarks: [{ column: 'x', time: [{ source: 'stream:s', delayMs: 0 }] }],
    });
  });

  it('has no other types, and only one that is a discriminated union has types', () => {
    expect(codes(loose(anyOrders.of('Plcaed').groupBy('orderId').aggregate({ n: count() })))).toEqual([
      'unknown-type',
    ]);
    expect(codes(loose(anyOrders.of().groupBy('orderId').aggregate({ n: count() })))).toEqual([
      'unknown-type',
    ]);
    const plain = (stream as any)('plain', { schema: z.object({ a: z.string() }), unknownTypes: 'skip' });
    expect(codes(loose(plain.of('a').groupBy('a').aggregate({ n: count() })))).toEqual([
      'no-event-types',
      'no-event-types',
    ]);
    expect(codes((stream as any)('s', { schema: events, unknownTypes: 'ignore' }).declaration)).toEqual([
      'bad-option',
    ]);
  });
});

describe('evolve', () => {
  it('folds events by their types into one row per group', () => {
    given(orders, [
      { type: 'Placed', orderId: 'o1', lines: [line, line] },
      { type: 'Placed', orderId: 'o2', lines: [line] },
      { type: 'Paid', orderId: 'o1', amount: 2.5, note: 'cash' },
      { type: 'Placed', orderId: 'o3', lines: [] },
      { type: 'Deleted', orderId: 'o3' },
    ])
      .expect(summary)
      .rows([
        { orderId: 'o1', status: 'paid', lines: 2, paid: 2.5, note: 'cash' },
        { orderId: 'o2', status: 'placed', lines: 1, paid: 0, note: null },
      ])
      .afterwards(orders, [
        { type: 'Closed', orderId: 'o1' },
        { type: 'Lost', orderId: 'o2' },
        { type: 'Paid', orderId: 'o3', amount: 1 },
      ])
      .rows([
        { orderId: 'o1', status: 'closed', lines: 2, paid: 2.5, note: 'cash' },
        // No handler for it: what is lost stays as it was.
        { orderId: 'o2', status: 'placed', lines: 1, paid: 0, note: null },
        { orderId: 'o3', status: 'paid', lines: 0, paid: 1, note: null },
      ])
      .converges();
  });

  it('parks the key of an event that a handler throws on, or whose state its schema refuses', () => {
    const strict = view('strict', {
      from: orders
        .groupBy('orderId')
        .evolve(Order, nothing)
        .on({
          Paid: (order, event) => {
            if (event.amount === 13) throw new RangeError('unlucky');
            return { ...order, paid: order.paid + event.amount, lines: event.amount };
          },
        }),
    });
    const history = given(orders, [
      { type: 'Paid', orderId: 'o1', amount: 1 },
      { type: 'Paid', orderId: 'o1', amount: 13 },
      { type: 'Paid', orderId: 'o1', amount: 4 },
      { type: 'Paid', orderId: 'o2', amount: 0.5 },
      { type: 'Paid', orderId: 'o3', amount: 2 },
    ]);
    history
      .expect(strict)
      .rows([
        { orderId: 'o1', status: 'new', lines: 1, paid: 1, note: null },
        { orderId: 'o3', status: 'new', lines: 2, paid: 2, note: null },
      ])
      .errors([/^RangeError: unlucky The key is parked/, /which its schema refuses at lines/])
      .converges();
  });

  it('folds all events by one function where they are of one kind, grouped by what is computed', () => {
    const readings = stream('readings', { schema: z.object({ sensor: z.string(), value: z.number() }) });
    const runs = view('runs', {
      from: readings
        .groupBy({ first: 'sensor' })
        .evolve(z.object({ longest: z.int(), run: z.int() }), { longest: 0, run: 0 })
        .with((state, { value }) => {
          const run = value > 0 ? state.run + 1 : 0;
          return { run, longest: Math.max(run, state.longest) };
        }),
    });
    const history = given(
      readings,
      [1, 2, -1, 3, 4, 5, -1].map((value) => ({ sensor: 's1', value })),
    );
    history
      .expect(runs)
      .rows([{ first: 's1', longest: 3, run: 0 }])
      .converges();
  });

  it('can be selected from, joined and grouped again; its states lie in the rows of the view where they can', () => {
    const open = summary
      .where(({ status }) => status !== 'closed')
      .groupBy('status')
      .aggregate({ orders: count() });
    given(orders, [
      { type: 'Placed', orderId: 'o1', lines: [] },
      { type: 'Paid', orderId: 'o2', amount: 1 },
      { type: 'Closed', orderId: 'o2' },
    ])
      .expect(view('open', { from: open }))
      .rows([{ status: 'placed', orders: 1 }])
      .converges();
    const explained = explainView(summary.declaration).operators;
    expect(explained.map(({ op, cost, growth }) => [op, cost, growth])).toEqual([
      ['source', 'O(|Δ|)', 'none'],
      ['evolve', 'O(|Δ|)', 'one entry per group'],
      ['view', 'O(|Δ| log n)', 'one entry per key'],
    ]);
    expect(explained[1]!.what).toBe(
      'by orderId: status, lines, paid, note, changed by Placed, Paid, Closed, Deleted (kept in the view’s rows)',
    );
  });

  it('is refused where the order of the log is lost, or a group lies in several partitions', () => {
    const byPlace = (stream as any)('placed', { schema: events, partitions: 4, partitionBy: 'orderId' });
    expect(codes(loose(folding(byPlace.groupBy('orderId')).on({ Deleted: () => null })))).toEqual([]);
    expect(codes(loose(folding(byPlace.groupBy('type')).on({ Deleted: () => null })))).toContain(
      'evolve-partitions',
    );
    const things = (table as any)('things', { schema: z.object({ orderId: z.string() }), key: 'orderId' });
    for (const from of [things, anyOrders.select({ orderId: 'orderId' }).distinct(), summary])
      expect(codes(loose(folding((from as any).groupBy('orderId')).with((state: any) => state)))).toContain(
        'no-log-order',
      );
    expect(
      codes(loose(folding(anyOrders.unnest('lines', { as: 'line' }).groupBy('orderId')).with((s: any) => s))),
    ).toEqual([]);
  });

  it('is refused where a handler, the state or its beginning cannot be', () => {
    expect(codes(loose(folding().on({ Plcaed: () => null })))).toEqual(['unknown-type']);
    expect(codes(loose(folding().on({})))).toEqual(['no-handlers']);
    expect(codes(loose(folding().on({ Paid: async () => null })))).toEqual(['bad-function']);
    expect(codes(loose(folding().on({ Paid: 'paid' })))).toEqual(['bad-function']);
    expect(
      codes(
        loose(
          anyOrders
            .groupBy('orderId')
            .evolve(Order, {})
            .on({ Paid: () => null }),
        ),
      ),
    ).toEqual(['bad-initial-state']);
    const twice = z.object({ orderId: z.string() });
    expect(
      codes(
        loose(
          anyOrders
            .groupBy('orderId')
            .evolve(twice, { orderId: '' })
            .on({ Paid: () => null }),
        ),
      ),
    ).toEqual(['column-twice']);
    expect(
      codes(
        loose(
          anyOrders
            .groupBy('orderId')
            .evolve(Order, nothing, { stateBytesMax: 0 })
            .on({ Paid: () => null }),
        ),
      ),
    ).toEqual(['bad-option']);
    const shaped = anyOrders.select({ orderId: 'orderId', type: 'type' }).groupBy('orderId');
    expect(codes(loose(folding(shaped).on({ Paid: () => null })))).toEqual(['no-event-types']);
  });
});

describe('events of several types with a time', () => {
  const moves = stream('moves', {
    schema: z.discriminatedUnion('type', [
      z.object({ type: z.literal('In'), at: instant(), n: z.int() }),
      z.object({ type: z.literal('Out'), at: instant(), n: z.int(), to: z.string() }),
      z.object({ type: z.literal('Counted'), at: instant() }),
    ]),
    eventTime: 'at',
    lateness: '5m',
  });
  const history = given(moves, [
    { type: 'In', at: at('10:00'), n: 3 },
    { type: 'Out', at: at('10:01'), n: 1, to: 'x' },
    { type: 'Counted', at: at('10:20') },
    { type: 'In', at: at('10:02'), n: 9 },
  ]);

  it('are put into windows by it, all of them and those of some types, and are late by it', () => {
    const all = view('all', {
      from: moves
        .window(tumbling('10m'))
        .groupBy()
        .aggregate({ events: count(), latest: max('at') }),
    });
    const some = view('some', {
      from: moves
        .of('In', 'Out')
        .window(tumbling('10m'))
        .groupBy()
        .aggregate({ n: sum('n') })
        .final(),
    });
    const [first, third] = [
      { windowStart: at('10:00'), windowEnd: at('10:10') },
      { windowStart: at('10:20'), windowEnd: at('10:30') },
    ];
    history
      .expect(all)
      .rows([
        { ...first, events: 2, latest: at('10:01') },
        { ...third, events: 1, latest: at('10:20') },
      ])
      .late(1)
      .converges();
    history
      .expect(some)
      .rows([{ ...first, n: 4 }])
      .late(1)
      .converges();
  });

  it('have a column of instants of it', () => {
    const every = view('every', { from: moves.select({ place: '$position', at: 'at' }), key: 'place' });
    const { columns } = (declarationOf(every) as ViewDeclaration).plan.relation;
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ['place', expect.anything()],
      ['at', { kind: 'string', format: 'instant', nullable: false }],
    ]);
  });
});

describe('evolve in windows', () => {
  const steps = stream('steps', {
    schema: z.object({ at: instant(), id: z.int(), k: z.string() }),
    eventTime: 'at',
    lateness: '5m',
  });
  const step = (time: string, id: number, k = 'p') => ({ at: at(time), id, k });
  const State = z.object({ s: z.int() });
  const inWindows = steps
    .window(tumbling('10m'))
    .groupBy('k')
    .evolve(State, { s: 0 })
    .with(({ s }) => ({ s: s + 1 }));
  /** 10:03 and 10:08 come when 10:20 has closed their window; 10:16 while its own is open. */
  const history = given(steps, [step('10:00', 1), step('10:01', 2, 'q'), step('10:12', 3)])
    .and(steps, [step('10:20', 4), step('10:16', 5)])
    .and(steps, [step('10:03', 6), step('10:08', 7)])
    .and(steps, [step('11:30', 8)]);
  const row = (k: string, windowStart: string, windowEnd: string, s: number) => ({
    k,
    windowStart: at(windowStart),
    windowEnd: at(windowEnd),
    s,
  });
  const closed = [
    row('p', '10:00', '10:10', 1),
    row('q', '10:00', '10:10', 1),
    row('p', '10:10', '10:20', 2),
    row('p', '10:20', '10:30', 1),
  ];

  it('folds an event that is late while its window is open, and leaves it out when that is over', () => {
    history
      .expect(view('v', { from: inWindows }))
      .rows([...closed, row('p', '11:30', '11:40', 1)])
      .late(2)
      .converges();
  });

  it('is final when the window is over', () => {
    history
      .expect(view('v', { from: inWindows.final() }))
      .rows(closed)
      .late(2)
      .converges();
  });

  it('leaves out what is late for the moment that it is grouped by', () => {
    const moments = steps
      .groupBy('at')
      .evolve(State, { s: 0 })
      .with(({ s }) => ({ s: s + 1 }));
    given(steps, [step('10:00', 1), step('10:40', 2)])
      .and(steps, [step('10:00', 3), step('10:40', 4)])
      .expect(view('v', { from: moments.groupBy('at').aggregate({ t: sum('s') }) }))
      .rows([
        { at: at('10:00'), t: 1 },
        { at: at('10:40'), t: 2 },
      ])
      .late(1)
      .converges();
  });

  const byEnd = inWindows.select({ k: 'k', s: 's', t: 'windowEnd' });
  it.each<{ op: string; from: any; key?: string[] }>([
    { op: 'aggregate', from: inWindows.groupBy('windowEnd').aggregate({ t: sum('s'), n: count() }) },
    { op: 'top', from: inWindows.top(1, { per: 'windowEnd', order: 's.desc' }) },
    { op: 'over', from: inWindows.over({ per: 'windowEnd', order: 's.desc' }, { p: rowNumber() }) },
    { op: 'distinct', from: inWindows.distinct() },
    { op: 'except', from: inWindows.except(inWindows.where(({ s }) => s > 1)) },
    {
      op: 'session',
      from: byEnd
        .window(session('5m'), { on: 't' })
        .groupBy('k')
        .aggregate({ t: sum('s') }),
    },
    {
      op: 'sliding',
      from: byEnd
        .window(sliding('5m'), { on: 't' })
        .groupBy('k')
        .aggregate({ t: sum('s') }),
    },
    { op: 'dedupe', from: byEnd.dedupe({ by: 'k', within: '1m', on: 't' }), key: ['k', 't'] },
    {
      op: 'interval join',
      from: byEnd
        .join({ b: steps }, { on: { k: 'k' }, within: { before: '15m', after: '5m' } })
        .select({ k: 'k', s: 's', t: 't', id: 'b.id' }),
      key: ['k', 's', 't', 'id'],
    },
  ])('has the watermark that $op behind it acts on', ({ from, key }) => {
    history.expect((view as any)('v', { from, ...(key && { key }) })).converges();
  });

  it('has no watermark where it is grouped by no time: its late events are folded', () => {
    const all = steps
      .groupBy('k')
      .evolve(z.object({ last: instant() }), { last: at(0) })
      .with((_, event) => ({ last: event.at }));
    history
      .expect(view('v', { from: all }))
      .rows([
        { k: 'p', last: at('11:30') },
        { k: 'q', last: at('10:01') },
      ])
      .late(0);
    expect(all.plan.relation.watermarks).toEqual([]);
    const [error] = declarationErrors([loose((all as any).final())]);
    expect(error!.message).toContain('it is grouped by k, and not by at');
  });

  it('says what frees its groups, and what never will', () => {
    const growthOf = (from: any): string | undefined =>
      explainView(loose(from)).operators.find(({ op }) => op === 'evolve')?.growth;
    const endless = (stream as any)('endless', { schema: z.object({ at: instant(), k: z.string() }) });
    const byTime = endless.groupBy('at').evolve(State, { s: 0 });
    expect(growthOf(inWindows)).toBe('freed by windowEnd');
    expect(growthOf(byTime.with((state: any) => state))).toBe('grows for ever');
  });

  it('keeps nothing of a window that is over but its row, whatever became of it', () => {
    const folding = (fold: (state: { s: number }, id: number) => any) =>
      steps
        .window(tumbling('10m'))
        .groupBy('k')
        .evolve(State, { s: 0 })
        .with((state, { id }) => fold(state, id)) as any;
    const counted = folding(({ s }) => ({ s: s + 1 }));
    const parking = folding(({ s }, id) => {
      if (id % 2 === 1) throw new Error('odd');
      return { s: s + 1 };
    });
    const ending = folding(({ s }, id) => (id % 3 === 0 ? null : { s: s + 1 }));
    const grouped = counted
      .where(({ s }: any) => s > 0)
      .groupBy('k', 'windowEnd')
      .aggregate({ t: sum('s') });
    for (const from of [
      counted,
      parking,
      ending,
      counted.where(({ s }: any) => s !== 2),
      counted.final(),
      grouped,
    ]) {
      const kept = new Timed((view as any)('v', { from }).declaration);
      const most = [];
      for (let minute = 0; minute < 10_000; minute += 100) {
        const events = Array.from({ length: 100 }, (_, each) => ({
          at: at((minute + each) * 60_000),
          id: minute + each,
          k: 'p',
        }));
        kept.tick({ 'stream:steps': events });
        most.push(kept.kept);
        if (minute % 3_000 === 0) kept.restart();
      }
      // A group and when it is over, of the windows that are open.
      expect(Math.max(...most)).toBeLessThanOrEqual(6);
      kept.clock('stream:steps', at(11_000 * 60_000));
      expect(kept.kept).toBe(0);
    }
  });
});

describe('the fingerprint of folded events', () => {
  const of = (from: any): string => loose(from).fingerprint;
  const base = of(folding().on({ Deleted: () => null }));

  it('is the same for the same declaration', () => {
    // prettier-ignore
    expect(of(folding().on({ Deleted:  ( ) => (null) }))).toBe(base);
  });

  it('changes with handlers, types, states, limits and what the schema takes', () => {
    const others = [
      folding().on({ Deleted: () => nothing }),
      folding().on({ Closed: () => null }),
      folding().on({ Deleted: () => null, Closed: () => null }),
      folding().with(() => null),
      anyOrders
        .groupBy('orderId')
        .evolve(Order, { ...nothing, lines: 1 })
        .on({ Deleted: () => null }),
      anyOrders
        .groupBy('orderId')
        .evolve(Order.extend({ n: z.int().optional() }), nothing)
        .on({ Deleted: () => null }),
      anyOrders
        .groupBy('orderId')
        .evolve(Order, nothing, { stateBytesMax: 100 })
        .on({ Deleted: () => null }),
      folding(anyOrders.of('Deleted', 'Paid').groupBy('orderId')).on({ Deleted: () => null }),
      folding((stream as any)('orders', { schema: events, unknownTypes: 'skip' }).groupBy('orderId')).on({
        Deleted: () => null,
      }),
      folding(
        (stream as any)('orders', {
          schema: z.discriminatedUnion('type', [placed, paid, closed, deleted.extend({ by: z.string() })]),
        }).groupBy('orderId'),
      ).on({ Deleted: () => null }),
      folding(
        (stream as any)('orders', { schema: z.discriminatedUnion('type', [placed, paid, deleted]) }).groupBy(
          'orderId',
        ),
      ).on({ Deleted: () => null }),
    ].map(of);
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
  });

  it('of a narrowed stream counts what events must have to be decoded, of whatever type they are', () => {
    const narrow = (more: Record<string, z.ZodType>): string =>
      of(
        (stream as any)('orders', {
          schema: z.discriminatedUnion('type', [placed, paid, deleted.extend(more)]),
        })
          .of('Paid')
          .groupBy('orderId')
          .aggregate({ n: count() }),
      );
    expect(narrow({ by: z.string() })).not.toBe(narrow({}));
    expect(narrow({ by: z.string().optional() })).toBe(narrow({}));
  });

  it('of any stream counts what its schema asks of records as wholes', () => {
    const fp = (schema: any): string =>
      of((stream as any)('s', { schema }).groupBy('a').aggregate({ n: count() }));
    const plain = z.object({ a: z.string(), b: z.int().optional() });
    const all = [
      fp(plain),
      fp(plain.refine(({ a }) => a !== 'x')),
      fp(plain.refine(({ a }) => a !== 'y')),
      fp(z.strictObject(plain.shape)),
      fp(z.preprocess((value) => value, plain)),
      fp(z.preprocess((value) => value ?? {}, plain)),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('decoders and upcast of a stream', () => {
  const loosely = (options: object): any => (stream as any)('orders', { schema: events, ...options });

  it('are refused where they are none', () => {
    expect(codes(loosely({ decoder: 'xml' }).declaration)).toEqual(['bad-option']);
    expect(codes(loosely({ decoder: async () => null }).declaration)).toEqual(['bad-function']);
    expect(codes(loosely({ upcast: 'old' }).declaration)).toEqual(['bad-function']);
    expect(codes(loosely({ upcast: async () => ({}) }).declaration)).toEqual(['bad-function']);
    for (const decoder of ['json', 'fields', 'envelope', 'cloudevents', () => null])
      expect(codes(loosely({ decoder }).declaration)).toEqual([]);
  });

  it('count for the fingerprint', () => {
    const of = (options: object): string =>
      loose(loosely(options).groupBy('orderId').aggregate({ n: count() })).fingerprint;
    const all = [
      of({}),
      of({ decoder: 'json' }),
      of({ decoder: 'envelope' }),
      of({ decoder: ({ fields }: any) => fields }),
      of({ decoder: ({ id }: any) => ({ id }) }),
      of({ upcast: (event: any) => event }),
      of({ upcast: (event: any) => event.old }),
    ];
    expect(new Set(all).size).toBe(all.length);
    // prettier-ignore
    expect(of({ upcast: (event: any)=>(event) })).toBe(of({ upcast: (event: any) => event }));
  });

  it('are those of the test kit', () => {
    for (const decoder of ['json', 'fields', 'envelope', 'cloudevents'] as const) {
      const paid = stream('paid', { schema: events, decoder });
      given(paid, [
        { type: 'Paid', orderId: 'o1', amount: 2 },
        { type: 'Paid', orderId: 'o1', amount: 3.5 },
      ])
        .expect(
          view('v', {
            from: paid
              .of('Paid')
              .groupBy('orderId')
              .aggregate({ total: sum('amount') }),
          }),
        )
        .rows([{ orderId: 'o1', total: 5.5 }]);
    }
    const read = stream('read', {
      schema: z.object({ a: z.string() }),
      decoder: ({ fields }) => ({ a: fields.b }),
    });
    const perA = view('v', { from: read.groupBy('a').aggregate({ n: count() }) });
    new History()
      .entries(read, [{ b: 'x' }])
      .expect(perA)
      .rows([{ a: 'x', n: 1 }]);
    expect(() =>
      given(read, [{ a: 'x' }])
        .expect(perA)
        .rows([]),
    ).toThrow('give them as they lie in Redis');
  });
});
