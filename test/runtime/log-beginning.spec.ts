import { z } from 'zod';
import { count, stream, sum, view } from '../../src/index.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import { inState } from '../../src/runtime/in-state.js';
import { LogBeginning } from '../../src/runtime/log-beginning.js';
import { Metrics } from '../../src/runtime/metrics.js';
import { NewsDesk } from '../../src/runtime/news-desk.js';
import { partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import { SourceReader } from '../../src/runtime/source-reader.js';
import { checkpoint, NOTHING, rollBackStream, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { declarationOf } from '../../src/view/declaration-of.js';
import { SimulatedRun } from '../support/simulated-run.js';

const sales = stream('sales', {
  schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.int() }),
  partitions: 2,
  partitionBy: 'shop',
});
const aggregates = { sales: count(), amount: sum('amount') };
/** Rows stay where they are. */
const byShop = view('by-shop', { from: sales.groupBy('shop').aggregate(aggregates) });
/** Rows move: once, and more than once. */
const byBuyer = view('by-buyer', { from: sales.groupBy('buyer').aggregate(aggregates) });
const inAll = view('in-all', {
  from: sales
    .groupBy('buyer')
    .aggregate(aggregates)
    .groupBy()
    .aggregate({ buyers: count(), sales: sum('sales'), amount: sum('amount') }),
});
const views = [byShop, byBuyer, inAll];

const place = partitionOf(declarationOf(sales) as RecordSource)!;
const shops = [0, 1].map((partition) =>
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].find((shop) => place({ shop }) === partition)!,
);
/** As many sales in each shop, so in each partition of the log. */
const some = (each: number) =>
  Array.from({ length: 2 * each }, (_, at) => ({ shop: shops[at % 2]!, buyer: `b${at % 3}`, amount: 1 }));

const LIMITS = { leaseMs: 1_000, regainMs: 3_000 };
/** Until somebody else has noticed that a worker is gone, or a slot empty, and has taken up what is there. */
const NOTICED_MS = 4_000;

let run: SimulatedRun;
afterEach(() => run.end());

/** As a producer does that keeps its stream short: whoever reads it. */
function trim(left: number): void {
  for (const partition of [0, 1]) {
    const log = run.redis.stream(`sales:${partition}`);
    log.entries.splice(0, log.entries.length - left);
  }
}
const lose = (name: string, task = '0.0'): void => rollBackTask(run.redis, NOTHING, run.nameOf(name, task));
const codesOf = (name: string): string[] => [...new Set(run.parked(name).map(({ code }) => code))];
const salesIn = (name: string): number =>
  run.rows(name).reduce((sum, row) => sum + (row['sales'] as number), 0);

describe.each(views)('a task of $declaration.name that reads a log', (shown) => {
  const { name } = shown.declaration;
  beforeEach(() => {
    run = new SimulatedRun([shown], LIMITS);
  });

  async function begun(entries = 20): Promise<void> {
    run.start();
    run.append(sales, ...some(entries));
    await run.settled(name);
    expect(salesIn(name)).toBe(2 * entries);
  }

  it('parks where its slot lost everything and the log was trimmed, and adds nothing to what is left', async () => {
    await begun();
    trim(5);
    lose(name);
    run.append(sales, ...some(5));
    await run.pass(NOTICED_MS);
    const { parked, record } = run.task(name, '0.0');
    expect(parked!.code).toBe('log-trimmed');
    expect(parked!.message).toMatch(
      /Nothing is stored of what .*\/0\.0 made of the stream "sales:0"[^]*begun +with \d+-\d[^]*stream +\d+-\d+ … \d+-\d[^]*Nothing was read[^]*--accept-trimmed/,
    );
    expect(record?.positions ?? {}).toEqual({});
    // What another task has is served.
    expect(run.task(name, '0.1').parked).toBeNull();
  });

  it('is right again where all of it can be made again', async () => {
    await begun();
    lose(name);
    run.append(sales, ...some(5));
    await run.pass(3 * NOTICED_MS);
    await run.settled(name);
    expect(codesOf(name)).toEqual([]);
    expect(salesIn(name)).toBe(50);
  });

  it('begins with what the log holds where it is new, and is not taken for one that has lost anything', async () => {
    run.append(sales, ...some(20));
    trim(5);
    run.start();
    await run.settled(name);
    expect(salesIn(name)).toBe(10);
    lose(name);
    run.append(sales, ...some(5));
    await run.pass(3 * NOTICED_MS);
    await run.settled(name);
    expect(codesOf(name)).toEqual([]);
    expect(salesIn(name)).toBe(20);
  });

  it('is new for as long as it has taken nothing, however often it is taken up and however the log is trimmed', async () => {
    run.start();
    await run.pass(NOTICED_MS);
    run.workers[0]!.process.kill();
    run.append(sales, ...some(20));
    trim(10);
    // Taken up by one that ends before it has read anything.
    const id = { view: name, generation: 1, stage: 0, partition: 0 };
    await run.ports.tasks.claim(id, 'nobody', run.task(name, '0.0').epoch);
    trim(5);
    run.start();
    await run.pass(NOTICED_MS);
    await run.settled(name);
    expect(codesOf(name)).toEqual([]);
    expect(salesIn(name)).toBe(10);
  });
});

describe('a task that stands before all entries of a log whose beginning is archived', () => {
  const NAME = 'task';
  const archivedWith = (entries: number) => {
    run = new SimulatedRun([byShop], LIMITS);
    run.append(sales, ...some(20));
    const log = run.ports.log;
    const redisKey = 'sales:0';
    const [first, , third] = run.redis.stream(redisKey).entries.map(([id]) => id);
    trim(10);
    const ends = log.ends.bind(log);
    log.ends = async (keys) =>
      (await ends(keys)).map((end) => ({
        ...end,
        archived: {
          ...{ first: third!, last: end.first!, entries, whole: true },
          ...{ segments: 1, bytes: 1, unreadable: null },
        },
      }));
    const decoder = new EntryDecoder(declarationOf(sales) as RecordSource, 0);
    const news = new NewsDesk(log, 10);
    const reader = new SourceReader(
      redisKey,
      decoder,
      log,
      news,
      run.limits,
      new Metrics(),
      new SystemClock(),
    );
    return { log, first: first!, third: third!, start: new LogBeginning(reader, NAME, 'with what is left') };
  };

  it('begins with a later entry than before where those before it were merged into others', async () => {
    const { log, first, third, start } = archivedWith(10);
    await log.begun('sales:0', NAME, first);
    await expect(start.expect('0-0', third)).resolves.toBeUndefined();
  });

  it('does not where some are in no archive', async () => {
    const { log, first, third, start } = archivedWith(9);
    await log.begun('sales:0', NAME, first);
    await expect(start.expect('0-0', third)).rejects.toMatchObject({ code: 'log-trimmed' });
  });

  it('begins with what there is where it is new', async () => {
    const { log, third, start } = archivedWith(9);
    await expect(start.expect('0-0', third)).resolves.toBeUndefined();
    expect(await log.begun('sales:0', NAME, null)).toBe(third);
  });
});

describe('a task that had begun with a log', () => {
  beforeEach(() => {
    run = new SimulatedRun([byShop], LIMITS);
  });

  it('parks also where nothing at all is left of the log', async () => {
    run.start();
    run.append(sales, ...some(20));
    await run.settled('by-shop');
    trim(0);
    lose('by-shop');
    await run.pass(NOTICED_MS);
    expect(run.task('by-shop', '0.0').parked).toMatchObject({
      code: 'log-trimmed',
      message: expect.stringContaining('empty'),
    });
  });

  it('parks where its owner lives on and its slot goes back to before its first commit', async () => {
    const { process } = run.start();
    await run.pass(NOTICED_MS);
    const before = checkpoint(run.redis);
    run.append(sales, ...some(20));
    await run.settled('by-shop');
    trim(5);
    rollBackTask(run.redis, before, run.nameOf('by-shop', '0.0'));
    expect(run.task('by-shop', '0.0')).toMatchObject({ owner: process.name, record: null });
    run.append(sales, ...some(5));
    await run.pass(NOTICED_MS);
    expect(run.task('by-shop', '0.0')).toMatchObject({ parked: { code: 'log-trimmed' }, record: null });
  });

  it('begins anew where the log lost that as well: it is as it was before', async () => {
    run.start();
    run.append(sales, ...some(20));
    await run.settled('by-shop');
    trim(5);
    rollBackStream(run.redis, NOTHING, 'sales:0');
    lose('by-shop');
    run.append(sales, ...some(3));
    await run.pass(3 * NOTICED_MS);
    expect(run.task('by-shop', '0.0').parked).toBeNull();
    expect(run.task('by-shop', '0.0').record!.positions['stream:sales']!.entries).toBe(3);
  });

  it('begins with a log that was made anew, of which nothing is missing', async () => {
    run.start();
    run.append(sales, ...some(20));
    await run.settled('by-shop');
    const { begun } = run.redis.stream('sales:0');
    run.redis.streams.delete('sales:0');
    lose('by-shop');
    run.append(sales, ...some(3));
    for (const [reader, first] of begun) run.redis.stream('sales:0').begun.set(reader, first);
    await run.pass(3 * NOTICED_MS);
    expect(run.task('by-shop', '0.0').parked).toBeNull();
    expect(run.task('by-shop', '0.0').record!.positions['stream:sales']!.entries).toBe(3);
  });

  it('may miss no entry where nobody noted with which it began', async () => {
    run.start();
    run.append(sales, ...some(20));
    await run.settled('by-shop');
    for (const partition of [0, 1]) run.redis.stream(`sales:${partition}`).begun.clear();
    run.workers[0]!.process.kill();
    await run.pass(NOTICED_MS);
    run.start();
    run.append(sales, ...some(1));
    await run.pass(NOTICED_MS);
    await run.settled('by-shop');
    // All is there still.
    lose('by-shop', '0.1');
    run.append(sales, ...some(1));
    await run.pass(3 * NOTICED_MS);
    await run.settled('by-shop');
    expect(salesIn('by-shop')).toBe(44);
    trim(5);
    lose('by-shop', '0.0');
    await run.pass(NOTICED_MS);
    expect(codesOf('by-shop')).toEqual(['log-trimmed']);
  });

  it('goes with its generation: what comes after it begins with what is left', async () => {
    const { parts } = run.start();
    run.append(sales, ...some(20));
    await run.settled('by-shop');
    void parts.rebuilder.begin('left', ['by-shop'], 'building', true);
    await run.pass(NOTICED_MS);
    const drop = (): void =>
      void parts.registry.change(({ generations }) => ({
        puts: generations
          .filter(({ number }) => number === 2)
          .map((generation) => inState(generation, 'dropping', 0)),
      }));
    expect([...run.redis.stream('sales:0').begun.keys()].sort()).toEqual(['by-shop#1/0.0', 'by-shop#2/0.0']);
    drop();
    await run.pass(NOTICED_MS);
    expect([...run.redis.stream('sales:0').begun.keys()]).toEqual(['by-shop#1/0.0']);
    trim(5);
    void parts.rebuilder.begin('again', ['by-shop'], 'building', true);
    await run.pass(NOTICED_MS);
    void parts.rebuilder.advance('again');
    await run.pass(NOTICED_MS);
    expect(run.generation('by-shop').number).toBe(3);
    expect(salesIn('by-shop')).toBe(10);
  });

  it('is rebuilt from what is left when it is parked, and parks again where that is lost and trimmed in its turn', async () => {
    const { parts } = run.start();
    run.append(sales, ...some(20));
    await run.settled('by-shop');
    trim(5);
    lose('by-shop');
    await run.pass(NOTICED_MS);
    void parts.rebuilder.begin('left', ['by-shop'], 'building', true);
    await run.pass(NOTICED_MS);
    void parts.rebuilder.advance('left');
    await run.pass(NOTICED_MS);
    expect(run.generation('by-shop').number).toBe(2);
    expect([codesOf('by-shop'), salesIn('by-shop')]).toEqual([[], 10]);
    trim(3);
    lose('by-shop');
    await run.pass(NOTICED_MS);
    expect(codesOf('by-shop')).toEqual(['log-trimmed']);
  });

  it('waits with its commit where Redis takes no writes, says so, and notes it when it does', async () => {
    run.redis.refusing = 'OOM command not allowed';
    run.append(sales, ...some(1));
    run.start();
    const noted = (): unknown => run.redis.stream('sales:0').begun.get('by-shop#1/0.0');
    await run.pass(NOTICED_MS);
    const { live } = await run.ports.workers.live();
    expect(live[0]!.waiting).toMatchObject({ 'by-shop#1/0.0': expect.stringContaining('OOM') });
    expect(noted()).toBeUndefined();
    run.redis.refusing = null;
    await run.settled('by-shop');
    run.append(sales, ...some(1));
    await run.settled('by-shop');
    expect(noted()).toBeDefined();
    expect(salesIn('by-shop')).toBe(4);
  });
});
