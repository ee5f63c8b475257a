import { z } from 'zod';
import { declarationOf, stream } from '../../src/index.js';
import { Clock } from '../../src/runtime/clock.js';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import { LogBeginning } from '../../src/runtime/log-beginning.js';
import { defaultLimits } from '../../src/runtime/limits.js';
import { Metrics } from '../../src/runtime/metrics.js';
import { NewsDesk } from '../../src/runtime/news-desk.js';
import { SourceReader } from '../../src/runtime/source-reader.js';
import { StreamInput } from '../../src/runtime/stream-input.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { MemorySourceLog } from '../../src/testing/memory/memory-source-log.js';
import type { RecordSource } from '../../src/runtime/placement.js';

const orders = declarationOf(stream('orders', { schema: z.object({ n: z.int() }) })) as RecordSource;
const beginning = { position: '0-0', entries: 0 };

describe('tasks of a worker that read one stream', () => {
  let redis: MemoryRedis;
  let log: MemorySourceLog;
  let metrics: Metrics;
  let reader: SourceReader;
  let now = 0;
  let news: NewsDesk;
  let asked: number;
  class SetClock extends Clock {
    override now = (): number => now;
    override monotonicMs = (): number => now;
    override sleep = (): Promise<void> => Promise.reject(new Error('nobody sleeps here'));
  }
  beforeEach(() => {
    redis = new MemoryRedis();
    metrics = new Metrics();
    log = new MemorySourceLog(redis);
    const readLog = log.read.bind(log);
    asked = 0;
    log.read = (request) => {
      asked++;
      return readLog(request);
    };
    news = new NewsDesk(log, 10);
    reader = new SourceReader(
      'orders',
      new EntryDecoder(orders, 0),
      log,
      news,
      defaultLimits,
      metrics,
      new SetClock(),
    );
  });

  const add = (...ids: string[]): void => {
    for (const id of ids) redis.stream('orders').add(id, ['data', '{"n":1}']);
  };
  const idsAfter = async (position: string): Promise<string[] | null> => {
    const found = await reader.after({ ...beginning, position });
    return found && found.batch.ids.slice(found.from);
  };
  const read = (): number => metrics.entriesRead.get({ stream: 'orders' });

  it('ask for fewer where a reply does not come, until one does', async () => {
    const readLog = log.read;
    const asked: number[] = [];
    log.read = (request) => {
      asked.push(request.countMax);
      // As where what follows is a thousand times as large as what came before.
      return request.countMax > 2 ? Promise.reject(new Error('no reply in time')) : readLog(request);
    };
    add('5-0', '6-0', '7-0');
    for (let tries = 0; tries < 2; tries++) await expect(reader.after(beginning)).rejects.toThrow('no reply');
    expect(await idsAfter('0-0')).toEqual(['5-0']);
    expect(asked.slice(0, 3)).toEqual([100, 12, 1]);
  });

  it('count what each has read, where they share what one of them reads that began later', async () => {
    add('5-0', '6-0', '7-0', '8-0', '9-0');
    redis.stream('orders').trim('7-0', 10);
    const inputOf = (task: string): StreamInput =>
      new StreamInput('stream:orders', reader, null, new LogBeginning(reader, task, 'with what is left'));
    const later = inputOf('later');
    reader.tasks = 1;
    expect((await later.next(later.beginning, null))!.positionAfter(3)).toEqual({
      position: '9-0',
      entries: 3,
    });
    const batch = await inputOf('sooner').next({ position: '8-0', entries: 4 }, null);
    expect(batch!.positionAfter(1)).toEqual({ position: '9-0', entries: 5 });
    expect(read()).toBe(3);
  });

  it('have what follows fetched while they work on a full reply, also on the first and smallest', async () => {
    add(...Array.from({ length: 150 }, (_, index) => `${index + 1}-0`));
    expect(await idsAfter('0-0')).toHaveLength(100);
    expect(asked).toBe(2);
    expect(await idsAfter('100-0')).toHaveLength(50);
    expect(asked).toBe(2);
  });

  it('share what was read, from the beginning too', async () => {
    add('5-0', '6-0', '7-0');
    expect(await idsAfter('0-0')).toEqual(['5-0', '6-0', '7-0']);
    expect(await idsAfter('0-0')).toEqual(['5-0', '6-0', '7-0']);
    expect(await idsAfter('6-0')).toEqual(['7-0']);
    expect(read()).toBe(3);
  });

  it('keep no more than the last batch while one of them reads alone', async () => {
    const all = ['5-0', '6-0', '7-0', '8-0'];
    const readAll = async (): Promise<void> => {
      for (const position of ['0-0', ...all]) await idsAfter(position);
    };
    for (const id of all) {
      add(id);
      now += 10;
      await idsAfter(id === '5-0' ? '0-0' : all[all.indexOf(id) - 1]!);
    }
    await readAll();
    expect(read()).toBe(4);
    reader.tasks = 1;
    add('9-0');
    now += 10;
    await idsAfter('8-0');
    await idsAfter('8-0');
    expect(read()).toBe(5);
    expect(await idsAfter('7-0')).toEqual(['8-0', '9-0']);
    expect(read()).toBe(7);
  });

  it('ask once for what follows the end, until there are news or time has passed', async () => {
    add('5-0', '6-0');
    await idsAfter('0-0');
    asked = 0;
    for (let tasks = 0; tasks < 100; tasks++) expect(await idsAfter('6-0')).toBeNull();
    expect(asked).toBe(1);
    now += 5;
    for (let tasks = 0; tasks < 100; tasks++) expect(await idsAfter('6-0')).toBeNull();
    expect(asked).toBe(2);
    add('7-0');
    await news.wait('orders', '6-0', new AbortController().signal);
    expect(await idsAfter('6-0')).toEqual(['7-0']);
    asked = 0;
    for (let tasks = 0; tasks < 100; tasks++) expect(await idsAfter('7-0')).toBeNull();
    expect(asked).toBe(0);
  });

  it('go on with what the log holds, not with what was read of it long ago', async () => {
    add('5-0', '6-0', '7-0');
    await idsAfter('0-0');
    redis.streams.delete('orders');
    add('5-0', '6-0', '7-1');
    now += defaultLimits.sharedMsMax + 1;
    expect(await idsAfter('5-0')).toEqual(['6-0', '7-1']);
    asked = 0;
    expect(await idsAfter('6-0')).toEqual(['7-1']);
    expect(asked).toBe(0);
  });

  it('share what was read for as long as the log holds the end of it, and one of them asks', async () => {
    add('5-0', '6-0', '7-0');
    await idsAfter('0-0');
    asked = 0;
    now += defaultLimits.sharedMsMax + 1;
    const found = await Promise.all([idsAfter('5-0'), idsAfter('6-0'), idsAfter('5-0')]);
    expect(found).toEqual([['6-0', '7-0'], ['7-0'], ['6-0', '7-0']]);
    expect(await idsAfter('6-0')).toEqual(['7-0']);
    expect([asked, read()]).toEqual([1, 3]);
  });

  it('begin with what the log holds now, also before anybody has noticed that it was made anew', async () => {
    add('5-0', '6-0', '7-0');
    await idsAfter('0-0');
    redis.streams.delete('orders');
    add('1-0', '2-0');
    expect(await idsAfter('0-0')).toEqual(['1-0', '2-0']);
    expect(await idsAfter('2-0')).toBeNull();
  });

  it('begin with nothing where the log is gone', async () => {
    add('5-0');
    await idsAfter('0-0');
    redis.streams.delete('orders');
    expect(await idsAfter('0-0')).toBeNull();
  });

  it('are told what to do where a log ends before what was read of it', async () => {
    add('5-0', '6-0');
    await idsAfter('0-0');
    redis.streams.delete('orders');
    add('1-0');
    now += 10;
    await expect(idsAfter('6-0')).rejects.toMatchObject({
      code: 'ahead-of-its-log',
      message: expect.stringMatching(/position {2}6-0[^]*Rebuild it \(`stillwater rebuild <view>`\)/),
    });
  });
});
