import type { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { count, declarationOf, max, stream, sum, view } from '../../src/index.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { deploy } from '../../src/runtime/deployment.js';
import { silent } from '../../src/runtime/logger.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';
import { Systems } from '../support/systems.js';

const sales = stream('sales', { schema: z.object({ shop: z.string(), amount: z.number() }) });

const byShop = view('by-shop', {
  from: sales.groupBy('shop').aggregate({ sales: count(), amount: sum('amount') }),
});
const bySales = view('by-sales', { from: byShop.groupBy('sales').aggregate({ shops: count() }) });
const first = [declarationOf(byShop), declarationOf(bySales)] as ViewDeclaration[];

/** The same views after an edit: another aggregate. */
const byShopEdited = view('by-shop', {
  from: sales.groupBy('shop').aggregate({ sales: count(), amount: sum('amount'), largest: max('amount') }),
});
const bySalesEdited = view('by-sales', { from: byShopEdited.groupBy('sales').aggregate({ shops: count() }) });
const second = [declarationOf(byShopEdited), declarationOf(bySalesEdited)] as ViewDeclaration[];

describeWithRedis('the life of a view', () => {
  const systems = new Systems();
  const start = (declarations: readonly ViewDeclaration[]): Promise<System> => systems.start(declarations);
  const client = (): Redis => systems.redis.raw;
  const append = async (count: number): Promise<void> => {
    const transaction = client().multi();
    for (let index = 0; index < count; index++)
      transaction.xadd(
        'sales',
        '*',
        'data',
        JSON.stringify({ shop: `shop-${index % 20}`, amount: index / 4 }),
      );
    await transaction.exec();
  };
  /** Drives a rebuild to its end, as the job does. */
  const drive = async (system: System, names: string[]): Promise<string> => {
    const id = `rebuild-${randomUUID()}`;
    await system.rebuilder.check(names, false);
    await system.rebuilder.begin(id, system.rebuilder.affected(names), 'building', false);
    await eventually(async () => (await system.rebuilder.advance(id)).state === 'promoted');
    return id;
  };

  test('a second start goes on from the kept state', async () => {
    const before = await start(first);
    await append(500);
    await before.caughtUp('by-sales');
    const rows = await before.rows('by-shop');
    await systems.stop(before);
    const after = await start(first);
    expect(await after.rows('by-shop')).toEqual(rows);
    await append(500);
    await after.caughtUp('by-sales');
    expect((await after.rows('by-shop')).get('shop-3')).toEqual({
      shop: 'shop-3',
      sales: 50,
      amount: rows.get('shop-3').amount * 2,
    });
    expect(after.registry.snapshot.generations.map(({ number }) => number)).toEqual([1, 1]);
  });

  test('an explicit rebuild gives the identical view, promoted with what reads it', async () => {
    const system = await start(first);
    await append(2_000);
    await system.caughtUp('by-sales');
    const before = { shops: await system.rows('by-shop'), sales: await system.rows('by-sales') };
    await drive(system, ['by-shop']);
    expect(system.registry.serving('by-shop')?.number).toBe(2);
    expect(system.registry.serving('by-sales')).toMatchObject({ number: 2, upstreams: { 'by-shop': 2 } });
    expect({ shops: await system.rows('by-shop'), sales: await system.rows('by-sales') }).toEqual(before);
    await append(100);
    await system.caughtUp('by-sales');
    expect((await system.rows('by-sales')).get('105')).toEqual({ sales: 105, shops: 20 });
  });

  test('a changed definition is rebuilt behind the serving one, by the process that has its code', async () => {
    const old = await start(first);
    await append(1_000);
    await old.caughtUp('by-sales');
    await systems.stop(old);
    const system = systems.made(second);
    await system.registry.start();
    const result = await deploy(system.catalog, {
      registry: system.registry,
      code: system.code,
      clock: system.clock,
      logger: silent,
    });
    expect(result).toMatchObject({ release: 2, created: [], changed: ['by-shop', 'by-sales'] });
    system.worker.start();
    // Until it is promoted the old rows are served.
    expect((await system.rows('by-shop')).get('shop-1')).toEqual({
      shop: 'shop-1',
      sales: 50,
      amount: expect.any(Number),
    });
    await drive(system, ['by-shop']);
    expect((await system.rows('by-shop')).get('shop-1')).toEqual({
      shop: 'shop-1',
      sales: 50,
      amount: expect.any(Number),
      largest: 981 / 4,
    });
  });

  test('a new view over a changed one is built with it, not over the rows of the old definition', async () => {
    const old = await start(first.slice(0, 1));
    await append(400);
    await old.caughtUp('by-shop');
    const system = await start(second);
    expect(system.registry.serving('by-sales')).toBeNull();
    await drive(system, ['by-shop']);
    expect(system.registry.serving('by-sales')).toMatchObject({ number: 1, upstreams: { 'by-shop': 2 } });
    expect((await system.rows('by-sales')).get('20')).toEqual({ sales: 20, shops: 20 });
  });

  test('an older release neither creates nor promotes', async () => {
    const old = await start(first);
    const young = await start(second);
    expect(young.registry.snapshot.release).toBe(2);
    const again = await deploy(old.catalog, {
      registry: old.registry,
      code: old.code,
      clock: old.clock,
      logger: silent,
    });
    expect(again).toMatchObject({ release: 1, superseded: true });
    expect(young.registry.snapshot.generations.filter(({ number }) => number > 1)).toEqual([]);
  });

  test('a rollback puts the kept generation back, and it catches up', async () => {
    const system = await start(first);
    await append(400);
    await system.caughtUp('by-sales');
    await drive(system, ['by-shop']);
    await append(400);
    await system.caughtUp('by-sales');
    expect(await system.rebuilder.rollback('by-shop')).toEqual(
      expect.arrayContaining([
        { view: 'by-shop', generation: 1 },
        { view: 'by-sales', generation: 1 },
      ]),
    );
    await system.caughtUp('by-sales');
    expect(system.registry.serving('by-shop')?.number).toBe(1);
    expect((await system.rows('by-shop')).get('shop-0')).toMatchObject({ sales: 40 });
  });

  test('a view that was rolled back says so, until something newer serves', async () => {
    const system = await start(first);
    await append(100);
    await system.caughtUp('by-sales');
    const from = (): unknown[] =>
      ['by-shop', 'by-sales'].map((name) => system.registry.serving(name)!.rolledBackFrom ?? null);
    await drive(system, ['by-shop']);
    expect(from()).toEqual([null, null]);
    await system.rebuilder.rollback('by-shop');
    expect(from()).toEqual([2, 2]);
    await system.rebuilder.rollback('by-shop');
    expect(from()).toEqual([null, null]);
    await system.rebuilder.rollback('by-shop');
    await drive(system, ['by-shop']);
    expect(from()).toEqual([null, null]);
  });

  test('a view that is declared while what it reads is rebuilt stays up to date', async () => {
    const system = await start(first.slice(0, 1));
    await append(400);
    await system.caughtUp('by-shop');
    const id = `rebuild-${randomUUID()}`;
    await system.rebuilder.begin(id, ['by-shop'], 'building', false);
    const other = await start(first);
    await other.caughtUp('by-sales');
    expect(other.registry.serving('by-sales')?.upstreams).toEqual({ 'by-shop': 1 });
    await eventually(async () => (await system.rebuilder.advance(id)).state === 'promoted');
    await append(400);
    await other.caughtUp('by-sales');
    expect((await other.rows('by-sales')).get('40')).toEqual({ sales: 40, shops: 20 });
    // Also when what it reads is replaced once more.
    await drive(system, ['by-shop']);
    await append(400);
    await other.caughtUp('by-sales');
    expect((await other.rows('by-sales')).get('60')).toEqual({ sales: 60, shops: 20 });
  });

  test('a rollback leaves what was rebuilt since, and it stays up to date', async () => {
    const system = await start(first);
    await append(400);
    await system.caughtUp('by-sales');
    await drive(system, ['by-shop']);
    await drive(system, ['by-sales']);
    expect(await system.rebuilder.rollback('by-shop')).toEqual([{ view: 'by-shop', generation: 1 }]);
    await append(400);
    await system.caughtUp('by-shop');
    await system.caughtUp('by-sales');
    expect(system.registry.serving('by-sales')).toMatchObject({ number: 3, upstreams: { 'by-shop': 2 } });
    expect((await system.rows('by-sales')).get('40')).toEqual({ sales: 40, shops: 20 });
  });

  test('a paused rebuild stands still, a cancelled one leaves nothing behind', async () => {
    const system = await start(first);
    await append(400);
    await system.caughtUp('by-sales');
    const id = `rebuild-${randomUUID()}`;
    await system.rebuilder.begin(id, ['by-shop', 'by-sales'], 'building', false);
    await system.rebuilder.pause(id, true);
    expect((await system.rebuilder.advance(id)).state).toBe('paused');
    await system.rebuilder.cancel(id);
    await eventually(
      async () => !(await system.registry.refresh()).generations.some(({ rebuild }) => rebuild === id),
    );
    expect((await client().keys('*')).filter((key) => /by-(shop|sales)[^0-9]*2[:/]/.test(key))).toEqual([]);
    expect(system.registry.serving('by-shop')?.number).toBe(1);
  });

  test('a rebuild survives that its driver and all workers die, and goes on', async () => {
    const system = await start(first);
    await append(3_000);
    await system.caughtUp('by-sales');
    const id = `rebuild-${randomUUID()}`;
    await system.rebuilder.begin(id, ['by-shop', 'by-sales'], 'building', false);
    await systems.stop(system);
    const next = await start(first);
    await eventually(async () => (await next.rebuilder.advance(id)).state === 'promoted');
    expect((await next.rows('by-shop')).size).toBe(20);
  });

  test('a rebuild of a log whose beginning is gone is refused, unless that is accepted', async () => {
    const system = await start(first);
    await append(300);
    await system.caughtUp('by-sales');
    await client().xtrim('sales', 'MAXLEN', 100);
    await expect(system.rebuilder.check(['by-shop'], false)).rejects.toMatchObject({
      code: 'log-trimmed',
      message: expect.stringContaining('100 of 300'),
    });
    await expect(system.rebuilder.check(['by-shop'], true)).resolves.toBeUndefined();
  });

  test('verify finds a replay equal, and finds the row that was tampered with', async () => {
    const system = await start(first);
    await append(2_000);
    await system.caughtUp('by-sales');
    const equal = await system.verifier.run('verify-1', 'by-shop', async () => {});
    expect(equal).toMatchObject({ state: 'equal', live: { rows: 20 }, replayed: { rows: 20 } });
    expect(equal.live?.checksum).toBe(equal.replayed?.checksum);

    // The replayed generation goes first, so that what is found is the live one's.
    await eventually(async () =>
      (await system.registry.refresh()).generations.every(({ state }) => state === 'serving'),
    );
    const [bucket] = (await client().keys('*by-shop*')).filter((key) => key.includes(':k:rows:'));
    const [field] = await client().hkeys(bucket!);
    const stored = (await client().hget(bucket!, field!))!;
    await client().hset(bucket!, field!, stored.replace(/"sales":\d+/, '"sales":7'));
    const different = await system.verifier.run('verify-2', 'by-shop', async () => {});
    expect(different).toMatchObject({
      state: 'different',
      differences: [{ key: field, live: { sales: 7 }, replayed: { sales: 100 } }],
    });
    await eventually(async () =>
      (await system.registry.refresh()).generations.every(({ state }) => state === 'serving'),
    );
  });

  test('a view over a log whose ids are ahead of the clock can be verified', async () => {
    const system = await start(first);
    await client().xadd('sales', `${Date.now() + 3_600_000}-1`, 'data', '{"shop":"shop-1","amount":1}');
    await append(100);
    await system.caughtUp('by-shop');
    expect(await system.verifier.run('verify-4', 'by-shop', async () => {})).toMatchObject({
      state: 'equal',
      live: { rows: 20 },
    });
  });

  test('a verification that cannot come to an end lets go of the live view, and says where both stand', async () => {
    const system = await systems.start(first, { limits: { holdMsMax: 500 } });
    await append(100);
    await system.caughtUp('by-shop');
    const paused = (is: boolean) =>
      system.registry.change(({ generations }) => ({
        puts: generations
          .filter(({ view }) => view === 'by-shop')
          .map((generation) => ({ ...generation, paused: is })),
      }));
    await paused(true);
    await append(100);
    const result = await system.verifier.run('verify-5', 'by-shop', async () => {});
    expect(result).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/holdMsMax[^]*sales {2}live \d+-\d+, replay \d+-\d+/),
    });
    await paused(false);
    await system.caughtUp('by-sales');
    expect(system.registry.serving('by-shop')).toMatchObject({ stopAt: null });
  });

  test('a verified view goes on being maintained meanwhile and afterwards', async () => {
    const system = await start(first);
    await append(500);
    let appending = true;
    const appends = (async () => {
      while (appending) {
        await append(20);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const result = await system.verifier.run('verify-3', 'by-shop', async () => {});
    appending = false;
    await appends;
    expect(result.state).toBe('equal');
    await system.caughtUp('by-sales');
    const total = [...(await system.rows('by-shop')).values()].reduce((sum, row) => sum + row.sales, 0);
    expect(total).toBe(await client().xlen('sales'));
  });

  /** A process whose log was deleted and made anew, and whose view is parked for it. */
  const madeAnew = async (): Promise<System> => {
    const system = await start(first);
    await append(200);
    await system.caughtUp('by-sales');
    await client().del('sales');
    await client().xadd('sales', '1-1', 'data', '{"shop":"shop-1","amount":1}');
    await eventually(async () => {
      const [status] = await system.tasks.status([
        { view: 'by-shop', generation: 1, stage: 0, partition: 0 },
      ]);
      return status?.parked?.code === 'ahead-of-its-log';
    });
    return system;
  };

  test('a log that was deleted and made anew parks the view, which says so', async () => {
    const system = await madeAnew();
    expect((await system.rows('by-shop')).size).toBe(20);
  });

  test('a view parked for a log that was made anew is rebuilt from what the log holds now', async () => {
    const system = await madeAnew();
    await drive(system, ['by-shop']);
    expect([...(await system.rows('by-shop')).keys()]).toEqual(['shop-1']);
  });

  test('retention trims behind the slowest reader and keeps the entry at its position', async () => {
    const kept = stream('kept', { schema: z.object({ shop: z.string() }), retain: { entries: 50 } });
    const views = [
      declarationOf(view('kept-by-shop', { from: kept.groupBy('shop').aggregate({ rows: count() }) })),
    ] as ViewDeclaration[];
    const system = await start(views);
    await client().xgroup('CREATE', 'kept', 'somebody', '0', 'MKSTREAM');
    for (let index = 0; index < 200; index++)
      await client().xadd('kept', '*', 'data', JSON.stringify({ shop: `s${index % 3}` }));
    await system.caughtUp('kept-by-shop');
    await system.retention.trim();
    expect(await client().xlen('kept')).toBe(200);
    await client().xgroup('DESTROY', 'kept', 'somebody');
    await eventually(async () => {
      await system.retention.trim();
      return (await client().xlen('kept')) <= 60;
    });
    await client().xadd('kept', '*', 'data', '{"shop":"s1"}');
    await system.caughtUp('kept-by-shop');
    expect((await system.rows('kept-by-shop')).get('s1')).toEqual({ shop: 's1', rows: 68 });
  });

  test('one round of retention trims all there is to trim', async () => {
    const much = stream('much', { schema: z.object({ shop: z.string() }), retain: { entries: 50 } });
    const system = await start([
      declarationOf(view('much-by-shop', { from: much.groupBy('shop').aggregate({ rows: count() }) })),
    ] as ViewDeclaration[]);
    const transaction = client().multi();
    for (let index = 0; index < 25_000; index++) transaction.xadd('much', '*', 'data', '{"shop":"s"}');
    await transaction.exec();
    await system.caughtUp('much-by-shop');
    expect(await system.retention.trim()).toEqual(new Map([['much', expect.any(Number)]]));
    expect(await client().xlen('much')).toBeLessThanOrEqual(50);
  });

  test('a task whose key holds another type is parked until it does not, and keeps nobody waiting', async () => {
    const shops = declarationOf(
      view('shops', { from: sales.groupBy('shop').aggregate({ rows: count() }) }),
    ) as ViewDeclaration;
    const key = new Keyspace('sw').task({ view: 'by-shop', generation: 1, stage: 0, partition: 0 });
    await client().set(key, 'x');
    const system = await systems.start([...first, shops], { limits: { parkedRetryMs: 200 } });
    await append(100);
    await system.caughtUp('shops');
    expect(
      (await system.tasks.status([{ view: 'by-shop', generation: 1, stage: 0, partition: 0 }]))[0]?.parked,
    ).toMatchObject({
      code: 'wrong-type',
      message: expect.stringContaining(key),
    });
    await client().del(key);
    await system.caughtUp('by-sales');
  });

  test('a view that fails on too many entries is parked, and others go on', async () => {
    const strict = view('strict', {
      from: sales
        .where((sale) => {
          if (sale.amount > 5) throw new Error('too much');
          return true;
        })
        .groupBy('shop')
        .aggregate({ sales: count() }),
      errorsMax: 10,
    });
    const system = await start([declarationOf(strict), ...first] as ViewDeclaration[]);
    await append(1_000);
    await system.caughtUp('by-sales');
    await eventually(
      async () =>
        (await system.tasks.status([{ view: 'strict', generation: 1, stage: 0, partition: 0 }]))[0]?.parked
          ?.code === 'errors-max',
    );
  });

  test('a Redis that takes no commits is waited for, which is said once, and nothing is lost', async () => {
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    const system = await systems.start(first, { logger: { info: say, warn: say, error: say } });
    const commit = system.tasks.commit.bind(system.tasks);
    system.tasks.commit = async () => ({ status: 'refused', reason: 'OOM command not allowed' });
    await append(40);
    await eventually(() => said.some((line) => line.includes('OOM command not allowed')));
    system.tasks.commit = commit;
    await system.caughtUp('by-sales');
    await eventually(() => said.some((line) => line.includes('takes commits of by-shop#1/0.0 again')));
    expect(said.filter((line) => line.startsWith('Redis takes no commits of by-shop'))).toHaveLength(1);
    expect((await system.rows('by-sales')).get('2')).toEqual({ sales: 2, shops: 20 });
  });

  test('the changelog ends some time after its last reader has gone', async () => {
    const system = await start([first[0]!]);
    const task = { view: 'by-shop', generation: 1, stage: 0, partition: 0 };
    await append(20);
    await system.caughtUp('by-shop');
    await system.views.subscribe(task, 200);
    const key = system.views.changelogKey(task);
    await append(20);
    await system.caughtUp('by-shop');
    expect(await client().xlen(key)).toBeGreaterThan(0);
    const entriesAfter = async (commits: number): Promise<number> => {
      for (let index = 0; index < commits; index++) {
        await client().xadd('sales', '*', 'data', '{"shop":"shop-1","amount":1}');
        await system.caughtUp('by-shop');
      }
      return client().xlen(key);
    };
    // More commits than it takes to ask again; then there are no new entries.
    const ended = await entriesAfter(300);
    expect(await entriesAfter(5)).toBe(ended);
  });
});
