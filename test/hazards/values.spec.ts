import { computed, count, max, min, stream, sum, table, view } from 'stillwater';
import { z } from 'zod';
import { Product } from '../bad-input/product.js';
import { Proxy } from '../support/proxy.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';

const words = stream('words', { schema: z.object({ word: z.string(), n: z.number() }) });
const perWord = view('per-word', {
  from: words
    .groupBy('word')
    .aggregate({ times: count(), sum: sum('n') })
    .select({
      word: 'word',
      times: 'times',
      sum: 'sum',
      inverse: computed(z.boolean(), (row) => 1 / (row.sum ?? 1) > 0),
    }),
  indexes: ['word'],
});
const ends = view('ends', {
  from: words
    .select({ all: computed(z.string(), () => 'all'), word: 'word' })
    .groupBy('all')
    .aggregate({ least: min('word'), greatest: max('word') }),
});
const places = table('places', {
  schema: z.object({ id: z.string(), at: z.int() }),
  key: 'id',
  partitions: 2,
});
const placed = view('placed', { from: places });
const views = [perWord, ends, placed];

/** In the order of their UTF-8 bytes; by UTF-16 units the last two change places. */
const inOrder = ['', 'A', 'a', 'z', 'é', '€', '\ufffc', '😀'];

describeWithRedis('values', () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await RedisServer.start();
  });
  afterEach(() => redis.stop());

  test('have one order in functions, indexes and cursors, and no restart changes a row', async () => {
    let product = await Product.start(redis, views);
    const append = (events: object[]) => product.ask('POST', '/streams/words/events', events);
    const seen = async (): Promise<string[]> => {
      const words: string[] = [];
      for (let url: string | null = '/views/per-word/rows?order=word&limit=1'; url !== null;) {
        const { body, headers } = await product.get(url);
        words.push(...body.map(({ word }: any) => word));
        url = /^<(.*)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1] ?? null;
      }
      return words;
    };
    await append([...inOrder].reverse().map((word) => ({ word, n: -0 })));
    await product.caughtUp('per-word');
    await product.caughtUp('ends');
    expect(await seen()).toEqual(inOrder);
    expect((await product.get('/views/ends/rows')).body).toEqual([{ all: 'all', least: '', greatest: '😀' }]);
    const before = (await product.get('/views/per-word/rows')).body;
    const { checksum } = (await product.get('/views/per-word')).body;
    await product.stop();

    product = await Product.start(redis, views);
    try {
      expect((await product.get('/views/per-word/rows')).body).toEqual(before);
      // What is now loaded from Redis, and changed, comes to what a worker that had it in memory came to.
      await append(inOrder.map((word) => ({ word, n: -0 })));
      await product.caughtUp('per-word');
      expect((await product.get('/views/per-word/rows')).body).toEqual(
        before.map((row: any) => ({ ...row, times: 2 })),
      );
      expect((await product.get('/views/per-word')).body.checksum).not.toBe(checksum);
      expect(before.every(({ inverse }: any) => inverse === true)).toBe(true);
    } finally {
      await product.stop();
    }
  });

  test('a record of a table in another partition than its key says replaces nothing', async () => {
    const product = await Product.start(redis, views);
    try {
      expect((await product.ask('PUT', '/tables/places/rows/ORD', { at: 1 })).status).toBe(202);
      for (const partition of [0, 1]) await product.xadd(`places:${partition}`, 'id', 'ORD', 'at', '2');
      await product.caughtUp('placed');
      expect((await product.get('/views/placed/rows')).body).toEqual([{ id: 'ORD', at: 2 }]);
      const errors = (await product.get('/views/placed/errors')).body;
      expect(errors).toHaveLength(1);
      expect(errors[0].reason).toMatch(/^misplaced: by its id it belongs in "places:[01]"/);
    } finally {
      await product.stop();
    }
  });
});

describeWithRedis('an append whose reply is lost', () => {
  test('with a key is answered as unknown, and appended once however often it is repeated; without one the answer says so', async () => {
    const redis = await RedisServer.start();
    const proxy = await Proxy.start(redis.port);
    const product = await Product.start(proxy.url, views);
    try {
      const body = [{ word: 'once', n: 1 }];
      // The script is known to Redis from here on, so that what is cut off is the reply of an append.
      await product.ask('POST', '/streams/words/events', { word: 'before', n: 1 });
      const append = (headers: Record<string, string> = {}) =>
        product.ask('POST', '/streams/words/events', body, headers);
      // What the view asks and stores names the word as well, and not the event.
      const event = JSON.stringify(body[0]);
      proxy.mode('cutAfter', event);
      const lost = await append({ 'idempotency-key': 'k-1' });
      expect(lost).toMatchObject({
        status: 503,
        body: { code: 'append-outcome-unknown', remedy: expect.stringMatching(/same/i) },
      });
      const again = await append({ 'idempotency-key': 'k-1' });
      expect(again).toMatchObject({ status: 202, headers: { 'idempotency-replayed': 'true' } });
      expect(await redis.client().xlen('words')).toBe(2);

      proxy.mode('cutAfter', event);
      expect(await append()).toMatchObject({ status: 503, body: { code: 'append-outcome-unknown' } });
      expect(await redis.client().xlen('words')).toBe(3);
      await product.caughtUp('per-word');
      expect((await product.get('/views/per-word/rows/once')).body).toMatchObject({ times: 2 });
    } finally {
      await product.stop();
      await proxy.stop();
      await redis.stop();
    }
  });
});
