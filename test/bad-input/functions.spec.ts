import { computed, count, stream, view } from 'stillwater';
import { z } from 'zod';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { Product } from './product.js';

const jobs = stream('jobs', { schema: z.object({ job: z.int(), kind: z.string() }) });
const when = (kind: string, otherwise: (job: number) => unknown) => (row: { job: number; kind: string }) =>
  row.kind === kind ? otherwise(row.job) : row.job;
const over = (name: string, fn: (row: { job: number; kind: string }) => unknown) =>
  view(name, {
    from: jobs
      .select({ job: 'job', kind: 'kind', value: computed(z.number(), fn as () => number) })
      .groupBy('kind')
      .aggregate({ jobs: count() }),
    errorsMax: 100,
  });

const throwing = over(
  'throwing',
  when('bad', (job) => (job as unknown as { deep: { er: number } }).deep.er),
);
const promising = over(
  'promising',
  when('bad', async (job) => job),
);
const timing = over(
  'timing',
  when('bad', () => Date.now()),
);
const rolling = over(
  'rolling',
  when('bad', () => Math.random()),
);
const mistyped = over(
  'mistyped',
  when('bad', () => 'a text'),
);
const infinite = over(
  'infinite',
  when('bad', () => 1 / 0),
);
const healthy = view('healthy', { from: jobs.groupBy('kind').aggregate({ jobs: count() }) });

describeWithRedis('a view function that misbehaves on one row', () => {
  let redis: RedisServer;
  let product: Product;
  beforeAll(async () => {
    redis = await RedisServer.start();
    product = await Product.start(redis, [throwing, promising, timing, rolling, mistyped, infinite, healthy]);
    for (let job = 0; job < 10; job++)
      await product.xadd('jobs', 'job', String(job), 'kind', job === 5 ? 'bad' : 'good');
  });
  afterAll(async () => {
    await product.stop();
    await redis.stop();
  });

  test.each([
    ['throws', 'throwing', /undefined/],
    ['returns a promise', 'promising', /promise/i],
    ['reads the clock', 'timing', /Date\.now/],
    ['rolls dice', 'rolling', /Math\.random/],
    ['returns another type than it states', 'mistyped', /number/],
    ['returns what JSON has not', 'infinite', /number|finite/i],
  ])('%s: the row is an error with its reason, and the others count', async (_what, name, reason) => {
    await product.caughtUp(name);
    expect((await product.get(`/views/${name}/rows`)).body).toEqual([{ kind: 'good', jobs: 9 }]);
    expect((await product.get(`/views/${name}`)).body).toMatchObject({ state: 'live', errors: 1 });
    const [error] = (await product.get(`/views/${name}/errors`)).body;
    expect(error).toMatchObject({
      weight: 1,
      row: expect.stringContaining('"job":5'),
      reason: expect.stringMatching(reason),
    });
  });

  test('takes nothing from the views beside it', async () => {
    await product.caughtUp('healthy');
    expect((await product.get('/views/healthy/rows')).body).toEqual([
      { kind: 'bad', jobs: 1 },
      { kind: 'good', jobs: 9 },
    ]);
  });
});
