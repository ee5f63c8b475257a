import { count, declarationOf, max, stream, sum, table, view } from 'stillwater';
import { z } from 'zod';
import { isInEntry } from '../../src/runtime/entry-parts.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually, type System } from '../support/system.js';
import { Systems } from '../support/systems.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.number() }),
  partitions: 3,
  partitionBy: 'shop',
});
const buyers = table('buyers', { schema: z.object({ buyer: z.string(), name: z.string() }), key: 'buyer' });
const byBuyer = view('by-buyer', {
  from: sales
    .groupBy('buyer')
    .aggregate({ sales: count(), amount: sum('amount'), largest: max('amount') })
    .leftJoin({ who: buyers }, { on: { buyer: 'buyer' } }),
  partitions: 4,
});
const total = view('total', {
  from: byBuyer.groupBy().aggregate({ buyers: count(), sales: sum('sales') }),
  mayTear: true,
});
/** The same in one view: rows move, what becomes of them moves again. */
const atOnce = view('at-once', {
  from: sales
    .groupBy('buyer')
    .aggregate({ sales: count() })
    .groupBy()
    .aggregate({ buyers: count(), sales: sum('sales') }),
});
const declarations = [byBuyer, total, atOnce].map((each) => declarationOf(each) as SourceDeclaration);
const source = declarationOf(sales) as RecordSource;

describeWithRedis('rows that move between partitions, on a real Redis', () => {
  const systems = new Systems();
  const start = (): Promise<System> => systems.start(declarations, { limits: { waitMs: 200 } });
  let appended: { shop: string; buyer: string; amount: number }[];
  beforeEach(() => void (appended = []));

  const append = async (entries: number): Promise<void> => {
    const pipeline = systems.redis.client().pipeline();
    for (let index = 0; index < entries; index++) {
      const at = appended.length;
      const sale = {
        shop: `shop ${(at * 31) % 17}`,
        buyer: `buyer ${(at * 13) % 50}`,
        amount: (at % 23) / 10,
      };
      appended.push(sale);
      const redisKey = partitionKeys(source)[partitionOf(source)!(sale)]!;
      pipeline.xadd(redisKey, '*', 'data', JSON.stringify(sale));
    }
    await pipeline.exec();
  };
  const check = async (system: System): Promise<void> => {
    const rows = [...(await system.rows('by-buyer')).values()];
    expect(rows).toHaveLength(50);
    for (const { buyer, sales: sold, largest } of rows) {
      const own = appended.filter((sale) => sale.buyer === buyer);
      expect({ buyer, sold, largest }).toEqual({
        buyer,
        sold: own.length,
        largest: Math.max(...own.map(({ amount }) => amount)),
      });
    }
    for (const name of ['total', 'at-once'])
      expect([...(await system.rows(name)).values()]).toEqual([{ buyers: 50, sales: appended.length }]);
  };

  it('show all events of an entry or none where they move twice, also where these are more than a commit takes', async () => {
    const system = await start();
    await append(100);
    await system.caughtUp('at-once');
    const events = Array.from({ length: 20_000 }, (_, index) => ({
      shop: 'shop 1',
      buyer: `buyer ${index % 4_000}`,
      amount: 1,
    }));
    const redisKey = partitionKeys(source)[partitionOf(source)!(events[0]!)]!;
    await systems.redis.client().xadd(redisKey, '*', 'batch', JSON.stringify(events));
    const seen = new Set<number>();
    const sender = {
      view: 'at-once',
      generation: 1,
      stage: 0,
      partition: partitionOf(source)!(events[0]!),
    };
    let inParts = false;
    await eventually(
      async () => {
        for (const { sales } of (await system.rows('at-once')).values()) seen.add(sales);
        const [status] = await system.tasks.status([sender]);
        inParts ||= isInEntry(status!.record!);
        return seen.has(appended.length + events.length);
      },
      30_000,
      1,
    );
    expect([...seen]).toEqual([appended.length, appended.length + events.length]);
    expect(inParts).toBe(true);
  });

  it('are counted once through takeovers, replayed to the same rows, and leave nothing behind', async () => {
    const one = await start();
    await append(2_000);
    await one.caughtUp('by-buyer');
    const two = await start();
    await append(2_000);
    await two.caughtUp('total');
    await two.caughtUp('at-once');
    await check(two);
    await systems.stop(one);
    await append(2_000);
    await systems.redis
      .client()
      .xadd('buyers', '*', 'data', JSON.stringify({ buyer: 'buyer 7', name: 'Seven' }));
    await two.caughtUp('by-buyer');
    await two.caughtUp('total');
    await two.caughtUp('at-once');
    await check(two);
    expect((await two.rows('by-buyer')).get('buyer 7')).toMatchObject({ who: { name: 'Seven' } });

    for (const name of ['by-buyer', 'at-once'])
      expect(await two.verifier.run(`verify-${name}`, name, async () => {})).toMatchObject({
        state: 'equal',
        differences: [],
      });

    const before = two.registry.serving('by-buyer')!.number;
    await two.rebuilder.begin('again', two.rebuilder.affected(['by-buyer']), 'building', false);
    await eventually(async () => (await two.rebuilder.advance('again')).state === 'promoted', 30_000);
    expect(two.registry.serving('by-buyer')!.number).toBeGreaterThan(before);
    await append(500);
    await two.caughtUp('total');
    await two.caughtUp('at-once');
    await check(two);
    // The replay that was compared is gone, with all that it sent.
    await eventually(async () => {
      const numbers = two.registry.snapshot.generations.map(({ view: name, number }) => `${name}#${number}/`);
      const keys = await systems.redis.client().keys('{sw:*');
      return keys.every((key) => numbers.some((number) => key.includes(number)));
    });
  }, 90_000);
});
