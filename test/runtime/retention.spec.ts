import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { count, declarationOf, stream, sum, view } from '../../src/index.js';
import type { WorkerInfo, Workers } from '../../src/runtime/ports/workers.js';
import type { Limits } from '../../src/runtime/limits.js';
import { partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import { Reading } from '../../src/runtime/reading/reading.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { dropView } from '../../src/runtime/drop-view.js';
import { silent } from '../../src/runtime/logger.js';
import type { TaskStatus } from '../../src/runtime/ports/task-store.js';
import { Retention } from '../../src/runtime/retention.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually, type System } from '../support/system.js';
import { Systems } from '../support/systems.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), amount: z.int() }),
  retain: { entries: 50 },
});
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
const byAmount = view('by-amount', { from: sales.groupBy('amount').aggregate({ sales: count() }) });
const bySales = view('by-sales', { from: byShop.groupBy('sales').aggregate({ shops: count() }) });
const declared = (...views: Parameters<typeof declarationOf>[0][]): ViewDeclaration[] =>
  views.map((each) => declarationOf(each) as ViewDeclaration);

/** A clock that can be put forward. */
class Later extends SystemClock {
  ms = 0;
  override now(): number {
    return super.now() + this.ms;
  }
  override monotonicMs(): number {
    return super.monotonicMs() + this.ms;
  }
}

describeWithRedis('retention', () => {
  const systems = new Systems();
  const client = (): Redis => systems.redis.raw;
  const append = async (count: number): Promise<void> => {
    const transaction = client().multi();
    for (let index = 0; index < count; index++)
      transaction.xadd('sales', '*', 'data', JSON.stringify({ shop: `s${index % 5}`, amount: index % 3 }));
    await transaction.exec();
  };
  /** A round of a retention whose clock is ahead. */
  const retention = (system: System, clock = new Later()) => {
    const logger = system.options.logger ?? silent;
    const made = new Retention({ ...system, catalog: () => system.catalog, clock, logger });
    return async (aheadMs = 0): Promise<number> => {
      clock.ms = aheadMs;
      await made.dropKept();
      // As many as there are to trim: one call removes a bounded number.
      for (let gone = 1; gone > 0;)
        gone = [...(await made.trim()).values()].reduce((all, one) => all + one, 0);
      return client().xlen('sales');
    };
  };
  const rebuild = async (system: System, name: string): Promise<void> => {
    const id = `rebuild-${randomUUID()}`;
    await system.rebuilder.begin(id, system.rebuilder.affected([name]), 'building', true);
    await eventually(async () => (await system.rebuilder.advance(id)).state === 'promoted');
  };
  const statesOf = (system: System, name: string): string[] =>
    system.registry.snapshot.generations
      .filter((generation) => generation.view === name)
      .map(({ number, state }) => `${number} ${state}`);
  const dropOf = (system: System, name: string) => dropView(name, { ...system, catalog: system.catalog });
  const keysOf = (name: string): Promise<string[]> => client().keys(`*${name}#*`);

  test('who holds it back is said by the process that trims, and by no other', async () => {
    const system = await systems.start(declared(byShop));
    await append(100);
    await system.caughtUp('by-shop');
    await client().xgroup('CREATE', 'sales', 'others', '0');
    const others: WorkerInfo[] = [];
    const workers = {
      live: async () => {
        const { now, live } = await system.workers.live();
        return { now, live: [...live, ...others] };
      },
    } as unknown as Workers;
    const limits = { ...system.limits, retentionMs: 20 };
    const trimming = new Retention({
      ...system,
      catalog: () => system.catalog,
      workers,
      limits,
      logger: silent,
    });
    trimming.start();
    try {
      const { trimHeldBack } = system.metrics;
      await eventually(() => trimHeldBack.get({ stream: 'sales', by: 'group others' }) > 0);
      const { live } = await system.workers.live();
      // One whose name comes before all.
      others.push({ ...live[0]!, id: '' });
      await eventually(() => [...trimHeldBack.values()].length === 0);
    } finally {
      await trimming.stop();
    }
  });

  test('a generation kept for a rollback holds trimming back until it was kept long enough', async () => {
    const system = await systems.start(declared(byShop, bySales));
    await append(100);
    await system.caughtUp('by-sales');
    await rebuild(system, 'by-shop');
    await append(100);
    await system.caughtUp('by-sales');
    const round = retention(system);
    const { keptMs } = system.limits;
    expect(await round(keptMs - 60_000)).toBeGreaterThan(100);
    expect(statesOf(system, 'by-shop')).toEqual(['1 kept', '2 serving']);
    await round(keptMs + 1);
    await eventually(() => [...statesOf(system, 'by-shop'), ...statesOf(system, 'by-sales')].length === 2);
    expect(statesOf(system, 'by-sales')).toEqual(['2 serving']);
    expect((await keysOf('by-shop')).filter((key) => key.includes('#1/'))).toEqual([]);
    expect(await round()).toBe(50);
    await expect(system.rebuilder.rollback('by-shop')).rejects.toMatchObject({ code: 'nothing-kept' });
  });

  test('a log is kept for those that read it, also where they are behind those that show what becomes of it', async () => {
    const parted = view('parted', {
      from: sales.groupBy('shop').aggregate({ sales: count() }),
      partitions: 2,
    });
    const system = await systems.start(declared(parted));
    await append(100);
    await system.caughtUp('parted');
    const [task] = (await keysOf('parted')).filter((key) => key.endsWith('/0.0:task'));
    const [position] = (await client().xrange('sales', '-', '+', 'COUNT', 20)).at(-1)!;
    // As it is where its slot alone went back.
    await client().hset(task!, 'frontier', JSON.stringify({ sales: position }));
    await system.retention.trim();
    const [[first]] = (await client().xrange('sales', '-', '+', 'COUNT', 1)) as [[string, string[]]];
    expect(first).toBe(position);
  });

  test('a kept generation stays as long as one that serves reads it', async () => {
    const system = await systems.start(declared(byShop, bySales));
    await append(10);
    await system.caughtUp('by-sales');
    await system.registry.change(({ generations }) => ({
      puts: generations
        .filter((generation) => generation.view === 'by-shop')
        .map((generation) => ({ ...generation, state: 'kept' as const })),
    }));
    await retention(system)(system.limits.keptMs * 2);
    expect(statesOf(system, 'by-shop')).toEqual(['1 kept']);
  });

  test('a rollback begins the time anew', async () => {
    const system = await systems.start(declared(byShop));
    await append(10);
    await system.caughtUp('by-shop');
    await rebuild(system, 'by-shop');
    const [kept] = system.registry.snapshot.generations;
    await eventually(() => Date.now() > kept!.since);
    await system.rebuilder.rollback('by-shop');
    const { generations } = system.registry.snapshot;
    expect(generations).toMatchObject([{ state: 'serving' }, { state: 'kept' }]);
    for (const { since } of generations) expect(since).toBeGreaterThan(kept!.since);
  });

  test('a view that is declared no longer holds trimming back for a named time, then it does not', async () => {
    const before = await systems.start(declared(byShop, byAmount));
    await append(100);
    await before.caughtUp('by-amount');
    await systems.stop(before);
    const warned: string[] = [];
    const logger = { info() {}, warn: (message: string) => void warned.push(message), error() {} };
    const system = await systems.start(declared(byShop), { logger });
    await append(100);
    await system.caughtUp('by-shop');
    const round = retention(system);
    const { orphanMs } = system.limits;
    // Two weeks after it was deployed, but just now seen.
    expect(await round(2 * orphanMs)).toBeGreaterThan(100);
    expect(await round(3 * orphanMs - 1_000)).toBeGreaterThan(100);
    expect(await round(3 * orphanMs + 60_000)).toBe(50);
    await round(3 * orphanMs + 120_000);
    expect(warned.filter((message) => /"by-amount" holds back no trimming/.test(message))).toHaveLength(1);
    // What it holds is still served.
    expect((await system.rows('by-amount')).size).toBe(3);
  });

  describe('of a view that is parked', () => {
    const DAY_MS = 24 * 60 * 60 * 1_000;
    const task = { view: 'by-amount', generation: 1, stage: 0, partition: 0 };
    const parkedOf = async (system: System) => (await system.tasks.status([task]))[0]?.parked;
    /** A key of its state holds another type, so that it is tried again and again, in vain. */
    const park = async (system: System): Promise<() => Promise<void>> => {
      await append(100);
      await system.caughtUp('by-amount');
      const [key] = (await keysOf('by-amount')).filter((each) => /:rows/.test(each));
      await client().rename(key!, 'aside');
      await client().set(key!, 'x');
      await append(200);
      await eventually(async () => (await parkedOf(system)) !== null);
      return async () => void (await client().rename('aside', key!));
    };
    /** As it is where it was parked so long ago. */
    const letPass = async (system: System, ms: number): Promise<void> => {
      const redisKey = (await keysOf('by-amount')).find((each) => each.endsWith('/0.0:task'))!;
      const parked = (await parkedOf(system))!;
      await client().hset(redisKey, 'parked', JSON.stringify({ ...parked, since: Date.now() - ms }));
    };
    const readings: Reading[] = [];
    const reading = (system: System): Reading => {
      const { catalog, registry: watch, views: store } = system;
      const { parkedHoldsBackMs } = system.limits;
      readings.push(new Reading({ ...system, catalog: () => catalog, watch, store, parkedHoldsBackMs }));
      return readings.at(-1)!;
    };
    afterEach(() => readings.splice(0).forEach((each) => each.close()));
    const started = async (limits: Partial<Limits> = {}) => {
      const warned: string[] = [];
      const logger = { info() {}, warn: (message: string) => void warned.push(message), error() {} };
      return { warned, system: await systems.start(declared(byShop, byAmount), { logger, limits }) };
    };

    test('it is held back for a named time, then it is not, and the view that goes on too late says so', async () => {
      const { system, warned } = await started({ parkedRetryMs: 600_000 });
      const mend = await park(system);
      await system.caughtUp('by-shop');
      const { metrics } = system;
      const { statuses } = reading(system);
      const round = retention(system);
      await letPass(system, 6 * DAY_MS);
      expect(await round()).toBeGreaterThanOrEqual(200);
      const { since } = (await parkedOf(system))!;
      expect(metrics.trimHeldBack.get({ stream: 'sales', by: 'by-amount' })).toBe(since! / 1_000);
      expect(await statuses.one('by-amount')).toMatchObject({
        state: 'parked',
        holdsBackTrimming: {
          since: new Date(since!).toISOString(),
          until: new Date(since! + 7 * DAY_MS).toISOString(),
          over: false,
        },
      });
      expect((await statuses.one('by-shop')).holdsBackTrimming).toBeNull();

      await letPass(system, 7 * DAY_MS);
      expect(await round()).toBe(50);
      await round();
      expect([...metrics.trimHeldBack.values()]).toEqual([]);
      expect(warned.filter((message) => /"by-amount" holds back no trimming/.test(message))).toHaveLength(1);
      expect((await statuses.one('by-amount')).holdsBackTrimming).toMatchObject({ over: true });

      await systems.stop(system);
      await mend();
      // One that has nothing of it in memory.
      const next = await systems.start(declared(byShop, byAmount), { limits: { parkedRetryMs: 50 } });
      await eventually(async () => (await parkedOf(next))?.code === 'log-trimmed');
      const rows = [...(await next.rows('by-amount')).values()];
      expect(rows.sort((one, other) => one.amount - other.amount)).toEqual(
        [34, 33, 33].map((sales, amount) => ({ amount, sales })),
      );
      await rebuild(next, 'by-amount');
      await next.caughtUp('by-amount');
      expect((await reading(next).statuses.one('by-amount')).holdsBackTrimming).toBeNull();
    });

    test('the time does not begin anew with each time that it is tried again', async () => {
      const { system } = await started({ parkedRetryMs: 50 });
      await park(system);
      const first = (await parkedOf(system))!;
      const at = async () => (await parkedOf(system))?.at ?? 0;
      await eventually(async () => (await at()) > first.at + 500);
      await eventually(async () => (await parkedOf(system))?.since !== undefined);
      const now = (await parkedOf(system))!;
      expect(now.since).toBeLessThanOrEqual(first.at);
    });

    test('one whose own key holds another type counts as long as any other, and says so', async () => {
      const limits = { parkedHoldsBackMs: 1_500 };
      const { system, warned } = await started(limits);
      await append(100);
      await system.caughtUp('by-amount');
      await system.caughtUp('by-shop');
      const redisKey = (await keysOf('by-amount')).find((each) => each.endsWith('/0.0:task'))!;
      await client().rename(redisKey, 'aside');
      await client().set(redisKey, 'x');
      await append(200);
      await eventually(async () => (await parkedOf(system))?.code === 'wrong-type');
      await system.caughtUp('by-shop');
      const round = retention(system);
      expect(await round()).toBeGreaterThanOrEqual(200);
      const { at } = (await parkedOf(system))!;
      const { statuses } = reading(system);
      expect(await statuses.one('by-amount')).toMatchObject({
        state: 'parked',
        holdsBackTrimming: { since: new Date(at).toISOString(), over: false },
      });
      await eventually(async () => (await round()) === 50);
      expect((await parkedOf(system))!.at).toBe(at);
      expect(warned.filter((message) => /"by-amount" holds back no trimming/.test(message))).toHaveLength(1);
      expect(await statuses.one('by-amount')).toMatchObject({ holdsBackTrimming: { over: true } });
    });

    test('it begins anew where the view had gone on in between', async () => {
      const { system } = await started({ parkedRetryMs: 50 });
      const mend = await park(system);
      await mend();
      await system.caughtUp('by-amount');
      const going = Date.now();
      await park(system);
      const { at, since = at } = (await parkedOf(system))!;
      expect(since).toBeGreaterThanOrEqual(going);
    });

    test('it begins anew where the view had come to the end of its logs in between, and had nothing to commit', async () => {
      const { system } = await started();
      await append(100);
      await system.caughtUp('by-amount');
      const [{ record }] = (await system.tasks.status([task])) as [TaskStatus];
      await systems.stop(system);
      // As one leaves it that took it up again, and died.
      const redisKey = (await keysOf('by-amount')).find((each) => each.endsWith('/0.0:task'))!;
      await client().hset(redisKey, { parkedSince: '5', parkedTick: record!.tick });
      const next = await systems.start(declared(byShop, byAmount));
      await next.caughtUp('by-amount');
      await eventually(async () => (await client().hexists(redisKey, 'parkedSince')) === 0);
      expect((await next.tasks.status([task]))[0]!.record!.tick).toBe(record!.tick);
    });

    test('what its other tasks read is kept, and nothing for views that wait for its rows', async () => {
      const halves = stream('halves', {
        schema: z.object({ shop: z.string() }),
        partitions: 2,
        partitionBy: 'shop',
        retain: { entries: 5 },
      });
      const perShop = view('per-shop', { from: halves.groupBy('shop').aggregate({ sales: count() }) });
      const perSales = view('per-sales', { from: perShop.groupBy('sales').aggregate({ shops: count() }) });
      const system = await systems.start(declared(perShop, perSales));
      await system.registry.refresh();
      const id = (partition: number) => ({ view: 'per-shop', generation: 1, stage: 0, partition });
      const placed = partitionOf(declarationOf(halves) as RecordSource)!;
      const shops = [0, 1].map((wanted) => ['a', 'b', 'c', 'd'].find((shop) => placed({ shop }) === wanted)!);
      for (const [partition, shop] of shops.entries())
        for (let entry = 0; entry < 20; entry++)
          await client().xadd(`halves:${partition}`, '*', 'data', JSON.stringify({ shop }));
      await system.caughtUp('per-sales');
      await systems.stop(system);
      // Another process does the trimming, and nobody maintains the view.
      const trimming = systems.made(declared(perShop, perSales));
      await trimming.registry.start();
      const stood = (await trimming.tasks.status([id(0), id(1)])).map(({ record }) => record!);
      for (const [partition, shop] of shops.entries())
        for (let entry = 0; entry < 20; entry++)
          await client().xadd(`halves:${partition}`, '*', 'data', JSON.stringify({ shop }));
      const redisKey = (await keysOf('per-shop')).find((each) => each.endsWith('/0.0:task'))!;
      const parked = { code: 'invariant', message: 'no', at: Date.now() - 8 * DAY_MS };
      await client().hset(redisKey, 'parked', JSON.stringify(parked));
      await trimming.workers.renew(
        {
          id: 'w',
          fingerprints: [...trimming.catalog.views.values()].map(({ fingerprint }) => fingerprint),
          role: 'worker',
          startedAt: 1,
        },
        60_000,
      );
      await trimming.retention.trim();
      expect(await client().xlen('halves:0')).toBe(5);
      const [[first]] = (await client().xrange('halves:1', '-', '+', 'COUNT', 1)) as [[string, string[]]];
      expect(first).toBe(stood[1]!.positions['stream:halves']!.position);

      // Its hash slot loses everything: it is to read again what there is.
      await client().del((await keysOf('per-shop')).find((each) => each.endsWith('/0.1:task'))!);
      await trimming.retention.trim();
      expect((await client().xrange('halves:1', '-', '+', 'COUNT', 1))[0]![0]).toBe(first);
    });

    test('views keep no changes for it for ever, also where no stream is trimmed', async () => {
      const kept = stream('kept', { schema: z.object({ shop: z.string() }) });
      const perShop = view('per-shop', { from: kept.groupBy('shop').aggregate({ sales: count() }) });
      const perSales = view('per-sales', { from: perShop.groupBy('sales').aggregate({ shops: count() }) });
      const system = await systems.start(declared(perShop, perSales));
      await client().xadd('kept', '*', 'data', JSON.stringify({ shop: 'a' }));
      await system.caughtUp('per-sales');
      const task = { view: 'per-shop', generation: 1, stage: 0, partition: 0 };
      const readersIn = async ({ views }: System) => [...(await views.readers(task)).keys()];
      expect(await readersIn(system)).toEqual(['per-sales#1/0.0']);
      await systems.stop(system);
      const redisKey = (await keysOf('per-sales')).find((each) => each.endsWith('/0.0:task'))!;
      const parked = { code: 'invariant', message: 'no', at: Date.now() - 6 * DAY_MS };
      await client().hset(redisKey, 'parked', JSON.stringify(parked));
      const next = await systems.start(declared(perShop, perSales), { limits: { parkedRetryMs: 600_000 } });
      await next.retention.trim();
      expect(await readersIn(next)).toHaveLength(1);
      await client().hset(redisKey, 'parked', JSON.stringify({ ...parked, at: Date.now() - 8 * DAY_MS }));
      await next.retention.trim();
      expect(await readersIn(next)).toEqual([]);
    });
  });

  test('a view whose code comes back in time counts again, and its time begins anew', async () => {
    const before = await systems.start(declared(byShop, byAmount));
    await append(100);
    await before.caughtUp('by-amount');
    await systems.stop(before);
    const system = await systems.start(declared(byShop));
    await append(100);
    await system.caughtUp('by-shop');
    const round = retention(system);
    const { orphanMs } = system.limits;
    await round();
    const back = await systems.start(declared(byShop, byAmount));
    await back.caughtUp('by-amount');
    await round(orphanMs * 0.9);
    await systems.stop(back);
    await append(100);
    await system.caughtUp('by-shop');
    expect(await round(orphanMs * 1.1)).toBeGreaterThan(100);
    expect(await round(orphanMs * 2.2)).toBe(50);
  });

  test('a view that nobody declares does not make its upstream keep changes for ever', async () => {
    const before = await systems.start(declared(byShop, bySales));
    await append(20);
    await before.caughtUp('by-sales');
    await systems.stop(before);
    const system = await systems.start(declared(byShop));
    await system.caughtUp('by-shop');
    const upstream = { view: 'by-shop', generation: 1, stage: 0, partition: 0 };
    const readers = async () => [...(await system.views.readers(upstream)).keys()];
    const round = retention(system);
    await round();
    expect(await readers()).toEqual(['by-sales#1/0.0']);
    await round(system.limits.orphanMs + 1);
    expect(await readers()).toEqual([]);
  });

  test('a view that nobody declares is dropped on request, with all its keys, and trimming goes on', async () => {
    const before = await systems.start(declared(byShop, byAmount));
    await append(100);
    await before.caughtUp('by-amount');
    await systems.stop(before);
    const system = await systems.start(declared(byShop));
    await append(100);
    await system.caughtUp('by-shop');
    const round = retention(system);
    expect(await round()).toBeGreaterThan(100);
    await expect(dropOf(system, 'by-shop')).rejects.toMatchObject({ code: 'view-declared' });
    expect(await dropOf(system, 'by-amount')).toEqual([1]);
    await eventually(() => statesOf(system, 'by-amount').length === 0);
    expect(await keysOf('by-amount')).toEqual([]);
    expect(await round()).toBe(50);
    await expect(dropOf(system, 'by-amount')).rejects.toMatchObject({ code: 'unknown-view' });
  });

  test('a generation with a parked task can be dropped as well', async () => {
    const broken = view('broken', {
      from: sales
        .where(() => {
          throw new Error('no');
        })
        .groupBy('shop')
        .aggregate({ sales: sum('amount') }),
      errorsMax: 1,
    });
    const before = await systems.start(declared(byShop, broken));
    await append(100);
    const task = { view: 'broken', generation: 1, stage: 0, partition: 0 };
    await eventually(async () => (await before.tasks.status([task]))[0]?.parked?.code === 'errors-max');
    await systems.stop(before);
    const system = await systems.start(declared(byShop));
    await system.caughtUp('by-shop');
    await dropOf(system, 'broken');
    await eventually(() => statesOf(system, 'broken').length === 0);
    expect(await keysOf('broken')).toEqual([]);
  });

  test('a worker says how many values of state it keeps in memory', async () => {
    const system = await systems.start(declared(byShop));
    await append(100);
    await system.caughtUp('by-shop');
    await eventually(() => system.metrics.cacheEntries.get() >= 5);
  });
});
