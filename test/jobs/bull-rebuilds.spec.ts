import { Queue, Worker } from 'bullmq';
import { z } from 'zod';
import { count, declarationOf, max, processingTime, stream, sum, view } from '../../src/index.js';
import { bullPrefix, REBUILDS_QUEUE } from '../../src/jobs/rebuild-queue.js';
import type { RebuildStatus } from '../../src/runtime/rebuilds.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/system.js';
import { Application, type ApplicationOptions } from './application.js';

const orders = stream('orders', { schema: z.object({ customer: z.string(), amount: z.int() }) });
const totals = (promote: 'auto' | 'manual' = 'auto') =>
  view('totals', { from: orders.groupBy('customer').aggregate({ amount: sum('amount') }), promote });
const counted = view('totals', {
  from: orders.groupBy('customer').aggregate({ amount: sum('amount'), orders: count() }),
});
const sizes = (of: ReturnType<typeof totals>) =>
  view('sizes', { from: of.groupBy('amount').aggregate({ customers: count() }) });

describeWithRedis('rebuilds as jobs', () => {
  let server: RedisServer;
  let memory: MemoryRedis;
  const started: Application[] = [];

  beforeEach(async () => {
    server = await RedisServer.start();
    memory = new MemoryRedis();
  });
  afterEach(async () => {
    for (const application of started.splice(0)) await application.stop();
    await server.stop();
  });

  async function application(options: Partial<ApplicationOptions> = {}): Promise<Application> {
    const made = new Application({
      url: server.url,
      memory,
      declarations: [declarationOf(totals())],
      ...options,
    });
    started.push(made);
    return made.start();
  }

  const stop = async (gone: Application): Promise<void> => {
    started.splice(started.indexOf(gone), 1);
    await gone.stop();
  };

  /** Waits until a rebuild is in one of these states. */
  async function until(
    of: Application,
    id: string,
    ...states: RebuildStatus['state'][]
  ): Promise<RebuildStatus> {
    let status: RebuildStatus | null = null;
    await eventually(
      async () => states.includes((status = await of.rebuilds.get(id))?.state as never),
      20_000,
      20,
    );
    return status!;
  }

  it('replays a view into a new generation, which serves when it has caught up', async () => {
    const one = await application();
    await one.append('orders', { customer: 'ada', amount: 3 }, { customer: 'ada', amount: 4 });
    const asked = await one.rebuilds.start('totals', { acceptTrimmed: false });
    expect(asked).toMatchObject({ view: 'totals', finishedAt: null });
    const done = await until(one, asked.id, 'promoted');
    expect(done).toMatchObject({
      entriesDone: 2,
      entriesTotal: 2,
      reason: null,
      generations: [{ view: 'totals', generation: 2 }],
    });
    expect(one.registry.serving('totals')!.number).toBe(2);
    expect((await one.rebuilds.list('totals')).map(({ id }) => id)).toEqual([asked.id]);
    await eventually(async () => (await one.rebuilds.get(asked.id))!.finishedAt !== null);
  });

  it('waits in the queue, without a generation, while no process works on jobs', async () => {
    const api = await application({ worker: false });
    const asked = await api.rebuilds.start('totals', { acceptTrimmed: false });
    expect(asked).toMatchObject({
      state: 'waiting',
      generations: [],
      entriesPerSecond: null,
      remainingMs: null,
    });
    expect(api.registry.snapshot.generations).toHaveLength(1);
    await application();
    await until(api, asked.id, 'promoted');
  });

  it('answers a second request for the same view with the rebuild that is under way', async () => {
    const api = await application({ worker: false });
    const [first, second] = await Promise.all([
      api.rebuilds.start('totals', { acceptTrimmed: false }),
      api.rebuilds.start('totals', { acceptTrimmed: false }),
    ]);
    const third = await api.rebuilds.start('totals', { acceptTrimmed: false });
    expect(new Set([first.id, second.id, third.id]).size).toBe(1);
  });

  it('pauses before and after it has begun, resumes, and holds for a promotion by hand', async () => {
    const declarations = [declarationOf(totals('manual'))];
    const api = await application({ declarations, worker: false });
    await api.append('orders', { customer: 'ada', amount: 3 });
    const { id } = await api.rebuilds.start('totals', { acceptTrimmed: false });
    expect((await api.rebuilds.pause(id)).state).toBe('paused');
    const one = await application({ declarations });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await api.rebuilds.get(id)).toMatchObject({ state: 'paused', generations: [] });
    await expect(api.rebuilds.promote(id)).rejects.toMatchObject({ code: 'not-caught-up' });

    await api.rebuilds.resume(id);
    await until(api, id, 'caughtUp');
    expect((await api.rebuilds.pause(id)).state).toBe('paused');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await api.rebuilds.get(id))!.state).toBe('paused');
    await api.rebuilds.resume(id);
    await until(api, id, 'caughtUp');
    expect(one.registry.serving('totals')!.number).toBe(1);

    expect((await api.rebuilds.promote(id)).state).toBe('promoted');
    expect(api.registry.serving('totals')!.number).toBe(2);
    expect(await api.rebuilds.rollback('totals')).toEqual([{ view: 'totals', generation: 1 }]);
  });

  it('cancels one that waits and one that runs, and drops what had been built', async () => {
    const declarations = [declarationOf(totals('manual'))];
    const api = await application({ declarations, worker: false });
    const waiting = await api.rebuilds.start('totals', { acceptTrimmed: false });
    expect((await api.rebuilds.cancel(waiting.id)).state).toBe('cancelled');
    const next = await api.rebuilds.start('totals', { acceptTrimmed: false });
    expect(next.id).not.toBe(waiting.id);

    await application({ declarations });
    await until(api, next.id, 'caughtUp');
    expect((await api.rebuilds.cancel(next.id)).state).toBe('cancelled');
    await eventually(async () => (await api.registry.refresh()).generations.length === 1);
    await eventually(async () => (await api.rebuilds.get(next.id))!.finishedAt !== null);
    expect(await api.rebuilds.get(next.id)).toMatchObject({
      state: 'cancelled',
      reason: 'It was asked for.',
    });
    await expect(api.rebuilds.resume(next.id)).rejects.toMatchObject({ code: 'rebuild-finished' });
  });

  it('refuses what it cannot do: unknown views and rebuilds, a trimmed log, a full queue', async () => {
    const api = await application({ worker: false, jobs: { limits: { rebuildsQueuedMax: 1 } } });
    await expect(api.rebuilds.start('total', { acceptTrimmed: false })).rejects.toMatchObject({
      code: 'unknown-view',
    });
    await expect(api.rebuilds.pause('rebuild-x')).rejects.toMatchObject({ code: 'unknown-rebuild' });
    await api.append('orders', { customer: 'ada', amount: 3 }, { customer: 'ada', amount: 4 });
    const [end] = await api.ports.log.ends(['orders']);
    await api.ports.log.trim('orders', end!.last, 10);
    await expect(api.rebuilds.start('totals', { acceptTrimmed: false })).rejects.toMatchObject({
      code: 'log-trimmed',
    });
    const accepted = await api.rebuilds.start('totals', { acceptTrimmed: true });
    expect(accepted.state).toBe('waiting');
    await expect(api.rebuilds.startVerify('totals')).rejects.toMatchObject({ code: 'rebuilds-max' });
  });

  it('tells a view that it does not declare, and that is served, from one that there is not', async () => {
    await application({ worker: false });
    const without = await application({ worker: false, declarations: [] });
    for (const asked of [
      without.rebuilds.start('totals', { acceptTrimmed: false }),
      without.rebuilds.startVerify('totals'),
    ])
      await expect(asked).rejects.toMatchObject({ code: 'no-code' });
  });

  it('rebuilds changed views once, with what reads them, however many processes start with the release', async () => {
    const before = await application({
      declarations: [declarationOf(totals()), declarationOf(sizes(totals()))],
    });
    await before.append('orders', { customer: 'ada', amount: 3 });
    await eventually(
      async () =>
        (await before.ports.tasks.status([{ view: 'sizes', generation: 1, stage: 0, partition: 0 }]))[0]!
          .record !== null,
    );
    const declarations = [declarationOf(counted), declarationOf(sizes(counted as never))];
    const after = [await application({ declarations }), await application({ declarations })];
    const statuses = await Promise.all(
      after.map((one) => one.rebuilds.startChanged(one.deployment!.changed, one.deployment!.release)),
    );
    expect(statuses.flat().map(({ id }) => id)).toEqual(['rebuild-2-totals', 'rebuild-2-totals']);
    const done = await until(after[0]!, 'rebuild-2-totals', 'promoted');
    expect(new Set(done.generations)).toEqual(
      new Set([
        { view: 'totals', generation: 2 },
        { view: 'sizes', generation: 2 },
      ]),
    );
    // The older release neither rebuilds back nor starts anything.
    expect(await before.rebuilds.startChanged(['totals'], before.deployment!.release)).toEqual([]);
    await expect(before.rebuilds.start('totals', { acceptTrimmed: false })).rejects.toMatchObject({
      code: 'release-superseded',
    });
  });

  it('leaves a rebuild to a process that has its code, and cancels those of an older definition', async () => {
    const old = await application();
    const api = await application({ declarations: [declarationOf(counted)], worker: false });
    const [status] = await api.rebuilds.startChanged(api.deployment!.changed, api.deployment!.release);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await old.rebuilds.get(status!.id)).toMatchObject({ state: 'waiting', generations: [] });

    const newest = await application({
      declarations: [
        declarationOf(view('totals', { from: orders.groupBy('customer').aggregate({ orders: count() }) })),
      ],
    });
    await newest.rebuilds.startChanged(newest.deployment!.changed, newest.deployment!.release);
    expect(await newest.rebuilds.get(status!.id)).toMatchObject({
      state: 'cancelled',
      reason: 'Release 3 defines totals otherwise.',
    });
    await until(newest, 'rebuild-3-totals', 'promoted');
  });

  it('goes on in another process when one stops, and when one is gone without a word', async () => {
    const declarations = [declarationOf(totals('manual'))];
    const first = await application({ declarations });
    const api = await application({ declarations, worker: false });
    await api.append('orders', { customer: 'ada', amount: 3 });
    const { id } = await api.rebuilds.start('totals', { acceptTrimmed: false });
    const { generations } = await until(api, id, 'caughtUp');
    await stop(first);

    // It takes the job and is never heard of again.
    const dead = new Worker(REBUILDS_QUEUE, () => new Promise(() => {}), {
      connection: { url: server.url, maxRetriesPerRequest: null },
      prefix: bullPrefix('sw'),
      lockDuration: 500,
      skipLockRenewal: true,
      skipStalledCheck: true,
    });
    const queue = new Queue(REBUILDS_QUEUE, { connection: { url: server.url }, prefix: bullPrefix('sw') });
    await eventually(async () => (await queue.getActiveCount()) === 1);
    await dead.close(true);
    await queue.close();

    await application({ declarations });
    await api.rebuilds.promote(id);
    await eventually(async () => (await api.rebuilds.get(id))!.finishedAt !== null, 20_000);
    expect(await api.rebuilds.get(id)).toMatchObject({ state: 'promoted', generations });
  });

  it('fails with the reason where a task of the new generation is parked, and what was served is served on', async () => {
    const declarations = [declarationOf(totals('manual'))];
    const one = await application({ declarations });
    await one.append('orders', { customer: 'ada', amount: 3 });
    const { id } = await one.rebuilds.start('totals', { acceptTrimmed: false });
    await until(one, id, 'caughtUp');
    const kept = memory.task({ view: 'totals', generation: 2, stage: 0, partition: 0 });
    kept.parked = { code: 'errors-max', message: 'too many errors', at: 0 };
    const failed = await until(one, id, 'failed');
    expect(failed.reason).toContain('too many errors');
    await eventually(
      async () =>
        (await one.registry.refresh()).generations.every(({ number }) => number === 1) ||
        kept.parked === null ||
        one.registry.snapshot.generations[1]?.state === 'dropping',
    );
    expect(one.registry.serving('totals')!.number).toBe(1);
  });

  it('holds a definition that fails on its rows, tells its errors, and promotes it if it is said so', async () => {
    const failing = view('totals', {
      from: orders
        .where((order) => {
          if (order.amount > 0) throw new Error('no');
          return true;
        })
        .groupBy('customer')
        .aggregate({ amount: sum('amount') }),
    });
    const old = await application();
    await old.append('orders', ...Array.from({ length: 10 }, () => ({ customer: 'ada', amount: 3 })));
    const one = await application({ declarations: [declarationOf(failing)] });
    const [{ id }] = (await one.rebuilds.startChanged(one.deployment!.changed)) as [RebuildStatus];
    const held = await until(one, id, 'held');
    expect(held).toMatchObject({
      errors: 10,
      reason: expect.stringMatching(/generation 2 has 10 errors in 10 entries.*what serves has 0/),
      finishedAt: null,
    });
    await eventually(() => one.warnings.join().includes('is held'));
    expect(one.registry.serving('totals')!.number).toBe(1);
    // The same data failed in what serves: nothing is to be said against a rebuild.
    await one.rebuilds.promote(id);
    await eventually(async () => (await one.rebuilds.get(id))!.finishedAt !== null);
    const again = await one.rebuilds.start('totals', { acceptTrimmed: false });
    await until(one, again.id, 'promoted');
    expect(one.registry.serving('totals')!.number).toBe(3);
  });

  it('verifies that a replay equals the live view', async () => {
    const one = await application();
    const api = await application({ worker: false });
    await api.append('orders', { customer: 'ada', amount: 3 }, { customer: 'bob', amount: 4 });
    await eventually(
      async () =>
        (await one.ports.tasks.status([{ view: 'totals', generation: 1, stage: 0, partition: 0 }]))[0]!.record
          ?.rows === 2,
    );
    const { id } = await api.rebuilds.startVerify('totals');
    await eventually(async () => (await api.rebuilds.getVerify(id))!.finishedAt !== null, 20_000);
    const done = (await api.rebuilds.getVerify(id))!;
    expect(done).toMatchObject({
      state: 'equal',
      view: 'totals',
      differences: [],
      live: { generation: 1, rows: 2 },
      replayed: { rows: 2 },
    });
    expect(done.live!.checksum).toBe(done.replayed!.checksum);
    expect(await api.rebuilds.getVerify('verify-x')).toBeNull();
  });

  it('refuses to verify what depends on when it was processed', async () => {
    const taken = stream('taken', { schema: z.object({ at: processingTime(), customer: z.string() }) });
    const latest = view('latest', {
      from: taken.groupBy('customer').aggregate({ events: count(), at: max('at') }),
    });
    const one = await application({ declarations: [declarationOf(latest)] });
    await one.append('taken', { customer: 'ada' }, { customer: 'ada' });
    await expect(one.rebuilds.startVerify('latest')).rejects.toMatchObject({
      code: 'processing-time',
      message: expect.stringContaining(
        'The view "latest" cannot be verified: its rows depend on when they were processed.\n  processingTime() of  taken',
      ),
    });
    // It can be rebuilt: no event is lost, and none counts twice.
    const { id } = await one.rebuilds.start('latest', { acceptTrimmed: false });
    await until(one, id, 'promoted');
    const serving = one.registry.serving('latest')!.number;
    const [status] = await one.ports.tasks.status([
      { view: 'latest', generation: serving, stage: 0, partition: 0 },
    ]);
    expect(status!.record).toMatchObject({ rows: 1, errors: 0 });
  });

  it('goes on with a verification in another process when its own stops', async () => {
    const first = await application();
    const api = await application({ worker: false });
    await api.append('orders', { customer: 'ada', amount: 3 });
    const { id } = await api.rebuilds.startVerify('totals');
    await eventually(async () => (await api.rebuilds.getVerify(id))!.state === 'replaying');
    const second = await application();
    await stop(first);
    await eventually(async () => (await api.rebuilds.getVerify(id))!.finishedAt !== null, 20_000);
    expect(await api.rebuilds.getVerify(id)).toMatchObject({ state: 'equal' });
    expect(second.registry.serving('totals')!.stopAt).toBeNull();
  });

  describe('a verification that holds the live view', () => {
    /** Holds it for long: the live view is paused before the place where both are to stop. */
    const holding = async (one: Application): Promise<string> => {
      await one.append('orders', { customer: 'ada', amount: 3 });
      await one.registry.change(({ generations }) => ({
        puts: generations.map((generation) => ({ ...generation, paused: true })),
      }));
      await one.append('orders', { customer: 'ada', amount: 4 });
      const { id } = await one.rebuilds.startVerify('totals');
      await eventually(() => one.registry.serving('totals')!.stopAt !== null, 20_000);
      return id;
    };
    const letGo = async (one: Application): Promise<boolean> => {
      const { generations } = await one.registry.refresh();
      return generations.every(({ stopAt, state }) => stopAt === null && state !== 'shadow');
    };

    it('is cancelled, and lets go at once', async () => {
      const one = await application();
      const id = await holding(one);
      expect(await one.rebuilds.cancelVerify(id)).toMatchObject({
        id,
        state: 'cancelled',
        reason: 'It was asked for.',
      });
      expect(await letGo(one)).toBe(true);
      await eventually(async () => (await one.rebuilds.getVerify(id))!.finishedAt !== null);
      expect(await one.rebuilds.getVerify(id)).toMatchObject({ state: 'cancelled' });
      expect(await letGo(one)).toBe(true);
      await expect(one.rebuilds.cancelVerify(id)).rejects.toMatchObject({ code: 'verification-finished' });
      await expect(one.rebuilds.cancelVerify('verify-x')).rejects.toMatchObject({
        code: 'unknown-verification',
      });
    });

    it('is cancelled before anybody has begun with it, and makes room for another', async () => {
      const api = await application({ worker: false });
      const { id } = await api.rebuilds.startVerify('totals');
      expect(await api.rebuilds.cancelVerify(id)).toMatchObject({ state: 'cancelled' });
      expect((await api.rebuilds.startVerify('totals')).id).not.toBe(id);
      await application();
      await eventually(async () => (await api.rebuilds.getVerify(id))!.finishedAt !== null, 20_000);
      expect(await api.rebuilds.getVerify(id)).toMatchObject({ state: 'cancelled' });
    });

    it('lets go of it where its job is removed by hand', async () => {
      const one = await application();
      const id = await holding(one);
      const redis = server.client();
      const key = `${bullPrefix('sw')}:${REBUILDS_QUEUE}:${id}`;
      expect(await redis.del(key)).toBe(1);
      await eventually(() => letGo(one), 20_000);
    });

    it('and whose job is gone with its worker is let go of by whoever finds it', async () => {
      const one = await application({ worker: false });
      await one.registry.change(({ generations }) => {
        const [live] = generations;
        const stopAt = { orders: '9-0' };
        return {
          puts: [
            { ...live!, stopAt },
            { ...live!, number: 2, state: 'shadow', rebuild: 'verify-totals-gone.2', stopAt },
          ],
        };
      });
      const worker = await application({ jobs: { limits: { lostMs: 50 } } });
      await eventually(() => letGo(one), 20_000);
      expect(worker.warnings.join()).toContain('verify-totals-gone.2 is over');
      await one.registry.change(({ generations }) => ({
        puts: generations.map((generation) => ({ ...generation, stopAt: { orders: '9-0' } })),
      }));
      await eventually(() => letGo(one), 20_000);
    });
  });

  it('whose job is removed by hand is cancelled, and what it has built goes', async () => {
    const one = await application({
      declarations: [declarationOf(totals('manual'))],
      jobs: { limits: { lostMs: 50 } },
    });
    await one.append('orders', { customer: 'ada', amount: 3 });
    const { id } = await one.rebuilds.start('totals', { acceptTrimmed: false });
    await until(one, id, 'caughtUp');
    const key = `${bullPrefix('sw')}:${REBUILDS_QUEUE}:${id}`;
    expect(await server.client().del(key)).toBe(1);
    await eventually(async () => {
      await one.registry.refresh();
      return one.registry.snapshot.generations.every(({ state }) => state !== 'building');
    }, 20_000);
    expect(one.registry.serving('totals')!.number).toBe(1);
    expect(one.warnings.join()).toContain(`${id} is cancelled`);
  });

  it('stops in time where the queue’s worker does not come to an end', async () => {
    const one = await application({ jobs: { limits: { closeMsMax: 200 } } });
    const { worker } = one.processor;
    const close = worker.close.bind(worker);
    worker.close = () => new Promise(() => {});
    const before = performance.now();
    await stop(one);
    expect(performance.now() - before).toBeLessThan(5_000);
    await close(true);
  });

  it('answers in time though its Redis is gone, and stops', async () => {
    const one = await application({ jobs: { limits: { answerMsMax: 200, closeMsMax: 300 } } });
    await server.kill();
    await expect(one.rebuilds.start('totals', { acceptTrimmed: false })).rejects.toMatchObject({
      code: expect.stringMatching(/^redis-/),
    });
    const before = performance.now();
    await stop(one);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});
