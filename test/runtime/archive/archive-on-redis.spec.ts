import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { giveUpArchive } from '../../../src/runtime/archive/begin-archive.js';
import { silent } from '../../../src/runtime/logger.js';
import { DirectoryStore } from '../../../src/archive/directory-store.js';
import { count, declarationOf, instant, stream, sum, table, tumbling, view } from '../../../src/index.js';
import type { Limits } from '../../../src/runtime/limits.js';
import type { ViewDeclaration } from '../../../src/view/declarations.js';
import { describeWithRedis } from '../../support/redis-server.js';
import { eventually, type System } from '../../support/system.js';
import { Systems } from '../../support/systems.js';

const sales = stream('sales', {
  schema: z.object({ at: instant(), shop: z.string(), amount: z.int() }),
  eventTime: 'at',
  lateness: '1s',
  retain: { entries: 20 },
});
const shops = table('shops', {
  schema: z.object({ shop: z.string(), city: z.string() }),
  key: 'shop',
  retain: { entries: 5 },
});
const byShop = view('by-shop', {
  from: sales
    .groupBy('shop')
    .aggregate({ sales: count(), amount: sum('amount') })
    .leftJoin({ place: shops }, { on: { shop: 'shop' } })
    .select({ shop: 'shop', sales: 'sales', amount: 'amount', city: 'place.city' }),
});
const perSecond = view('per-second', {
  from: sales.window(tumbling('1s')).groupBy('shop').aggregate({ sales: count() }).final(),
});
const declarations = [byShop, perSecond].map((each) => declarationOf(each) as ViewDeclaration);

describeWithRedis('an archive of what retention trims', () => {
  const systems = new Systems();
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'stillwater-archive-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const start = (archived = true, limits: Partial<Limits> = {}): Promise<System> =>
    systems.start(declarations, {
      ...(archived && { archive: new DirectoryStore(directory) }),
      limits: {
        archiveEntriesMax: 30,
        archiveMs: 1,
        archiveAgeMs: 1,
        heartbeatIdleMs: 200,
        clocksMs: 50,
        parkedRetryMs: 100,
        ...limits,
      },
    });
  const lengthOfLog = (): Promise<number> => systems.redis.raw.xlen('sales');
  let sold = 0;
  beforeEach(() => void (sold = 0));
  const append = async (entries: number): Promise<void> => {
    const transaction = systems.redis.raw.multi();
    for (; entries > 0; entries--, sold++) {
      const at = new Date(Date.UTC(2020, 0, 1) + sold * 90 - (sold % 7) * 200).toISOString();
      const sale = { at, shop: `s${sold % 5}`, amount: sold % 11 };
      transaction.xadd('sales', '*', 'data', JSON.stringify(sale));
      if (sold % 4 === 0)
        transaction.xadd(
          'shops',
          '*',
          ...(sold % 12 === 0 ? ['op', 'delete'] : []),
          'data',
          JSON.stringify({ shop: `s${sold % 6}`, city: `c${sold}` }),
        );
    }
    await transaction.exec();
  };
  const trim = async (system: System): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (let gone = 1; gone > 0;)
      gone = [...(await system.retention.trim()).values()].reduce((a, b) => a + b, 0);
  };
  const fill = async (system: System): Promise<void> => {
    for (let round = 0; round < 6; round++) {
      await append(60);
      await system.caughtUp('by-shop');
      await system.caughtUp('per-second');
      await trim(system);
    }
    expect(await lengthOfLog()).toBeLessThan(60);
  };
  const rebuild = async (system: System, name: string, acceptTrimmed = false) => {
    const id = `rebuild-${randomUUID()}`;
    await system.rebuilder.check([name], acceptTrimmed);
    await system.rebuilder.begin(id, system.rebuilder.affected([name]), 'building', acceptTrimmed);
    return id;
  };
  const ended = async (system: System, id: string): Promise<string | null> => {
    let reason: string | null = null;
    await eventually(async () => {
      const progress = await system.rebuilder.advance(id);
      reason = progress.reason;
      return progress.state === 'promoted' || progress.state === 'failed';
    });
    return reason;
  };

  test('a rebuild of trimmed logs is complete, and equals what was served', async () => {
    const system = await start();
    await fill(system);
    for (const name of ['by-shop', 'per-second']) {
      const before = await system.rows(name);
      const checksum = async () => {
        const { number } = system.registry.serving(name)!;
        const [status] = await system.tasks.status([
          { view: name, generation: number, stage: 0, partition: 0 },
        ]);
        return [status!.record!.checksum, status!.record!.late];
      };
      const kept = await checksum();
      expect(await ended(system, await rebuild(system, name))).toBeNull();
      expect(system.registry.serving(name)!.number).toBe(2);
      expect(await system.rows(name)).toEqual(before);
      expect(await checksum()).toEqual(kept);
    }
    await append(30);
    await system.caughtUp('by-shop');
    expect([...(await system.rows('by-shop')).values()].reduce((all, { sales: some }) => all + some, 0)).toBe(
      sold,
    );
    expect((await system.log.ends(['sales']))[0]!.archived).toMatchObject({ whole: true });
  });

  test('a view that was parked for so long that it was given up is rebuilt from the archive, complete', async () => {
    const system = await start(true, { parkedHoldsBackMs: 500, parkedRetryMs: 600_000 });
    await append(60);
    await system.caughtUp('by-shop');
    const { raw } = systems.redis;
    const task = { view: 'by-shop', generation: 1, stage: 0, partition: 0 };
    const [rows] = await raw.keys('*by-shop#1/0.0:*:rows:*');
    await raw.rename(rows!, 'aside');
    await raw.set(rows!, 'x');
    await append(120);
    await eventually(async () => (await system.tasks.status([task]))[0]!.parked !== null);
    await system.caughtUp('per-second');
    await trim(system);
    expect(await lengthOfLog()).toBeGreaterThan(120);
    await eventually(async () => {
      await trim(system);
      return (await lengthOfLog()) < 60;
    });
    // It is still parked: what it has not read is in the archive alone.
    expect((await system.tasks.status([task]))[0]!.parked).not.toBeNull();
    expect(await ended(system, await rebuild(system, 'by-shop'))).toBeNull();
    await append(30);
    await system.caughtUp('by-shop');
    const shown = [...(await system.rows('by-shop')).values()];
    expect(shown.reduce((all, { sales: some }) => all + some, 0)).toBe(sold);
    expect(shown.reduce((all, { amount }) => all + amount, 0)).toBe(
      Array.from({ length: sold }, (_, sale) => sale % 11).reduce((all, one) => all + one, 0),
    );
  });

  test('a process without the archive trims nothing, also while no other lives, until the archive is given up', async () => {
    const archiving = await start();
    await append(60);
    await archiving.caughtUp('by-shop');
    await systems.stop(archiving);
    const without = await start(false);
    await append(60);
    await without.caughtUp('by-shop');
    expect(await without.retention.trim()).toEqual(new Map());
    expect(await lengthOfLog()).toBe(120);
    await giveUpArchive({ registry: without.registry, logger: silent });
    expect((await without.retention.trim()).get('sales')).toBeGreaterThan(0);
  });

  test('a process that must not trim any more does not go on saying who holds it back', async () => {
    const without = await start(false);
    await append(60);
    await without.caughtUp('by-shop');
    await without.caughtUp('per-second');
    await systems.redis.raw.xgroup('CREATE', 'sales', 'others', '0');
    await without.retention.trim();
    const heldBack = without.metrics.trimHeldBack;
    expect(heldBack.get({ stream: 'sales', by: 'group others' })).toBeGreaterThan(0);
    // Another one begins an archive, and this one has none.
    await start();
    expect(await without.retention.trim()).toEqual(new Map());
    expect([...heldBack.values()]).toEqual([]);
  });

  test('a directory on which the archive is not mounted is not made one', async () => {
    await fill(await start());
    const elsewhere = `${directory}-elsewhere`;
    renameSync(directory, elsewhere);
    try {
      const system = await start();
      await append(60);
      await system.caughtUp('by-shop');
      const before = await lengthOfLog();
      await system.retention.trim();
      expect(await lengthOfLog()).toBe(before);
      expect(existsSync(directory)).toBe(false);
    } finally {
      renameSync(elsewhere, directory);
    }
  });

  test('a verification replays the archive too', async () => {
    const system = await start();
    await fill(system);
    const progress = await system.verifier.run('verify-1', 'by-shop', async () => {});
    expect(progress).toMatchObject({ state: 'equal', differences: [] });
  });

  test('a process without the archive does not take what is left for all there was', async () => {
    const system = await start();
    await fill(system);
    await systems.stop(system);
    const without = await start(false);
    await expect(rebuild(without, 'by-shop')).rejects.toMatchObject({ code: 'log-trimmed' });
    // Where another process, which has it, has begun the rebuild.
    const id = `rebuild-${randomUUID()}`;
    await without.rebuilder.begin(id, ['by-shop'], 'building', false);
    expect(await ended(without, id)).toMatch(/was trimmed[^]*STILLWATER_ARCHIVE/);
    expect((await without.rows('by-shop')).size).toBe(5);
  });

  test('a damaged file stops the replay with its name, which goes on when the file is back', async () => {
    const system = await start();
    await fill(system);
    const folder = join(directory, 'sw_sales');
    const [name] = readdirSync(folder).sort();
    const content = readFileSync(join(folder, name!));
    writeFileSync(join(folder, name!), content.subarray(0, 100));
    const again = await start();
    await systems.stop(system);
    const id = await rebuild(again, 'by-shop');
    const task = { view: 'by-shop', generation: 2, stage: 0, partition: 0 };
    await eventually(async () => (await again.tasks.status([task]))[0]?.parked?.code === 'archive-damaged');
    expect((await again.tasks.status([task]))[0]!.parked!.message).toContain(name);
    writeFileSync(join(folder, name!), content);
    await eventually(async () => (await again.rebuilder.advance(id)).state === 'promoted');
  });
});
