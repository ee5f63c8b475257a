import { z } from 'zod';
import { count, declarationOf, stream, sum, view } from '../../src/index.js';
import { Proxy } from '../support/proxy.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually, System, type SystemOptions } from '../support/system.js';

const events = stream('events', { schema: z.object({ key: z.int(), n: z.int() }) });
const others = stream('others', { schema: z.object({ key: z.int() }) });
const perKey = view('per-key', { from: events.groupBy('key').aggregate({ events: count(), sum: sum('n') }) });
const beside = view('beside', { from: others.groupBy('key').aggregate({ events: count() }) });
const declarations = [perKey, beside].map((declared) => declarationOf(declared));

describeWithRedis('reading a log', () => {
  let redis: RedisServer;
  const systems: System[] = [];
  let appended: number;
  beforeEach(async () => {
    redis = await RedisServer.start();
    appended = 0;
  });
  afterEach(async () => {
    for (const system of systems.splice(0)) await system.stop();
    await redis.stop();
  });

  const start = async (options: Partial<SystemOptions> = {}): Promise<System> => {
    const system = await System.start({ url: redis.url, declarations, ...options });
    systems.push(system);
    return system;
  };
  const append = async (count: number): Promise<void> => {
    const transaction = redis.client().multi();
    for (let index = 0; index < count; index++, appended++)
      transaction.xadd('events', '*', 'data', JSON.stringify({ key: appended % 10, n: appended }));
    await transaction.exec();
  };
  const expectAll = async (system: System): Promise<void> => {
    await system.caughtUp('per-key');
    const rows = [...(await system.rows('per-key')).values()];
    expect(rows.reduce((sum, row) => sum + row.events, 0)).toBe(appended);
    expect(rows.reduce((sum, row) => sum + row.sum, 0)).toBe((appended * (appended - 1)) / 2);
  };

  test('leaves nothing out although others read in our group and move its cursor', async () => {
    const system = await start({ limits: { readEntriesMax: 50, commitWritesMax: 20 } });
    const thief = redis.client();
    await append(10);
    await expectAll(system);
    for (let round = 0; round < 20; round++) {
      await append(100);
      // A read of an owner that was paused: it moves the cursor that all share.
      await thief.xreadgroup('GROUP', 'sw', 'thief', 'COUNT', 37, 'STREAMS', 'events', '>');
      if (round % 3 === 0) await thief.xgroup('SETID', 'events', 'sw', '$');
    }
    await expectAll(system);
  });

  test('leaves nothing out when the replies of its reads are lost', async () => {
    const proxy = await Proxy.start(redis.port);
    const system = await start({ url: proxy.url, limits: { waitMs: 300 } });
    try {
      for (let round = 0; round < 6; round++) {
        await append(50);
        proxy.mode('cutAfter', 'XREADGROUP');
        await append(50);
        await expectAll(system);
      }
      expect(proxy.cuts).toBeGreaterThan(0);
    } finally {
      for (const each of systems.splice(0)) await each.stop();
      await proxy.stop();
    }
  });

  test.each<[string, string, (position: string) => Promise<unknown>]>([
    [
      'was trimmed beyond what was read',
      'log-trimmed',
      async () =>
        redis
          .client()
          .multi()
          .xadd('events', '*', 'data', '{"key":1,"n":1}')
          .xadd('events', '*', 'data', '{"key":1,"n":1}')
          .xtrim('events', 'MAXLEN', 1)
          .exec(),
    ],
    [
      'lost the entry at which reading stood',
      'entry-deleted',
      async (position) =>
        redis.client().multi().xdel('events', position).xadd('events', '*', 'data', '{"key":1,"n":1}').exec(),
    ],
    [
      'was recreated with lower ids',
      'ahead-of-its-log',
      async () =>
        redis.client().multi().del('events').xadd('events', '5-0', 'data', '{"key":1,"n":1}').exec(),
    ],
    [
      'was recreated with higher ids',
      'ahead-of-its-log',
      async () =>
        redis
          .client()
          .multi()
          .del('events')
          .xadd('events', '99999999999999-0', 'data', '{"key":1,"n":1}')
          .exec(),
    ],
    ['is gone', 'ahead-of-its-log', async () => redis.client().del('events')],
  ])(
    'of a stream that %s parks the view, which says so; its rows stay and other views go on',
    async (_what, code, spoil) => {
      const system = await start({ limits: { waitMs: 200 } });
      await append(20);
      await expectAll(system);
      const rows = await system.rows('per-key');
      const task = { view: 'per-key', generation: 1, stage: 0, partition: 0 };
      const [before] = await system.tasks.status([task]);
      await spoil(before!.record!.positions['stream:events']!.position);
      await eventually(async () => (await system.tasks.status([task]))[0]!.parked !== null);
      const { parked } = (await system.tasks.status([task]))[0]!;
      expect(parked).toMatchObject({ code, message: expect.stringContaining('"events"') });
      expect(parked!.message).toMatch(/position[^]*rebuild/i);
      expect(await system.rows('per-key')).toEqual(rows);
      await redis.client().xadd('others', '*', 'key', '1');
      await system.caughtUp('beside');
      expect((await system.rows('beside')).size).toBe(1);
    },
  );

  test('asks for fewer entries where they are large, and for many where they are small', async () => {
    const system = new System({ url: redis.url, declarations, limits: { readBytesMax: 1_000_000 } });
    systems.push(system);
    const asked: number[] = [];
    const read = system.log.read.bind(system.log);
    system.log.read = (request) => {
      if (request.redisKey === 'events') asked.push(request.countMax);
      return read(request);
    };
    const large = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++, appended++)
        await redis
          .client()
          .xadd(
            'events',
            '*',
            'data',
            JSON.stringify({ key: appended % 10, n: appended, more: 'x'.repeat(400_000) }),
          );
    };
    await large(120);
    await append(5_000);
    await system.run();
    await expectAll(system);
    // The first read cannot know; from then on about two entries make up the bytes of a read.
    expect(asked[0]).toBe(100);
    expect(asked.slice(1, 5).every((count) => count <= 4)).toBe(true);
    expect(Math.max(...asked)).toBeGreaterThan(500);
  });
});
