import { count, declarationOf, stream, view } from 'stillwater';
import { z } from 'zod';
import { StillwaterError } from '../../src/errors/stillwater-error.js';
import { silent } from '../../src/runtime/logger.js';
import { partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import type { Attempt } from '../../src/runtime/ports/task-store.js';
import { StepGate } from '../../src/runtime/step-gate.js';
import type { TaskId } from '../../src/runtime/task-id.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { eventually } from '../support/system.js';
import { TaskRuns } from '../support/task-runs.js';

/** So many grants without a commit make an owner careful. */
const GRANTS = 3;

const sales = stream('sales', { schema: z.object({ shop: z.string() }), partitions: 2, partitionBy: 'shop' });
const shops = view('shops', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
const source = declarationOf(sales) as RecordSource;
const placed = partitionOf(source)!;
/** Sales of so many shops, all of one partition. */
const some = (count: number, partition = 0): object[] =>
  Array.from({ length: 10 * count }, (_, index) => ({ shop: `shop-${index}` }))
    .filter((sale) => placed(sale) === partition)
    .slice(0, count);

describe('a task whose owners before committed nothing', () => {
  let runs: TaskRuns;
  /** What was attempted; null where it was survived. */
  let attempts: (Attempt | null)[];
  beforeEach(() => {
    runs = new TaskRuns(source, declarationOf(shops) as ViewDeclaration);
    const { tasks } = runs.ports;
    const attempt = tasks.attempt.bind(tasks);
    attempts = [];
    tasks.attempt = (task, token, what) => {
      attempts.push(what);
      return attempt(task, token, what);
    };
  });

  const id = (partition = 0): TaskId => runs.id(partition, 'shops');

  /** Owners that end without a word. */
  const grant = async (times: number): Promise<void> => {
    const { tasks } = runs.ports;
    for (let owner = 0; owner < times; owner++) {
      const [status] = await tasks.status([id()]);
      await tasks.claim(id(), 'worker', status!.epoch);
    }
  };

  /** The how many-th owner since the last commit, or the last step that was survived, the next one is. */
  const nextGrant = async (): Promise<number> => {
    const { tasks } = runs.ports;
    const [status] = await tasks.status([id()]);
    return (await tasks.claim(id(), 'worker', status!.epoch))!.grants;
  };

  it('keeps all others waiting while it attempts something: it may be blamed for what they do', async () => {
    await grant(GRANTS - 1);
    runs.append(some(1));
    runs.append(some(1, 1), 1);
    const { tasks } = runs.ports;
    const { attempt } = tasks;
    let answer: () => void = () => {};
    const answered = new Promise<void>((resolve) => (answer = resolve));
    tasks.attempt = async (task, token, what) => {
      if (what !== null) await answered;
      return attempt(task, token, what);
    };
    const gate = new StepGate();
    const first = await runs.start(id(), { gate });
    const second = await runs.start(id(1), { gate });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(runs.record(id(1))).toBeNull();
    answer();
    await runs.caughtUp(id());
    await runs.caughtUp(id(1));
    for (const { task } of [first, second]) task.stop();
    await Promise.all([first.ended, second.ended]);
  });

  it('is careful until all that there was is stepped, and no longer', async () => {
    await grant(GRANTS - 1);
    runs.append(some(3));
    const { task, ended } = await runs.start(id());
    await runs.caughtUp(id());
    expect(attempts).toEqual([expect.objectContaining({ entries: 3, ended: 0 }), null]);
    runs.append(some(5));
    await eventually(() => runs.rows(id()).length === 5);
    expect(attempts).toHaveLength(2);
    task.stop();
    await ended;
  });

  it('is careful for as many ticks as make one of an owner that is not, where there is more and more to be read', async () => {
    await grant(GRANTS - 1);
    runs.append(some(200));
    // Each read but the first brings far less than a tick may take.
    runs.limits.readEntriesMax = 2;
    await runs.runToEnd(id());
    expect(runs.rows(id())).toHaveLength(200);
    expect(attempts.filter((attempt) => attempt !== null)).toHaveLength(8);
  });

  it('is careful no longer than that where Redis does not answer it', async () => {
    runs.append(some(10));
    await runs.runToEnd(id());
    await grant(GRANTS - 1);
    runs.append(some(10));
    const { tasks } = runs.ports;
    const fetch = tasks.fetch.bind(tasks);
    let failed = 0;
    tasks.fetch = async (...wanted) => {
      if (failed++ < 20) throw Object.assign(new Error('away'), { code: 'redis-unavailable' });
      return fetch(...wanted);
    };
    await runs.runToEnd(id());
    expect(attempts.filter((attempt) => attempt !== null)).toHaveLength(8);
  });

  it('is nothing to be careful about where it had nothing to step', async () => {
    await grant(GRANTS - 1);
    const { task } = await runs.start(id());
    await eventually(() => attempts.length > 0);
    expect(attempts).toEqual([null]);
    expect(await nextGrant()).toBe(1);
    task.stop();
  });

  it('is nothing to be careful about once a step was survived, also if its commit never comes through', async () => {
    await grant(GRANTS - 1);
    runs.append(some(3));
    const { tasks } = runs.ports;
    tasks.commit = async () => ({ status: 'refused', reason: 'full' });
    const { task, ended } = await runs.start(id());
    await eventually(() => attempts.includes(null));
    expect(await nextGrant()).toBe(1);
    task.stop();
    await ended;
  });
});

const single = stream('single', { schema: z.object({ id: z.int() }) });
const perId = view('hours', { from: single.groupBy('id').aggregate({ sales: count() }) });

/** What the owners of a task did not survive, as the next one finds it. */
describe('an entry that ended two workers', () => {
  it('is blamed once, whoever is interrupted while that is written down, and counts once as one of blamedEntriesMax', async () => {
    const runs = new TaskRuns(
      declarationOf(single) as RecordSource,
      declarationOf(perId) as ViewDeclaration,
      {
        limits: { blamedEntriesMax: 1 },
      },
    );
    runs.append([{ id: 1 }, { id: 2 }]);
    const [[entry]] = runs.redis.stream('single').entries as [[string, string[]]];
    const attempt = { tick: 1, input: 'stream:single', entry, entries: 1, ended: 1 };
    const { tasks } = runs.ports;
    // Another owner had blamed it, and ended before it could say that it had.
    await tasks.blame('f', { redisKey: 'single', entry });
    let broken = 0;
    const noted = tasks.attempt.bind(tasks);
    tasks.attempt = async (...asked) => {
      if (broken++ === 0) throw new StillwaterError('redis-unavailable', { what: 'The connection broke.' });
      return noted(...asked);
    };
    // And then the first read is interrupted.
    const { log } = runs.ports;
    const read = log.read.bind(log);
    let reads = 0;
    log.read = async (request) => {
      if (reads++ === 0) throw new StillwaterError('redis-unavailable', { what: 'The connection broke.' });
      return read(request);
    };
    const said: string[] = [];
    const logger = { ...silent, error: (message: string) => void said.push(message) };
    expect(await runs.runToEnd(runs.id(), { attempt, logger })).toMatchObject({ rows: 1, errors: 1 });
    expect(said).toHaveLength(1);
    expect(Math.min(broken, reads)).toBeGreaterThan(1);
    expect(await tasks.blamed('f')).toEqual([{ redisKey: 'single', entry }]);
  });
});
