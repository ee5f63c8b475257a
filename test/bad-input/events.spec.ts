import { computed, count, stream, sum, table, view } from 'stillwater';
import { z } from 'zod';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { problem, Product } from './product.js';

const readings = stream('readings', {
  schema: z.object({
    sensor: z.string(),
    value: z.number(),
    serial: z.int().optional(),
    tags: z.array(z.string()).optional(),
  }),
});
const perSensor = view('per-sensor', {
  from: readings.groupBy('sensor').aggregate({ readings: count(), total: sum('value') }),
});
const signs = view('signs', {
  from: readings
    .select({
      sensor: 'sensor',
      sign: computed(z.enum(['plus', 'minus']), (row) => (1 / row.value < 0 ? 'minus' : 'plus')),
    })
    .groupBy('sensor', 'sign')
    .aggregate({ readings: count() }),
});
const placed = stream('placed', {
  schema: z.object({ id: z.string(), n: z.int() }),
  partitions: 2,
  partitionBy: 'id',
});
const perId = view('per-id', { from: placed.groupBy('id').aggregate({ n: sum('n') }) });
const things = table('things', { schema: z.object({ id: z.string(), name: z.string() }), key: 'id' });
const named = view('named', { from: things });

const good = '{"sensor":"good","value":1}';
const million = 1_000_000;

describeWithRedis('an event that is wrong', () => {
  let redis: RedisServer;
  let product: Product;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  beforeEach(async () => {
    await redis.client().flushall();
    product = await Product.start(redis, [perSensor, signs, perId, named]);
  });
  afterEach(() => product.stop());
  afterAll(() => redis.stop());

  const rowOf = async (sensor: string) =>
    (await product.get(`/views/per-sensor/rows/${encodeURIComponent(sensor)}`)).body;

  describe('over REST refuses its request, appends nothing and leaves the next request alone', () => {
    test.each<[string, string, number, string, RegExp]>([
      ['invalid JSON', '{"sensor":', 400, 'malformed-body', /JSON/],
      ['NaN, which JSON has not', '{"sensor":"a","value":NaN}', 400, 'malformed-body', /JSON/],
      ['NaN as a text', '{"sensor":"a","value":"NaN"}', 400, 'invalid-events', /value/],
      ['a wrong type', '{"sensor":7,"value":1}', 400, 'invalid-events', /sensor/],
      ['a missing field', '{"sensor":"a"}', 400, 'invalid-events', /value/],
      ['2^53 + 1', '{"sensor":"a","value":1,"serial":9007199254740993}', 400, 'invalid-events', /serial/],
      ['2^53 + 1 in a number', '{"sensor":"a","value":9007199254740993}', 400, 'invalid-events', /value/],
      ['a lone surrogate', '{"sensor":"\\ud800","value":1}', 400, 'invalid-events', /sensor/],
      [
        'an event of 10 MB',
        JSON.stringify({ sensor: 'x'.repeat(10 * million), value: 1 }),
        400,
        'invalid-events',
        /bytes|large|long/i,
      ],
      ['a wrong one among good ones', `[${good},{"sensor":"a"},${good}]`, 400, 'invalid-events', /\[1\]/],
      ['a text', '"reading"', 400, 'malformed-body', /an event or an array/],
    ])('%s', async (_what, body, status, code, evidence) => {
      const reply = await product.ask('POST', '/streams/readings/events', body);
      expect(reply).toMatchObject(
        reply.status === 413 ? problem(413, 'body-too-large') : problem(status, code, evidence),
      );
      expect((await product.ask('POST', '/streams/readings/events', good)).status).toBe(202);
      await product.caughtUp('per-sensor');
      expect((await product.get('/views/per-sensor/rows')).body).toEqual([
        { sensor: 'good', readings: 1, total: 1 },
      ]);
    });
  });

  test.each(['application/json', 'application/x-ndjson'])(
    'of bytes that are not UTF-8, as %s, is refused: two keys would become one',
    async (type) => {
      const body = Buffer.concat([
        Buffer.from('{"value":1,"sensor":"'),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('"}'),
      ]);
      const reply = await product.ask('POST', '/streams/readings/events', body, { 'content-type': type });
      expect(reply).toMatchObject(problem(400, 'malformed-body', /not UTF-8/));
    },
  );

  test('with a field of any name is JSON like another, and counts', async () => {
    const event = '{"sensor":"odd","value":1,"__proto__":{"value":7},"constructor":{"prototype":{}}}';
    expect((await product.ask('POST', '/streams/readings/events', event)).status).toBe(202);
    await product.caughtUp('per-sensor');
    expect(await rowOf('odd')).toEqual({ sensor: 'odd', readings: 1, total: 1 });
  });

  test('with fields nobody declared counts without them; an empty array is no event', async () => {
    expect(
      (await product.ask('POST', '/streams/readings/events', '{"sensor":"a","value":1,"colour":"red"}'))
        .status,
    ).toBe(202);
    expect((await product.ask('POST', '/streams/readings/events', '[]')).body).toMatchObject({ ids: [] });
    await product.caughtUp('per-sensor');
    expect((await product.get('/views/per-sensor/rows')).body).toEqual([
      { sensor: 'a', readings: 1, total: 1 },
    ]);
    expect((await product.get('/views/per-sensor')).body.errors).toBe(0);
  });

  test('by plain XADD is an error one can see, with its entry and reason; what is good beside it counts', async () => {
    const wrong: [string[], RegExp][] = [
      [['data', '{"sensor":'], /JSON/],
      [['data', '[]'], /object/],
      [['data', '{"sensor":7,"value":1}'], /sensor/],
      [['data', '{"sensor":"a"}'], /value/],
      [['sensor', 'a', 'value', 'NaN'], /value/],
      [['sensor', 'a', 'value', 'Infinity'], /value/],
      [['data', '{"sensor":"a","value":9007199254740993}'], /value/],
      [['data', '{"sensor":"\\udfff","value":1}'], /surrogate|sensor/],
      [['batch', `[${good},{"sensor":"a"}]`], /\[1\]/],
      [['batch', '{}'], /array/],
      [['colour', 'red'], /none of the columns/],
      [['data', good, 'sensor', 'a'], /beside other fields/],
    ];
    const ids: string[] = [];
    for (const [fields] of wrong) {
      ids.push((await product.xadd('readings', ...fields))!);
      await product.xadd('readings', 'data', good);
    }
    await product.xadd('readings', 'batch', '[]');
    await product.caughtUp('per-sensor');
    expect((await product.get('/views/per-sensor/rows')).body).toEqual([
      { sensor: 'good', readings: wrong.length, total: wrong.length },
    ]);
    expect((await product.get('/views/per-sensor')).body.errors).toBe(wrong.length);
    const errors: { row: string; reason: string }[] = (await product.get('/views/per-sensor/errors')).body;
    wrong.forEach(([, reason], index) => {
      expect(errors.find(({ row }) => row.includes(ids[index]!))?.reason).toMatch(reason);
    });
  });

  test('of minus zero is zero to every function, however it came', async () => {
    await product.xadd('readings', 'data', '{"sensor":"a","value":-0}');
    await product.xadd('readings', 'sensor', 'a', 'value', '-0');
    await product.ask('POST', '/streams/readings/events', '{"sensor":"a","value":-0}');
    await product.caughtUp('signs');
    expect((await product.get('/views/signs/rows')).body).toEqual([
      { sensor: 'a', sign: 'plus', readings: 3 },
    ]);
    expect(await rowOf('a')).toEqual({ sensor: 'a', readings: 3, total: 0 });
  });

  test('of 10 MB by plain XADD counts, and one above the limit of an entry is an error that keeps little of it', async () => {
    await product.xadd(
      'readings',
      'data',
      JSON.stringify({ sensor: 'big', value: 1, tags: ['x'.repeat(10 * million)] }),
    );
    await product.xadd(
      'readings',
      'data',
      JSON.stringify({ sensor: 'bigger', value: 1, tags: ['x'.repeat(17 * million)] }),
    );
    await product.xadd('readings', 'data', good);
    await product.caughtUp('per-sensor');
    expect((await product.get('/views/per-sensor/rows')).body.map(({ sensor }: any) => sensor)).toEqual([
      'big',
      'good',
    ]);
    const [error] = (await product.get('/views/per-sensor/errors')).body;
    expect(error.reason).toContain('entryLengthMax');
    expect(error.row.length).toBeLessThan(5_000);
  });

  test('in another partition than its key says is misplaced, and makes no second row of the key', async () => {
    const appended = (
      await product.ask('POST', '/streams/placed/events', [
        { id: '7', n: 1 },
        { id: 'ü/7', n: 100 },
      ])
    ).body;
    expect(appended.ids).toHaveLength(2);
    await product.caughtUp('per-id');
    const before = (await product.get('/views/per-id/rows')).body;
    for (const id of ['7', 'ü/7']) {
      const data = JSON.stringify({ id, n: 1_000 });
      for (const partition of [0, 1]) await product.xadd(`placed:${partition}`, 'data', data);
    }
    await product.caughtUp('per-id');
    const after = (await product.get('/views/per-id/rows')).body;
    expect(after).toHaveLength(before.length);
    expect(after.map(({ id, n }: any) => [id, n]).sort()).toEqual([
      ['7', 1_001],
      ['ü/7', 1_100],
    ]);
    const errors = (await product.get('/views/per-id/errors')).body;
    expect(errors).toHaveLength(2);
    for (const { reason } of errors)
      expect(reason).toMatch(/^misplaced: by its id it belongs in "placed:[01]", and lies in "placed:[01]"/);
  });

  test('of a table that lacks its key, or names another, changes no row', async () => {
    expect(await product.ask('PUT', '/tables/things/rows/a%2Fü', { id: 'b', name: 'x' })).toMatchObject(
      problem(400, 'invalid-row'),
    );
    expect((await product.ask('PUT', '/tables/things/rows/a%2F%C3%BC', { name: 'slash' })).status).toBe(202);
    await product.xadd('things', 'op', 'delete', 'name', 'slash');
    await product.xadd('things', 'op', 'replace', 'id', 'a/ü', 'name', 'other');
    await product.caughtUp('named');
    expect((await product.get('/views/named/rows/a%2F%C3%BC')).body).toEqual({ id: 'a/ü', name: 'slash' });
    const reasons = (await product.get('/views/named/errors')).body.map(({ reason }: any) => reason);
    expect(reasons.sort()).toEqual([
      expect.stringContaining('A deletion needs the key'),
      expect.stringContaining('"upsert" or "delete"'),
    ]);
  });
});
