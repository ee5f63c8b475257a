import { declarationOf, instant, stream } from 'stillwater';
import { z } from 'zod';
import { SystemClock } from '../../src/runtime/clock.js';
import { Heartbeats, type TimedPartition } from '../../src/runtime/heartbeats.js';
import { partitionKeys } from '../../src/runtime/placement.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { MemorySourceLog } from '../../src/testing/memory/memory-source-log.js';
import type { StreamDeclaration } from '../../src/view/declarations.js';

const streamOf = (partitions: number): StreamDeclaration =>
  declarationOf(
    stream('s', {
      schema: z.object({ at: instant() }),
      eventTime: 'at',
      lateness: '1s',
      partitions,
      partitionBy: 'at',
    } as never),
  ) as StreamDeclaration;

describe('heartbeats are proposed', () => {
  let now = 0;
  let redis: MemoryRedis;
  let heartbeats: Heartbeats;
  beforeEach(() => {
    now = Date.UTC(2030, 0);
    redis = new MemoryRedis({ clock: { now: () => now, after: () => () => {} } });
    heartbeats = new Heartbeats(new MemorySourceLog(redis), new SystemClock(), 1);
  });

  /** A round in which tasks have read all partitions to these ends and know these clocks. */
  const round = async (
    source: StreamDeclaration,
    ends: readonly number[],
    clocks: readonly (number | null)[],
  ) => {
    const keys = partitionKeys(source);
    keys.forEach((key, index) => {
      const log = redis.stream(key);
      if (Number(log.last.split('-')[0]) < ends[index]!) log.add(`${ends[index]}-0`, ['a', 'b']);
    });
    const known = Object.fromEntries(keys.map((key, index) => [key, clocks[index]!]));
    await heartbeats.beat(
      keys.map((redisKey, index): TimedPartition => ({
        source,
        redisKey,
        position: `${ends[index]}-0`,
        clocks: known,
      })),
    );
    return keys.map((key) => Object.fromEntries(redis.stream(key).heartbeats));
  };

  it('only where nothing has come since the round before', async () => {
    const one = streamOf(1);
    expect(await round(one, [1], [5_000])).toEqual([{}]);
    expect(await round(one, [2], [6_000])).toEqual([{}]);
    expect(await round(one, [2], [6_000])).toEqual([{}]);
    expect(redis.stream('s').silence).toMatchObject({ anchor: '2-0', clock: 6_000 });
    now += 10_000;
    expect(await round(one, [2], [6_000])).toEqual([{ '2-0': 16_000 }]);
    now += 500;
    expect(await round(one, [2], [16_000])).toEqual([{ '2-0': 16_500 }]);
    expect(await round(one, [3], [20_000])).toEqual([{ '2-0': 16_500 }]);
  });

  it('not where the last entries are not read yet', async () => {
    const one = streamOf(1);
    await round(one, [1], [5_000]);
    redis.stream('s').add('2-0', ['a', 'b']);
    for (let rounds = 0; rounds < 3; rounds++) await round(one, [1], [5_000]);
    expect(redis.stream('s').silence).toBeNull();
  });

  it('with the least watermark of what moves, and no clock of ours', async () => {
    const three = streamOf(3);
    await round(three, [1, 1, 1], [5_000, 100_000, 200_000]);
    expect(await round(three, [1, 2, 2], [5_000, 110_000, 210_000])).toEqual([{ '1-0': 109_000 }, {}, {}]);
    // What moves does not hold back what is ahead of it.
    expect(await round(three, [1, 2, 3], [109_000, 110_000, 220_000])).toEqual([
      { '1-0': 219_000 },
      { '2-0': 219_000 },
      {},
    ]);
  });

  it('with what moved on meanwhile, though all are silent by now; then they go on together', async () => {
    const two = streamOf(2);
    await round(two, [1, 1], [5_000, 20_000]);
    expect(await round(two, [1, 2], [5_000, 20_000])).toEqual([{ '1-0': 19_000 }, {}]);
    // It had come further than was known when it moved.
    expect(await round(two, [1, 2], [19_000, 90_000])).toEqual([{ '1-0': 89_000 }, {}]);
    for (let rounds = 0; rounds < 2; rounds++) await round(two, [1, 2], [89_000, 90_000]);
    now += 5_000;
    expect(await round(two, [1, 2], [89_000, 90_000])).toEqual([{ '1-0': 94_000 }, { '2-0': 95_000 }]);
  });

  it('not past one that moves and has not told its clock', async () => {
    const three = streamOf(3);
    await round(three, [1, 1, 1], [5_000, null, 200_000]);
    expect(await round(three, [1, 2, 2], [5_000, null, 210_000])).toEqual([{}, {}, {}]);
  });

  it('for a partition that never had an entry, also where the others are silent', async () => {
    const two = streamOf(2);
    await round(two, [1, 0], [5_000, null]);
    expect(await round(two, [2, 0], [6_000, null])).toEqual([{}, { '0-0': 5_000 }]);
    expect(await round(two, [2, 0], [6_000, 5_000])).toEqual([{}, { '0-0': 5_000 }]);
    const empty = streamOf(2);
    redis.streams.clear();
    await round(empty, [0, 0], [null, null]);
    expect(await round(empty, [0, 0], [null, null])).toEqual([{}, {}]);
    await round(empty, [9, 0], [7_000, null]);
    await round(empty, [9, 0], [7_000, null]);
    expect(await round(empty, [9, 0], [7_000, null])).toMatchObject([{}, { '0-0': 6_000 }]);
  });
});
