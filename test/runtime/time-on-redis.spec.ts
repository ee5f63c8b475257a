import { count, declarationOf, instant, stream, sum, tumbling, view } from 'stillwater';
import { z } from 'zod';
import { partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually, type System } from '../support/system.js';
import { Systems } from '../support/systems.js';

const flights = stream('flights', {
  schema: z.object({ at: instant(), origin: z.string() }),
  eventTime: 'at',
  lateness: '30m',
  partitions: 2,
  partitionBy: 'origin',
});
const perHour = view('per-hour', {
  from: flights.window(tumbling('1h')).groupBy('origin').aggregate({ departures: count() }).final(),
});
const perDay = view('per-day', {
  from: perHour
    .window(tumbling('1d'), { on: 'windowStart' })
    .groupBy('origin')
    .aggregate({ departures: sum('departures') })
    .final(),
});
const declarations = [perHour, perDay].map((each) => declarationOf(each) as SourceDeclaration);
const limits = { heartbeatIdleMs: 60, clocksMs: 20, waitMs: 50 };
const DAY_MS = 86_400_000;
/** The partition that the events of ORD belong to. */
const OWN = partitionOf(declarationOf(flights) as RecordSource)!({ origin: 'ORD' });
const FIRST = Date.parse('2001-01-01T00:00:00Z');

describeWithRedis('time, on a real Redis', () => {
  const systems = new Systems();
  const start = (): Promise<System> => systems.start(declarations, { limits });

  /** Of one origin, which lies in one partition: the other never has an entry. */
  const append = async (fromHour: number, toHour: number): Promise<void> => {
    const pipeline = systems.redis.client().pipeline();
    for (let minute = fromHour * 60; minute < toHour * 60; minute += 10) {
      const event = { at: new Date(FIRST + minute * 60_000).toISOString(), origin: 'ORD' };
      pipeline.xadd(`flights:${OWN}`, '*', 'data', JSON.stringify(event));
    }
    await pipeline.exec();
  };
  const departures = async (system: System, name: string): Promise<number[]> =>
    [...(await system.rows(name)).values()].map((row) => row.departures as number).sort();

  it('passes in a partition without entries and in views over views; the outcome is that of a replay, through takeovers', async () => {
    const one = await start();
    await append(0, 20);
    await eventually(async () => (await departures(one, 'per-hour')).length >= 18, 20_000);
    const two = await start();
    await append(20, 40);
    await eventually(async () => (await departures(two, 'per-hour')).length >= 38, 20_000);
    await systems.stop(one);
    await append(40, 30 * 24);
    // 29 days are over for certain; the last hour of the last one is not.
    await eventually(async () => (await departures(two, 'per-day')).length >= 29, 30_000);
    expect(new Set(await departures(two, 'per-day'))).toEqual(new Set([144]));
    expect(new Set(await departures(two, 'per-hour'))).toEqual(new Set([6]));

    for (const name of ['per-hour', 'per-day']) {
      const verified = await two.verifier.run(`verify-${name}`, name, async () => {});
      expect(verified).toMatchObject({ state: 'equal', differences: [] });
    }
    const before = two.registry.serving('per-hour')!.number;
    await two.rebuilder.begin('again', two.rebuilder.affected(['per-hour']), 'building', false);
    await eventually(async () => (await two.rebuilder.advance('again')).state === 'promoted', 30_000);
    expect(two.registry.serving('per-hour')!.number).toBeGreaterThan(before);
    expect((await departures(two, 'per-day')).length).toBeGreaterThanOrEqual(29);
    expect(new Set(await departures(two, 'per-hour'))).toEqual(new Set([6]));
  });

  it('goes on in silence from where the events were', async () => {
    const system = await start();
    await append(0, 3);
    const client = systems.redis.client();
    const keys = ['sw:{flights:0}:silence:flights:0', 'sw:{flights:1}:silence:flights:1'];
    await eventually(async () => (await client.exists(...keys)) === 2, 20_000);
    await eventually(async () => (await departures(system, 'per-hour')).length === 1);
    // As if the silence had been noticed a day ago.
    for (const key of keys) {
      const [anchor, since, clock] = (await client.get(key))!.split(' ') as [string, string, string];
      await client.set(key, `${anchor} ${Number(since) - DAY_MS} ${clock}`);
    }
    await eventually(async () => (await departures(system, 'per-day')).length === 1, 20_000);
    expect(await departures(system, 'per-hour')).toEqual([6, 6, 6]);
    expect(await departures(system, 'per-day')).toEqual([18]);
  });
});
