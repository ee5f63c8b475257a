import { join } from 'node:path';
import { RedisServer } from '../support/redis-server.js';
import { describeWithService, Service } from '../support/service.js';
import { eventually } from '../support/system.js';

const TOKEN = 'a-token-of-these-stories';
/** The lease is six seconds; what comes after it takes its time on a busy machine. */
const TAKEOVER_MS = 20_000;

describeWithService('several processes over one Redis', () => {
  let redis: RedisServer;
  let api: Service;
  const workers: Service[] = [];
  const bearer = { authorization: `Bearer ${TOKEN}` };
  const start = (role: string): Promise<Service> =>
    Service.start({
      environment: {
        REDIS_URL: redis.url,
        STILLWATER_VIEWS: join('test', 'stories', 'shop'),
        STILLWATER_ROLE: role,
        STILLWATER_TOKEN: TOKEN,
      },
    });
  const owners = async (): Promise<Set<string>> =>
    new Set(
      (await api.get('/views')).body.length &&
        (
          await Promise.all(
            ['by-customer', 'by-region', 'by-sensor', 'by-parcel'].map((view) => api.get(`/views/${view}`)),
          )
        ).flatMap(({ body }) => body.partitions.map(({ owner }: any) => owner)),
    );

  beforeAll(async () => {
    redis = await RedisServer.start();
    workers.push(await start('worker'), await start('worker'));
    api = await start('api');
    for (const customer of ['ann', 'bob'])
      await api.ask('PUT', `/tables/customers/rows/${customer}`, { name: customer, region: 'north' }, bearer);
  }, 90_000);
  afterAll(async () => {
    await Promise.all([...workers, api].map((service) => service.remove()));
    await redis.stop();
  });

  const placed: string[] = [];
  const append = (customer: string): Promise<string> => {
    placed.push(customer);
    return api.append('orders', { order: placed.length, customer, amount: 0.25 }, bearer);
  };
  const ordersOf = async (customer: string, atLeast: string): Promise<number> =>
    (await api.rows('by-customer', { atLeast })).find((row) => row.customer === customer).orders;

  it('wants the token for writes and administration, and not for reading', async () => {
    const event = { order: 0, customer: 'ann', amount: 1 };
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const {
        status,
        headers: answered,
        body,
      } = await api.post('/streams/orders/events', event, headers as Record<string, string>);
      expect([status, body.code, answered.get('www-authenticate')]).toEqual([
        401,
        expect.any(String),
        expect.stringContaining('Bearer'),
      ]);
    }
    expect((await api.post('/views/by-customer/rebuilds')).status).toBe(401);
    expect((await api.ask('DELETE', '/tables/customers/rows/ann')).status).toBe(401);
    expect(await redis.client().xlen('orders')).toBe(0);
    expect((await api.get('/views')).status).toBe(200);
  });

  it('shares the tasks between the workers; a process that only serves gets none', async () => {
    await eventually(async () => {
      const found = await owners();
      return found.size === 2 && !found.has(null as never);
    }, TAKEOVER_MS);
    const position = await append('ann');
    expect(await ordersOf('ann', position)).toBe(1);
    expect((await api.get('/metrics')).body).not.toMatch(/^stillwater_commits_total\{/m);
  });

  it('loses nothing with a worker that is killed: the other takes over, and reads go on all the while', async () => {
    const [killed, left] = workers as [Service, Service];
    await killed.kill();
    let refused = 0;
    for (let index = 0; index < 20; index++) {
      await append(index % 2 ? 'ann' : 'bob');
      if ((await api.get('/views/by-customer/rows')).status !== 200) refused++;
    }
    expect(refused).toBe(0);
    await eventually(async () => (await owners()).size === 1, TAKEOVER_MS);
    const position = await append('ann');
    expect(await ordersOf('ann', position)).toBe(placed.filter((customer) => customer === 'ann').length);
    expect(await ordersOf('bob', position)).toBe(10);
    expect((await left.get('/metrics')).body).toMatch(/^stillwater_takeovers_total\{/m);
  });

  it('hands over at once to a process that comes before one goes', async () => {
    const [, old] = workers as [Service, Service];
    workers.push(await start('worker'));
    expect(await old.stop()).toBe(0);
    const before = performance.now();
    const position = await append('bob');
    expect(await ordersOf('bob', position)).toBe(11);
    // Nobody waits for the lease of a process that said good-bye.
    expect(performance.now() - before).toBeLessThan(6_000);
  });
});
