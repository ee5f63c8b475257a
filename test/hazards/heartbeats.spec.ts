import { declarationOf, instant, stream } from 'stillwater';
import { z } from 'zod';
import { defaultLimits } from '../../src/runtime/limits.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { Heartbeats } from '../../src/runtime/heartbeats.js';
import { partitionOf } from '../../src/runtime/placement.js';
import type { SourceLog } from '../../src/runtime/ports/source-log.js';
import { SiblingClocks } from '../../src/runtime/sibling-clocks.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { MemorySourceLog } from '../../src/testing/memory/memory-source-log.js';
import type { StreamDeclaration } from '../../src/view/declarations.js';
import { closing } from '../support/closing.js';
import { source, viewOf } from '../support/plans.js';
import { Random } from '../support/random.js';
import { eventually } from '../support/system.js';
import { TaskRuns } from '../support/task-runs.js';

const DAY = '2001-01-01';
const ms = (time: string): number => Date.parse(`${DAY}T${time}:00Z`);
const at = (time: string, origin = 'ORD') => ({ at: `${DAY}T${time}:00Z`, origin });
const hour = (text: string, n: number) => ({ hour: `${DAY}T${text}:00:00.000Z`, n });
const flightsOf = (partitions: number): StreamDeclaration =>
  declarationOf(
    stream('flights', {
      schema: z.object({ at: instant(), origin: z.string() }),
      eventTime: 'at',
      lateness: '30m',
      partitions,
      partitionBy: 'origin',
    } as never),
  ) as StreamDeclaration;
const runsOf = (partitions = 1, redis = new MemoryRedis()) => {
  const flights = flightsOf(partitions);
  return new TaskRuns(flights, viewOf('hours', closing(source(flights), 'hour'), ['hour']), { redis });
};

/** What a task left: the same for the same log. */
const left = (runs: TaskRuns, id = runs.id()) => {
  const { clocks, checksum, frontier } = runs.record(id)!;
  const open = runs.redis.tasks.get(`${id.view}#${id.generation}/0.${id.partition}`)!.keyed.get('1.open');
  return { clocks, checksum, frontier, rows: runs.rows(id), open: open?.get('') };
};

describe('heartbeats', () => {
  it('1. come before the entry that was appended after them, also to a reader that saw neither', async () => {
    const runs = runsOf();
    runs.append([at('10:10')]);
    // The entry is appended after entries were read and before heartbeats are: it is of the next read.
    const log: SourceLog = new MemorySourceLog(runs.redis);
    const anchor = runs.redis.stream('flights').last;
    const live = await runs.start();
    await runs.caughtUp();
    await log.recordHeartbeat({ redisKey: 'flights', anchor, mode: 'moving', clock: ms('12:00') });
    runs.append([at('10:20')]);
    await runs.caughtUp();
    live.task.stop();
    await live.ended;
    expect(runs.rows()).toEqual([hour('10', 1)]);
    await runs.runToEnd(runs.id(0, 'hours', 2));
    expect(left(runs, runs.id(0, 'hours', 2))).toEqual(left(runs));
  });

  it('2. close what is open though a partition never had an entry', async () => {
    const redis = new MemoryRedis();
    const runs = runsOf(2, redis);
    const own = partitionOf(runs.source)!({ origin: 'ORD' } as never);
    const siblings = new SiblingClocks([runs.id(0), runs.id(1)], runs.ports.tasks, new SystemClock(), 1);
    const tasks = [await runs.start(runs.id(0), { siblings }), await runs.start(runs.id(1), { siblings })];
    const heartbeats = new Heartbeats(runs.ports.log, new SystemClock(), 1);
    const round = () => heartbeats.beat(tasks.flatMap(({ task }) => task.timedPartitions));
    runs.append([at('10:10'), at('10:20')], own);
    await runs.caughtUp(runs.id(own));
    await round();
    runs.append([at('14:00')], own);
    await runs.caughtUp(runs.id(own));
    expect(runs.rows(runs.id(own))).toEqual([]);
    await eventually(async () => {
      await round();
      return runs.rows(runs.id(own)).length > 0;
    });
    expect(runs.rows(runs.id(own))).toEqual([hour('10', 2)]);
    // From the watermark of the other on, by the time that passes.
    const recorded = redis.stream(runs.redisKey(1 - own)).heartbeats.get('0-0')!;
    expect(recorded).toBeGreaterThanOrEqual(ms('13:30'));
    expect(recorded).toBeLessThan(ms('13:31'));
    for (const { task } of tasks) task.stop();
    await Promise.all(tasks.map(({ ended }) => ended));
  });

  it('3. leave old data old: after a pause of the producer the rest of it still counts', async () => {
    let now = Date.UTC(2030, 0);
    const clock = { now: () => now, after: new MemoryRedis().clock.after };
    const runs = runsOf(1, new MemoryRedis({ clock }));
    runs.append([at('10:10'), at('10:20')]);
    const { task, ended } = await runs.start();
    await runs.caughtUp();
    const heartbeats = new Heartbeats(runs.ports.log, new SystemClock(), 1);
    for (let minutes = 0; minutes < 20; minutes++) {
      await heartbeats.beat(task.timedPartitions);
      now += 60_000;
    }
    await eventually(() => runs.record()!.clocks['stream:flights']!.flights! > ms('10:35'));
    expect(runs.record()!.clocks['stream:flights']!.flights).toBeLessThan(ms('10:40'));
    runs.append([at('10:21'), at('10:55'), at('12:00')]);
    await runs.caughtUp();
    expect(runs.rows()).toEqual([hour('10', 4)]);
    task.stop();
    await ended;
    await runs.runToEnd(runs.id(0, 'hours', 2));
    expect(left(runs, runs.id(0, 'hours', 2))).toEqual(left(runs));
  });

  it('4. are not made by an event from the far future, which moves no clock', async () => {
    const runs = runsOf();
    runs.append([at('10:10'), { at: '2099-01-01T00:00:00Z', origin: 'ORD' }, at('10:20')]);
    const record = await runs.runToEnd();
    expect(record).toMatchObject({ errors: 1, clocks: { 'stream:flights': { flights: ms('10:20') } } });
  });

  it("5. are anybody's: of several who propose, late or behind, none spoils what another recorded", async () => {
    const runs = runsOf();
    runs.append([at('10:10')]);
    const [one, other] = [await runs.start(), await runs.start(runs.id(0, 'other'))];
    await runs.caughtUp();
    await runs.caughtUp(runs.id(0, 'other'));
    const [mine, theirs] = [1, 2].map(() => new Heartbeats(runs.ports.log, new SystemClock(), 1));
    const stale = other.task.timedPartitions;
    for (let round = 0; round < 3; round++)
      await Promise.all([mine!.beat(one.task.timedPartitions), theirs!.beat(stale)]);
    const before = runs.redis.stream('flights').heartbeats.size;
    runs.append([at('11:00')]);
    await runs.caughtUp();
    for (let round = 0; round < 3; round++) await theirs!.beat(stale);
    expect(runs.redis.stream('flights').heartbeats.size).toBe(before);
    expect(before).toBeLessThanOrEqual(1);
    for (const { task, ended } of [one, other]) {
      task.stop();
      await ended;
    }
  });

  it('are met at the same place by a replay, whenever they were written and however it is cut', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = new Random(seed);
      const runs = runsOf();
      const stream = runs.redis.stream('flights');
      let clock = ms('00:00');
      let live = await runs.start();
      for (let step = 0; step < 60; step++) {
        clock += random.below(20 * 60_000);
        if (random.chance(0.6))
          runs.append([{ at: new Date(clock - random.below(90 * 60_000)).toISOString(), origin: 'ORD' }]);
        if (random.chance(0.5))
          await runs.ports.log.recordHeartbeat({
            redisKey: 'flights',
            anchor: stream.last,
            mode: 'moving',
            clock: clock + random.below(30 * 60_000),
          });
        if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
        if (random.chance(0.1)) {
          live.task.stop();
          await live.ended;
          live = await runs.start();
        }
      }
      runs.append([{ at: new Date(clock).toISOString(), origin: 'ORD' }]);
      await runs.caughtUp();
      live.task.stop();
      await live.ended;
      const limits = {
        ...defaultLimits,
        waitMs: 20,
        readEntriesMax: random.of([1, 3, 8_000]),
        commitWritesMax: random.of([1, 4_000]),
      };
      await runs.runToEnd(runs.id(0, 'hours', 2), { limits });
      expect(left(runs, runs.id(0, 'hours', 2))).toEqual(left(runs));
    }
  });
});
