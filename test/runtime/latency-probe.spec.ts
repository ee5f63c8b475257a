import { count, declarationOf, max, stream, table, view } from 'stillwater';
import { z } from 'zod';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { System } from '../support/system.js';

/** Longer no call may keep Redis from others, on a machine that does other things as well: see docs/operating.md. */
const CALL_MS_MAX = 50;
/** A machine that is busy otherwise interrupts Redis as well: so often it is tried whether it was that. */
const TRIALS = 4;
const ORDERS = 20_000;
const ELEMENTS = 50_000;

const orders = stream('orders', {
  schema: z.object({ id: z.int(), buyer: z.string() }),
  partitions: 2,
  partitionBy: 'id',
});
const buyers = table('buyers', { schema: z.object({ buyer: z.string(), city: z.string() }), key: 'buyer' });
const named = view('named', {
  from: orders
    .leftJoin({ who: buyers }, { on: { buyer: 'buyer' } })
    .select({ id: 'id', buyer: 'buyer', city: 'who.city' }),
  key: ['id', 'buyer'],
  indexes: ['city'],
});
const perCity = view('per-city', {
  from: named.groupBy('city').aggregate({ orders: count() }),
  mayTear: true,
});

const lists = stream('lists', { schema: z.object({ id: z.int(), size: z.int() }) });
const elements = view('elements', {
  from: lists
    .flatMap(z.object({ at: z.int() }), ({ size }) => Array.from({ length: size }, (_, at) => ({ at })))
    .groupBy('at')
    .aggregate({ lists: count() }),
  indexes: ['lists'],
});

const readings = stream('readings', { schema: z.object({ sensor: z.int(), value: z.int() }) });
const sensors = view('sensors', {
  from: readings.groupBy('sensor').aggregate({ readings: count(), last: max('value') }),
  indexes: ['last'],
});

describeWithRedis('one entry', () => {
  let redis: RedisServer;
  let system: System;
  beforeEach(async () => {
    redis = await RedisServer.start();
    system = await System.start({
      url: redis.url,
      declarations: [named, perCity, elements, sensors].map(
        (each) => declarationOf(each) as SourceDeclaration,
      ),
    });
  });
  afterEach(async () => {
    await system.stop();
    await redis.stop();
  });

  /** Does it until no call was too long, or too often. What `check` asks of Redis does not count. */
  async function probe(
    trial: (trial: number) => Promise<void>,
    check: (trial: number) => Promise<void>,
  ): Promise<void> {
    const client = redis.client();
    const worst: string[] = [];
    for (let count = 0; count < TRIALS; count++) {
      await client.config('SET', 'slowlog-log-slower-than', String(CALL_MS_MAX * 1_000));
      await client.slowlog('RESET');
      await trial(count);
      const slow = (await client.slowlog('GET', 10)) as [number, number, number, string[]][];
      await check(count);
      if (slow.length === 0) return;
      worst.push(
        ...slow.map(
          ([, , micros, command]) => `${micros} µs: ${command.slice(0, 3).join(' ').slice(0, 100)}`,
        ),
      );
    }
    throw new Error(`These took longer:\n${worst.join('\n')}`);
  }

  it(`that touches twenty thousand rows of one buyer, in views whose rows move, keeps Redis from others for ${CALL_MS_MAX} ms at the most`, async () => {
    const client = redis.client();
    const source = declarationOf(orders) as RecordSource;
    const pipeline = client.pipeline();
    for (let id = 0; id < ORDERS; id++) {
      const order = { id, buyer: 'one' };
      const redisKey = partitionKeys(source)[partitionOf(source)!(order)]!;
      pipeline.xadd(redisKey, '*', 'data', JSON.stringify(order));
    }
    await pipeline.exec();
    await system.caughtUp('per-city', 60_000);

    await probe(
      async (trial) => {
        await client.xadd('buyers', '*', 'data', JSON.stringify({ buyer: 'one', city: `city ${trial}` }));
        await system.caughtUp('per-city', 60_000);
      },
      async (trial) =>
        expect([...(await system.rows('per-city')).values()]).toEqual([
          { city: `city ${trial}`, orders: ORDERS },
        ]),
    );
  }, 180_000);

  it(`of which a view makes fifty thousand rows keeps Redis from others for ${CALL_MS_MAX} ms at the most`, async () => {
    const client = redis.client();
    await probe(
      async (trial) => {
        await client.xadd('lists', '*', 'data', JSON.stringify({ id: trial, size: ELEMENTS }));
        await system.caughtUp('elements', 60_000);
      },
      async (trial) => {
        const rows = [...(await system.rows('elements')).values()];
        expect(rows).toHaveLength(ELEMENTS);
        expect(rows.filter((row) => row['lists'] !== trial + 1)).toEqual([]);
      },
    );
  }, 180_000);

  it(`that holds fifty thousand events keeps Redis from others for ${CALL_MS_MAX} ms at the most`, async () => {
    const client = redis.client();
    await probe(
      async (trial) => {
        const events = Array.from({ length: ELEMENTS }, (_, sensor) => ({ sensor, value: trial }));
        await client.xadd('readings', '*', 'batch', JSON.stringify(events));
        await system.caughtUp('sensors', 60_000);
      },
      async (trial) => {
        const rows = [...(await system.rows('sensors')).values()];
        expect(rows).toHaveLength(ELEMENTS);
        expect(rows.filter((row) => row['readings'] !== trial + 1 || row['last'] !== trial)).toEqual([]);
      },
    );
  }, 180_000);
});
