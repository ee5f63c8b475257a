import { count, instant, stream, tumbling, view } from 'stillwater';
import { z } from 'zod';
import type { Limits } from '../../src/runtime/limits.js';
import { partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import type { CommitRequest } from '../../src/runtime/ports/task-store.js';
import { comparePositions, type Position } from '../../src/runtime/position.js';
import { declarationOf } from '../../src/view/declaration-of.js';
import { SimulatedRun } from '../support/simulated-run.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const FIRST = Date.UTC(2001, 0, 1);
const onDay = (day: number): string => new Date(FIRST + day * DAY_MS).toISOString();

const options = { eventTime: 'at', lateness: '1d', partitions: 3, partitionBy: 'shop' } as const;
const sales = stream('sales', { ...options, schema: z.object({ at: instant(), shop: z.string() }) });
const offers = stream('offers', { ...options, schema: z.object({ at: instant(), shop: z.string() }) });
const perDay = view('per-day', {
  from: sales.window(tumbling('1d')).groupBy('shop').aggregate({ sales: count() }).final(),
});
const moved = view('moved', {
  from: sales.window(tumbling('1d')).groupBy('windowStart').aggregate({ sales: count() }).final(),
  partitions: 2,
});
const offered = view('offered', {
  from: sales
    .join({ offer: offers }, { on: { shop: 'shop' }, within: { before: '1h', after: '1h' } })
    .select({ shop: 'shop', at: 'at', offered: 'offer.at' }),
  key: ['shop', 'at', 'offered'],
});

/** A shop of each partition. */
const shops = [0, 1, 2].map((partition) => {
  const placed = partitionOf(declarationOf(sales) as RecordSource)!;
  for (let number = 0; ; number++) if (placed({ shop: `${number}` }) === partition) return `${number}`;
});
const on = (days: Iterable<number>, partition: number): object[] =>
  [...days].map((day) => ({ at: onDay(day), shop: shops[partition]! }));
const days = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);

const LIMITS: Partial<Limits> = {
  readEntriesMax: 40,
  clocksMs: 200,
  heartbeatIdleMs: 1_000,
  replaySkewMsMax: 3 * DAY_MS,
};

/** How far the clock of a log was, with each commit, ahead of the least of those that had still something to read; in days. */
class Skew {
  most = 0;
  readonly #read = new Map<string, { clock: number; position: Position }>();

  constructor(readonly run: SimulatedRun) {
    run.onCommit = (request) => this.#look(request);
  }

  #look({ task, record: { clocks, positions } }: CommitRequest): void {
    if (task.stage > 0) return;
    for (const [input, { position }] of Object.entries(positions)) {
      const redisKey = `${input.slice('stream:'.length)}:${task.partition}`;
      this.#read.set(redisKey, { position, clock: clocks[input]![redisKey] ?? -Infinity });
    }
    const left: number[] = [];
    for (const redisKey of this.run.redis.streams.keys()) {
      if (!/^(sales|offers):/.test(redisKey)) continue;
      const { clock, position } = this.#read.get(redisKey) ?? { clock: FIRST, position: '0-0' };
      if (comparePositions(this.run.redis.stream(redisKey).last, position) > 0) left.push(clock);
    }
    for (const { clock } of this.#read.values())
      this.most = Math.max(this.most, (clock - Math.min(...left)) / DAY_MS);
  }
}

describe('logs that are replayed together', () => {
  const runs: SimulatedRun[] = [];
  afterEach(() => runs.splice(0).forEach((run) => run.end()));
  const runOf = (shown: object, limits: Partial<Limits> = {}): SimulatedRun => {
    runs.push(new SimulatedRun([shown], { ...LIMITS, ...limits }));
    return runs.at(-1)!;
  };
  /** The second has twenty entries a day, the others one. */
  const appendTo = (run: SimulatedRun, source: object = sales): void => {
    run.append(source, ...on(days(0, 60), 0));
    run.append(source, ...on(days(0, 60, 0.05), 1));
    run.append(source, ...on(days(0, 60), 2));
  };
  const skewOf = async (run: SimulatedRun, name: string, workers = 1): Promise<number> => {
    const skew = new Skew(run);
    for (let worker = 0; worker < workers; worker++) run.start();
    await run.settled(name);
    // What closes last is shown when all have heard of each other's time.
    await run.pass(3_000);
    return skew.most;
  };

  it.each([
    ['of one view', perDay, 'per-day', 1],
    ['of tasks that several workers have', perDay, 'per-day', 3],
    ['where rows move', moved, 'moved', 2],
  ])('stay near each other: %s', async (_, shown, name, workers) => {
    const run = runOf(shown);
    appendTo(run);
    // One entry may lie beyond.
    expect(await skewOf(run, name, workers)).toBeLessThanOrEqual(4);
    const apart = runOf(shown, { replaySkewMsMax: 1_000 * DAY_MS });
    appendTo(apart);
    expect(await skewOf(apart, name, workers)).toBeGreaterThan(20);
    expect(run.shown(name)).toEqual(apart.shown(name));
  });

  it('are read once, however often what was read has to wait', async () => {
    const run = runOf(perDay, { readEntriesMax: 1_000 });
    appendTo(run);
    expect(await skewOf(run, 'per-day')).toBeLessThanOrEqual(4);
    expect(run.workers[0]!.parts.metrics.entriesRead.sum()).toBe(1_320);
  });

  it('stay near each other where one task reads several', async () => {
    const apartBy = async (limits?: Partial<Limits>): Promise<number> => {
      const run = runOf(offered, limits);
      run.append(sales, ...on(days(0, 60, 0.05), 0));
      run.append(offers, ...on(days(0, 60), 0));
      const skew = await skewOf(run, 'offered');
      expect(run.rows('offered')).toHaveLength(60);
      return skew;
    };
    expect(await apartBy()).toBeLessThanOrEqual(4);
    expect(await apartBy({ replaySkewMsMax: 1_000 * DAY_MS })).toBeGreaterThan(20);
  });

  it('are not held by one that says nothing more: it is empty, ended, or all that followed was deleted', async () => {
    const run = runOf(perDay);
    run.append(sales, ...on(days(0, 60), 1), ...on([0, 1, 2], 0));
    const ended = run.redis.stream('sales:0');
    ended.entries.splice(1);
    expect(comparePositions(ended.last, ended.entries[0]![0])).toBeGreaterThan(0);
    run.start();
    await run.settled('per-day').catch(() => {});
    expect(run.task('per-day', '0.1').record!.positions['stream:sales']!.entries).toBe(60);
  });

  it('are not held by one that stands where its task is to stop, and has more behind that', async () => {
    const run = runOf(offered);
    run.start();
    await run.pass(1_000);
    run.end();
    run.append(offers, ...on([0, 1], 0));
    const stopAt = { 'offers:0': run.redis.stream('offers:0').last };
    run.append(offers, ...on([2], 0));
    run.append(sales, ...on(days(0, 60), 0));
    const { generations } = run.redis.registry;
    for (const [name, generation] of generations) generations.set(name, { ...generation, stopAt });
    run.start();
    await run.pass(30_000);
    expect(run.task('offered', '0.0').record!.positions['stream:offers']!.entries).toBe(2);
    expect(run.task('offered', '0.0').record!.positions['stream:sales']!.entries).toBe(60);
  });

  it('are not held by one whose entries have no time: they are errors, and read', async () => {
    const run = runOf(perDay);
    run.append(sales, ...on(days(0, 60), 1));
    run.redis.stream('sales:0');
    for (let entry = 0; entry < 90; entry++) {
      const log = run.redis.stream('sales:0');
      log.add(log.nextId(run.time.now()), ['data', '{}']);
    }
    run.start();
    await run.settled('per-day');
    expect(run.task('per-day', '0.0').record!.errors).toBe(90);
  });

  it('are not held by one whose task is parked, and wait for one that goes on', async () => {
    const run = runOf(perDay);
    appendTo(run);
    const id = { view: 'per-day', generation: 1, stage: 0, partition: 0 };
    const park = { code: 'test', message: 'not yet', at: 0 };
    const kept = run.redis.task(id);
    kept.parked = park;
    run.start();
    await run.pass(10_000);
    const read = (partition: number): number =>
      run.task('per-day', `0.${partition}`).record?.positions['stream:sales']?.entries ?? 0;
    expect([read(0), read(1), read(2)]).toEqual([0, 1_200, 60]);
    kept.parked = null;
    await run.settled('per-day');
    expect(read(0)).toBe(60);
  });

  it('go on over times of which nothing is said', async () => {
    const run = runOf(perDay);
    for (const partition of [0, 1, 2]) run.append(sales, ...on(days(0, 5_000, 100), partition));
    run.start();
    await run.settled('per-day');
    await run.pass(1_000);
    // Each of three shops has a day that is final for each but the last.
    expect(run.rows('per-day')).toHaveLength(3 * 49);
  });

  it('do not wait where they were read to their ends: what comes there is taken at once', async () => {
    const run = runOf(perDay);
    for (const partition of [0, 1, 2]) run.append(sales, ...on([0], partition));
    for (let worker = 0; worker < 2; worker++) run.start();
    await run.settled('per-day');
    await run.pass(20_000);
    const owner = (partition: number) => run.task('per-day', `0.${partition}`).owner;
    const slow = [0, 1, 2].find((partition) => owner(partition) === 'w0')!;
    const live = [0, 1, 2].find((partition) => owner(partition) === 'w1')!;
    run.workers[0]!.process.pause();
    run.append(sales, ...on(days(1, 60), slow), ...on(days(1, 60), live));
    await run.pass(1_000);
    const read = (partition: number) =>
      run.task('per-day', `0.${partition}`).record!.positions['stream:sales']!.entries;
    expect([read(slow), read(live)]).toEqual([1, 60]);
  });

  it('are waited for where their worker is gone, until another has them', async () => {
    const run = runOf(perDay);
    for (const partition of [0, 1, 2]) run.append(sales, ...on(days(0, 1_000), partition));
    for (let worker = 0; worker < 2; worker++) run.start();
    await run.pass(4_000);
    const owner = (partition: number) => run.task('per-day', `0.${partition}`).owner;
    const [gone, other] = ['w0', 'w1'].map((name) => [0, 1, 2].find((of) => owner(of) === name)!);
    run.workers[0]!.process.kill();
    await run.pass(2_000);
    const read = (partition: number) =>
      run.task('per-day', `0.${partition}`).record!.positions['stream:sales']!.entries;
    expect(read(other!)).toBeGreaterThan(read(gone!));
    expect(read(other!)).toBeLessThan(read(gone!) + 6);
    await run.settled('per-day');
    expect([read(gone!), read(other!)]).toEqual([1_000, 1_000]);
  });

  it('ask nobody while they are near', async () => {
    const run = runOf(perDay, { replaySkewMsMax: 1_000 * DAY_MS });
    const asked: Position[] = [];
    for (const partition of [0, 1, 2]) run.append(sales, ...on(days(0, 60), partition));
    const worker = run.start();
    const range = worker.parts.log.range.bind(worker.parts.log);
    worker.parts.log.range = (redisKey, ...rest) => {
      asked.push(redisKey);
      return range(redisKey, ...rest);
    };
    await run.settled('per-day');
    const begun = asked.length;
    for (let day = 60; day < 100; day++) {
      for (const partition of [0, 1, 2]) run.append(sales, ...on([day], partition));
      await run.pass(300);
    }
    await run.settled('per-day');
    // Before all have begun it is not known whether they are.
    expect(begun).toBeLessThan(20);
    expect(asked).toHaveLength(begun);
  });
});
