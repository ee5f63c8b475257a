import { z } from 'zod';
import { count, declarationOf, stream, sum, view } from '../../src/index.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import type { Logger } from '../../src/runtime/logger.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import { progressOf } from '../../src/runtime/progress.js';
import { isTransient } from '../../src/runtime/task-end.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';

interface Sale {
  shop: string;
  buyer: string;
  amount: number;
}
const salesNamed = (name: string) =>
  stream(name, {
    schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.int() }),
    partitions: 2,
    partitionBy: 'shop',
  });
type Sales = ReturnType<typeof salesNamed>;

/** Views whose rows move, by how often, and what they must show of these sales. */
const KINDS = {
  once: {
    of: (name: string, sales: Sales) =>
      view(name, {
        from: sales.groupBy('buyer').aggregate({ sales: count(), amount: sum('amount') }),
        partitions: 2,
      }),
    expected: (sold: readonly Sale[]) =>
      [...new Set(sold.map(({ buyer }) => buyer))].map((buyer) => {
        const own = sold.filter((sale) => sale.buyer === buyer);
        return { buyer, sales: own.length, amount: own.reduce((all, { amount }) => all + amount, 0) };
      }),
  },
  twice: {
    of: (name: string, sales: Sales) =>
      view(name, {
        from: sales
          .groupBy('buyer')
          .aggregate({ sales: count(), amount: sum('amount') })
          .groupBy()
          .aggregate({ buyers: count(), sales: sum('sales'), amount: sum('amount') }),
      }),
    expected: (sold: readonly Sale[]) => [
      {
        buyers: new Set(sold.map(({ buyer }) => buyer)).size,
        sales: sold.length,
        amount: sold.reduce((all, { amount }) => all + amount, 0),
      },
    ],
  },
};

describeWithRedis('a failover that takes back what a task had sent, and others have received', () => {
  let cluster: RedisCluster;
  let system: System;
  let source: RecordSource;
  let said: string[];
  let sold: Sale[];
  beforeEach(async () => {
    cluster = await RedisCluster.start({ appendOnly: true });
    said = [];
    sold = [];
  });
  afterEach(async () => {
    await system?.stop().catch(() => {});
    await cluster.stop();
  });

  const masterOf = async (redisKey: string): Promise<string> => (await cluster.masterOf(redisKey)).id;

  /**
   * A view of which what the tasks of one partition keep lies on another master than what those of the other one do, and than what it reads.
   * The tasks of a partition go back together: one that sends, and one that receives of both. Where there are rounds it is not the one that gives them.
   */
  async function start(kind: keyof typeof KINDS): Promise<{ name: string; sender: string }> {
    const keys = new Keyspace();
    for (let at = 0; at < 200; at++) {
      const [name, sales] = [`view-${at}`, salesNamed(`sales-${at % 17}`)];
      const task = (partition: number): string =>
        keys.task({ view: name, generation: 1, stage: 0, partition });
      const sender = task(1);
      const others = [...partitionKeys(declarationOf(sales) as RecordSource), task(0)];
      const lost = await masterOf(sender);
      if ((await Promise.all(others.map(masterOf))).includes(lost)) continue;
      source = declarationOf(sales) as RecordSource;
      const say = (message: string): void => void said.push(message);
      const logger: Logger = { info: say, warn: say, error: say };
      system = await System.start({
        url: cluster.url,
        declarations: [declarationOf(KINDS[kind].of(name, sales)) as SourceDeclaration],
        commandTimeoutMs: 500,
        logger,
        limits: { leaseMs: 1_000, waitMs: 200, retryMsMax: 200 },
      });
      return { name, sender };
    }
    throw new Error('No view lies so.');
  }

  async function append(events: number): Promise<void> {
    const entries: string[][][] = partitionKeys(source).map(() => []);
    for (let index = 0; index < events; index++) {
      const at = sold.length;
      const sale = { shop: `shop ${(at * 7) % 13}`, buyer: `buyer ${(at * 5) % 11}`, amount: at % 9 };
      entries[partitionOf(source)!(sale)]!.push(['data', JSON.stringify(sale)]);
      sold.push(sale);
    }
    for (const [partition, redisKey] of partitionKeys(source).entries()) {
      const request = {
        redisKey,
        entries: entries[partition]!,
        idempotencyKey: `until ${sold.length}`,
        memoryMs: 600_000,
      };
      const append = (): Promise<boolean> =>
        system.log.append(request).then(
          () => true,
          () => false,
        );
      if (entries[partition]!.length > 0) await eventually(append, 30_000, 50);
    }
  }

  /** Whatever is done meanwhile on the master of a key is gone with it. */
  async function forgetting(redisKey: string, meanwhile: () => Promise<void>): Promise<void> {
    const master = await cluster.masterOf(redisKey);
    const index = cluster.nodes.indexOf(master);
    const replica = cluster.nodes[(index + 3) % cluster.nodes.length]!;
    await master.server.raw.wait(1, 2_000);
    await replica.server.kill();
    await meanwhile();
    await master.server.kill();
    await replica.server.startAgain();
    await cluster.failedOver(redisKey, master, 30_000);
  }

  const sorted = (rows: Iterable<unknown>): string[] => [...rows].map((row) => JSON.stringify(row)).sort();

  it.each(Object.keys(KINDS) as (keyof typeof KINDS)[])(
    'where rows move %s: it makes that again, and no row is wrong',
    async (kind) => {
      const { name, sender } = await start(kind);
      const shown = async (): Promise<string[]> => sorted((await system.rows(name)).values());
      await append(60);
      await system.caughtUp(name);
      await forgetting(sender, async () => {
        // Several ticks, which receivers are to have cut otherwise than the sender will.
        for (let batch = 0; batch < 4; batch++) {
          await append(10);
          await system.caughtUp(name);
        }
        expect(await shown()).toEqual(sorted(KINDS[kind].expected(sold)));
      });
      await append(30);
      // Whatever is shown until then, nothing is counted twice.
      await eventually(
        async () => {
          try {
            const rows = [...(await system.rows(name)).values()] as { sales: number }[];
            const counted = rows.reduce((all, { sales }) => all + sales, 0);
            expect(counted).toBeLessThanOrEqual(sold.length);
            return counted === sold.length;
          } catch (thrown) {
            if (isTransient(thrown)) return false;
            throw thrown;
          }
        },
        40_000,
        50,
      );
      await system.caughtUp(name);
      expect(await shown()).toEqual(sorted(KINDS[kind].expected(sold)));
      const { statuses } = await progressOf(system.registry.serving(name)!, system.tasks, system.log);
      expect(statuses.map(({ parked }) => parked)).toEqual(statuses.map(() => null));
      expect(said.filter((message) => /made again what its hash slot lost/.test(message))).not.toEqual([]);
    },
    120_000,
  );
});
