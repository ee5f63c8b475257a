import { count, instant, stream, sum, tumbling, view } from 'stillwater';
import { z } from 'zod';
import { Metrics } from '../../../src/runtime/metrics.js';
import { Reading } from '../../../src/runtime/reading/reading.js';
import type { ViewStatus } from '../../../src/runtime/reading/view-status.js';
import { SimulatedRun } from '../../support/simulated-run.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), amount: z.int() }),
  retain: { entries: 1_000 },
});
const perShop = view('per-shop', { from: sales.groupBy('shop').aggregate({ amount: sum('amount') }) });
const perAmount = view('per-amount', { from: perShop.groupBy('amount').aggregate({ shops: count() }) });
const perCount = view('per-count', { from: perAmount.groupBy('shops').aggregate({ amounts: count() }) });
const apart = view('apart', { from: sales.groupBy('amount').aggregate({ sales: count() }) });

describe('the status of views over a view that is parked', () => {
  let run: SimulatedRun;
  let reading: Reading;
  beforeEach(async () => {
    run = new SimulatedRun([perShop, perAmount, perCount, apart], { parkedHoldsBackMs: 60_000 });
    const worker = run.start();
    run.append(sales, { shop: 'a', amount: 1 }, { shop: 'b', amount: 2 });
    for (const { name } of run.views) await run.settled(name);
    const { parts } = worker;
    reading = new Reading({
      ...parts,
      ...run.ports,
      catalog: () => parts.catalog,
      watch: parts.registry,
      store: run.ports.views,
      clock: worker.process.clock,
      metrics: new Metrics(),
      parkedHoldsBackMs: 60_000,
    });
  });
  afterEach(() => {
    reading.close();
    run.end();
  });
  const statuses = async () =>
    new Map((await reading.statuses.all()).map((status): [string, ViewStatus] => [status.name, status]));
  const told = async () =>
    Object.fromEntries(
      [...(await statuses())].map(([name, { state, waitingFor }]) => [name, [state, ...waitingFor]]),
    );
  const live = { 'per-shop': ['live'], 'per-amount': ['live'], 'per-count': ['live'], apart: ['live'] };
  const park = (at = run.time.now()): void => {
    run.task('per-shop', '0.0').parked = { code: 'errors-max', message: 'too many', at };
  };

  it('says that they wait, and for which, through however many views, and of no other', async () => {
    expect(await told()).toEqual(live);
    park();
    expect(await told()).toEqual({
      'per-shop': ['parked'],
      'per-amount': ['waiting', 'per-shop'],
      'per-count': ['waiting', 'per-shop'],
      apart: ['live'],
    });
    run.task('per-shop', '0.0').parked = null;
    expect(await told()).toEqual(live);
  });

  it('says so also where only one of them is asked for', async () => {
    park();
    expect(await reading.statuses.one('per-count')).toMatchObject({
      state: 'waiting',
      waitingFor: ['per-shop'],
    });
  });

  it('says how long the one that is parked holds back the trimming of its streams', async () => {
    const since = run.time.now();
    park(since);
    const held = { since: new Date(since).toISOString(), until: new Date(since + 60_000).toISOString() };
    expect((await statuses()).get('per-shop')!.holdsBackTrimming).toEqual({ ...held, over: false });
    expect((await statuses()).get('per-amount')!.holdsBackTrimming).toBeNull();
    await run.pass(60_000);
    expect((await statuses()).get('per-shop')!.holdsBackTrimming).toEqual({ ...held, over: true });
  });
});

describe('the status of a view of which a stream never had an entry', () => {
  const timed = <Name extends string>(name: Name) =>
    stream(name, {
      schema: z.object({ id: z.int(), at: instant() }),
      eventTime: 'at',
      lateness: '1m',
    });
  const [orders, payments] = [timed('orders'), timed('payments')];
  const paid = view('paid', {
    from: orders
      .leftJoin({ payment: payments }, { on: { id: 'id' }, within: { before: '0s', after: '1h' } })
      .select({ id: 'id', paidAt: 'payment.at' }),
    key: 'id',
  });
  const perHour = view('per-hour', {
    from: payments.window(tumbling('1h')).groupBy().aggregate({ payments: count() }),
  });

  it('says that it waits for the first, and since when, until it comes', async () => {
    const run = new SimulatedRun([paid, perHour]);
    const worker = run.start();
    const { parts } = worker;
    const reading = new Reading({
      ...parts,
      ...run.ports,
      catalog: () => parts.catalog,
      watch: parts.registry,
      store: run.ports.views,
      clock: worker.process.clock,
      metrics: new Metrics(),
    });
    const event = (id: number) => ({ id, at: '2001-01-01T10:00:00.000Z' });
    run.append(orders, event(1));
    await run.settled('paid');
    const status = await reading.statuses.one('paid');
    const since = status.generations[0]!.createdAt;
    expect(status.time['stream:payments']).toMatchObject({ clock: null });
    expect(status.waitingForFirst).toEqual([{ source: 'stream:payments', since }]);
    // Nothing else is there that would wait for it.
    expect((await reading.statuses.one('per-hour')).waitingForFirst).toEqual([]);
    run.append(payments, event(7));
    await run.settled('paid');
    expect((await reading.statuses.one('paid')).waitingForFirst).toEqual([]);
    reading.close();
    run.end();
  });
});
