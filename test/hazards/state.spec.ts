import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { computed, count, declarationOf, max, min, stream, sum, table, view } from '../../src/index.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { Proxy } from '../support/proxy.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually, System, type SystemOptions } from '../support/system.js';

const events = stream('events', { schema: z.object({ key: z.int(), n: z.int() }) });
const perKey = view('per-key', {
  from: events
    .groupBy('key')
    .aggregate({ events: count(), sum: sum('n'), least: min('n'), greatest: max('n') }),
});
const perCount = view('per-count', {
  from: perKey.groupBy('events').aggregate({ keys: count(), sum: sum('sum') }),
});
const people = table('people', { schema: z.object({ id: z.int(), name: z.string() }), key: 'id' });
let calls = 0;
const counted = view('counted', {
  from: people
    .select({ id: 'id', call: computed(z.int(), (row) => (row.id < 0 ? 0 : ++calls)) })
    .groupBy('call')
    .aggregate({ people: count() }),
});
const strict = view('strict', {
  from: people.select({
    id: 'id',
    initial: computed(z.string(), (row) => {
      if (row.name === '') throw new Error(`${row.id} has no name`);
      return row.name[0]!;
    }),
  }),
});
const notTwo = view('not-two', {
  from: events
    .groupBy('key')
    .aggregate({ events: count() })
    .select({
      key: 'key',
      events: computed(z.int(), (row) => {
        if (row.events === 2) throw new Error('two are too many or too few');
        return row.events;
      }),
    }),
});
const declared = (...views: Parameters<typeof declarationOf>[0][]) =>
  views.map((each) => declarationOf(each) as SourceDeclaration);

describeWithRedis('the state of a view', () => {
  let redis: RedisServer;
  let systems: System[];
  let log: { key: number; n: number }[];
  beforeEach(async () => {
    redis = await RedisServer.start();
    systems = [];
    log = [];
  });
  afterEach(async () => {
    for (const system of systems) await system.stop();
    await redis.stop();
  });

  const start = async (
    declarations: SystemOptions['declarations'],
    options: Partial<SystemOptions> = {},
  ): Promise<System> => {
    const system = await System.start({ url: redis.url, declarations, ...options });
    systems.push(system);
    return system;
  };
  const append = async (count: number, keys: number): Promise<void> => {
    const transaction = redis.client().multi();
    for (let index = 0; index < count; index++) {
      const event = { key: (log.length * 7919) % keys, n: log.length };
      log.push(event);
      transaction.xadd('events', '*', 'data', JSON.stringify(event));
    }
    await transaction.exec();
  };
  const expected = (): Map<number, object> => {
    const rows = new Map<
      number,
      { key: number; events: number; sum: number; least: number; greatest: number }
    >();
    for (const { key, n } of log) {
      const row = rows.get(key) ?? { key, events: 0, sum: 0, least: n, greatest: n };
      rows.set(key, {
        key,
        events: row.events + 1,
        sum: row.sum + n,
        least: Math.min(row.least, n),
        greatest: Math.max(row.greatest, n),
      });
    }
    return rows;
  };
  const expectExact = async (system: System): Promise<void> => {
    await system.caughtUp('per-key');
    const rows = new Map([...(await system.rows('per-key')).values()].map((row) => [row.key, row]));
    expect(rows).toEqual(expected());
  };
  const errorsOf = async (system: System, view: string) => {
    const { number, buckets } = system.registry.serving(view)!;
    const task = { view, generation: number, stage: 0, partition: 0 };
    const [status] = await system.tasks.status([task]);
    return {
      count: status!.record?.errors ?? 0,
      listed: (await system.views.errors(task, buckets, 10)).map(({ text }) => JSON.parse(text)),
    };
  };

  test('is not read back old when a key falls out of a tiny cache before its commit is answered', async () => {
    const proxy = await Proxy.start(redis.port);
    proxy.delayMs = 4;
    const system = await start(declared(perKey), {
      url: proxy.url,
      limits: { cacheEntriesMax: 8, commitWritesMax: 60, readEntriesMax: 100 },
    });
    try {
      for (let round = 0; round < 10; round++) await append(400, 60);
      await expectExact(system);
    } finally {
      for (const each of systems.splice(0)) await each.stop();
      await proxy.stop();
    }
  });

  test('goes back with a Redis that lost its last second: nothing of the lost history is mixed in', async () => {
    const admin = redis.client();
    const directory = ((await admin.config('GET', 'dir')) as string[])[1]!;
    const system = await start(declared(perKey));
    await append(300, 20);
    await expectExact(system);
    await admin.save();
    copyFileSync(join(directory, 'dump.rdb'), join(directory, 'earlier.rdb'));
    const kept = [...log];

    // What follows is lost, while the worker's cache remembers it.
    await append(200, 20);
    await expectExact(system);
    await redis.kill();
    copyFileSync(join(directory, 'earlier.rdb'), join(directory, 'dump.rdb'));
    log = kept;
    await redis.startAgain();
    await append(250, 20);
    await expectExact(system);
    rmSync(join(directory, 'earlier.rdb'));
  });

  test('has one owner although an epoch was granted twice, because Redis had lost the first grant', async () => {
    const admin = redis.client();
    const reader = new System({ url: redis.url, declarations: declared(perKey) });
    try {
      const task = { view: 'per-key', generation: 1, stage: 0, partition: 0 };
      await reader.tasks.claim(task, 'before', 0);
      await admin.save();
      const first = (await reader.tasks.claim(task, 'first', 1))!;
      await redis.kill();
      await redis.startAgain();
      await eventually(async () => (await reader.tasks.status([task]).catch(() => null)) !== null);
      const second = (await reader.tasks.claim(task, 'second', 1))!;
      expect(second.token.epoch).toBe(first.token.epoch);
      const commit = (token: typeof first.token) =>
        reader.tasks.commit({
          task,
          token,
          tick: 1,
          nonce: 'c',
          buckets: 4,
          from: {},
          follows: '',
          keyed: [],
          ordered: [],
          indexes: [],
          changelog: null,
          changelogFrom: 0,
          record: {
            tick: 1,
            positions: {},
            frontier: {},
            rows: 0,
            conflicts: 0,
            errors: 0,
            checksum: '0'.repeat(16),
            clocks: {},
            commit: '',
            applied: null,
            reaching: null,
            late: 0,
            extra: {},
          },
        });
      expect(await commit(first.token)).toMatchObject({ status: 'fenced', owner: 'second' });
      expect(await commit(second.token)).toEqual({ status: 'committed' });
    } finally {
      await reader.connections.close();
    }
  });

  test('of a view over a view that starts late, under load, and whose worker dies in the middle of the snapshot, is exact', async () => {
    const upstream = await start(declared(perKey));
    await append(3_000, 1_500);
    await upstream.caughtUp('per-key');
    // Small pages, so that the snapshot takes many ticks.
    const limits = { commitWritesMax: 40 };
    const dying = await System.start({ url: redis.url, declarations: declared(perKey, perCount), limits });
    const task = { view: 'per-count', generation: 1, stage: 0, partition: 0 };
    await eventually(async () => {
      await append(20, 1_500);
      const [status] = await upstream.tasks.status([task]);
      return (status!.record?.tick ?? 0) > 3;
    });
    const [status] = await upstream.tasks.status([task]);
    expect(status!.record!.positions['view:per-key']?.position).toBe('0-0');
    // Not stopped but gone: nothing is released.
    await dying.connections.close();
    await append(200, 1_500);
    const next = await start(declared(perKey, perCount));
    for (let round = 0; round < 10; round++) await append(50, 1_500);
    await next.caughtUp('per-key');
    await next.caughtUp('per-count', 30_000);
    const sizes = new Map<number, { events: number; keys: number; sum: number }>();
    for (const row of expected().values() as Iterable<any>) {
      const of = sizes.get(row.events) ?? { events: row.events, keys: 0, sum: 0 };
      sizes.set(row.events, { events: row.events, keys: of.keys + 1, sum: of.sum + row.sum });
    }
    expect(new Map([...(await next.rows('per-count')).values()].map((row) => [row.events, row]))).toEqual(
      sizes,
    );
    await dying.worker.stop();
    await dying.registry.stop();
  });

  test('has an error for a row that a function threw on, until the row is corrected or deleted', async () => {
    const system = await start(declared(strict));
    const client = redis.client();
    for (const [id, name] of [
      [1, 'Ann'],
      [2, ''],
      [3, ''],
    ])
      await client.xadd('people', '*', 'data', JSON.stringify({ id, name }));
    await system.caughtUp('strict');
    expect(await errorsOf(system, 'strict')).toMatchObject({
      count: 2,
      listed: [{ reason: '3 has no name' }, { reason: '2 has no name' }],
    });
    await client.xadd('people', '*', 'data', '{"id":2,"name":"Bob"}');
    await client.xadd('people', '*', 'op', 'delete', 'id', '3');
    await system.caughtUp('strict');
    expect(await errorsOf(system, 'strict')).toEqual({ count: 0, listed: [] });
    expect([...(await system.rows('strict')).values()]).toEqual([
      { id: 1, initial: 'A' },
      { id: 2, initial: 'B' },
    ]);
  });

  test('has an error for the result of a group, which goes with that result', async () => {
    const system = await start(declared(notTwo));
    await append(2, 1);
    await system.caughtUp('not-two');
    expect(await errorsOf(system, 'not-two')).toMatchObject({
      count: 1,
      listed: [{ row: expect.stringContaining('"events":2') }],
    });
    expect((await system.rows('not-two')).size).toBe(0);
    await append(1, 1);
    await system.caughtUp('not-two');
    expect(await errorsOf(system, 'not-two')).toEqual({ count: 0, listed: [] });
    expect([...(await system.rows('not-two')).values()]).toEqual([{ key: 0, events: 3 }]);
  });

  test('is not continued when a function does not answer the same to the same: the view parks, and others go on', async () => {
    const system = await start(declared(counted, perKey));
    const client = redis.client();
    for (let id = 0; id < 20; id++)
      await client.xadd('people', '*', 'data', JSON.stringify({ id, name: 'a' }));
    await eventually(async () => (await errorsOf(system, 'counted')).count >= 0);
    for (let id = 0; id < 20; id++)
      await client.xadd('people', '*', 'data', JSON.stringify({ id, name: 'b' }));
    const task = { view: 'counted', generation: 1, stage: 0, partition: 0 };
    await eventually(async () => (await system.tasks.status([task]))[0]!.parked !== null);
    expect((await system.tasks.status([task]))[0]!.parked).toMatchObject({
      code: 'invariant',
      message: expect.stringMatching(/retracted|less than never|never inserted|negative|same/i),
    });
    await append(10, 5);
    await expectExact(system);
  });
});
