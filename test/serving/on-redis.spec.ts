import { RedisConnections } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { row, servedApp, type ServedApp } from './served-app.js';

type Reply = Awaited<ReturnType<typeof inject>>;
const inject = (served: ServedApp, url: string) => served.app.inject({ url });

describeWithRedis('serving from Redis', () => {
  let redis: RedisServer;
  let connections: RedisConnections;
  let served: ServedApp;

  beforeAll(async () => {
    redis = await RedisServer.start();
    connections = new RedisConnections({ url: redis.url });
    served = await servedApp({
      ports: redisPorts(connections),
      limits: { unindexedRowsMax: 20, indexPageMax: 5 },
    });
    const rows = Array.from({ length: 30 }, (_, index) =>
      row(`k/${index}\0ü`, {
        n: index === 29 ? null : index % 7,
        kind: index % 2 ? 'film' : 'book',
        price: index,
      }),
    );
    for (const view of ['shop', 'plain']) await served.writer(view).put(rows, { frontier: { items: '7-0' } });
  });
  afterAll(async () => {
    await served.close();
    await connections.close();
    await redis.stop();
  });

  const pages = async (url: string): Promise<any[]> => {
    const rows: any[] = [];
    for (let next: string | null = url; next !== null;) {
      const reply: Reply = await inject(served, next);
      if (reply.statusCode !== 200) throw new Error(reply.body);
      rows.push(...reply.json());
      next = /^<(.*)>; rel="next"$/.exec(String(reply.headers['link'] ?? ''))?.[1] ?? null;
    }
    return rows;
  };

  it('follows indexes in both directions, in ranges, and all of a view without an order', async () => {
    const ascending = (await pages('/views/shop/rows?order=n&limit=4')).map(({ n }) => n);
    expect(ascending).toEqual([...Array.from({ length: 29 }, (_, index) => index % 7).sort(), null]);
    expect((await pages('/views/shop/rows?order=n.desc&limit=4')).map(({ n }) => n)).toEqual(
      [...ascending].reverse(),
    );
    expect(
      (await pages('/views/shop/rows?kind=eq.film&n=gte.2&n=lt.4&order=n&limit=2')).map(({ n }) => n),
    ).toEqual([2, 2, 3, 3]);
    for (const view of ['shop', 'plain'])
      expect(new Set((await pages(`/views/${view}/rows?limit=7`)).map(({ id }) => id)).size).toBe(30);
  });

  it('finds a row by its key, with the position', async () => {
    const reply = await served.app.inject({ url: `/views/shop/rows/${encodeURIComponent('k/3\0ü')}` });
    expect([reply.json().price, reply.headers['stillwater-position']]).toEqual([3, 'items@7-0']);
  });

  it('follows commits', async () => {
    const stop = new AbortController();
    const changes = served.reading.view<{ id: string }>('shop').changes({ signal: stop.signal });
    const first = changes.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await served.writer('shop').put([row('new')]);
    await served.writer('shop').put([row('newer')]);
    expect((await first).value).toMatchObject({
      id: '1.2~nonce-1',
      changes: [{ op: 'upsert', key: ['new'] }],
    });
    expect((await changes.next()).value).toMatchObject({
      id: '1.3~nonce-2',
      changes: [{ op: 'upsert', key: ['newer'] }],
    });
    stop.abort();
    expect((await changes.next()).done).toBe(true);
  });

  it('appends, and answers a problem where a key holds another type', async () => {
    const url = '/streams/parted/events';
    expect((await served.app.inject({ method: 'POST', url, payload: [{ id: 'a', n: 1 }] })).statusCode).toBe(
      202,
    );
    await redis.client().set('flights', 'x');
    const reply = await served.app.inject({
      method: 'POST',
      url: '/streams/flights/events',
      payload: { at: '2001-01-01T00:00:00Z', delay: 1, origin: 'A', destination: 'B' },
    });
    expect(reply.json()).toMatchObject({ status: 409, code: 'wrong-type' });
  });
});
