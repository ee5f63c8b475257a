import { join } from 'node:path';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisSentinel } from '../support/redis-sentinel.js';
import { describeWithService, runCommand, Service } from '../support/service.js';
import { eventually } from '../support/system.js';

const VIEWS = join('test', 'stories', 'shop');

/** Orders of customers through HTTP, and what the views must show of them. */
class Shop {
  readonly #placed = new Map<string, number>();
  #last = '';

  constructor(readonly service: Service) {}

  async place(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const order = [...this.#placed.values()].reduce((sum, orders) => sum + orders, 0);
      const customer = `customer-${order % 5}`;
      const event = { order, customer, amount: 0.25 };
      // Whoever gets no answer asks again under the same key: it is placed once.
      await eventually(
        async () => {
          const answer = await this.service.post('/streams/orders/events', event, {
            'idempotency-key': `order-${order}`,
          });
          if (answer.status === 202) this.#last = answer.body.position;
          return answer.status === 202;
        },
        30_000,
        50,
      );
      this.#placed.set(customer, (this.#placed.get(customer) ?? 0) + 1);
    }
  }

  async expectAll(): Promise<void> {
    let rows: any[] = [];
    await eventually(
      async () => {
        rows = await this.service.rows('by-customer', { atLeast: this.#last }).catch(() => []);
        return rows.length > 0;
      },
      40_000,
      100,
    );
    expect(new Map(rows.map(({ customer, orders }) => [customer, orders]))).toEqual(this.#placed);
  }

  async rebuild(): Promise<void> {
    const { status, headers } = await this.service.post('/views/by-customer/rebuilds');
    expect(status).toBe(202);
    const { state } = await this.service.state(headers.get('location')!, ['promoted', 'failed'], 30_000);
    expect(state).toBe('promoted');
  }

  async customers(): Promise<void> {
    for (let customer = 0; customer < 5; customer++)
      await this.service.ask('PUT', `/tables/customers/rows/customer-${customer}`, {
        name: `customer-${customer}`,
        region: 'north',
      });
  }
}

describeWithService('the service on a Redis Cluster', () => {
  let cluster: RedisCluster;
  let service: Service;
  let shop: Shop;
  beforeAll(async () => {
    cluster = await RedisCluster.start({ appendOnly: true });
    service = await Service.start({ environment: { REDIS_URL: cluster.url, STILLWATER_VIEWS: VIEWS } });
    shop = new Shop(service);
    await shop.customers();
  });
  afterAll(async () => {
    await service?.remove();
    await cluster.stop();
  });

  it('shows what was appended, and rebuilds it with jobs of the same cluster', async () => {
    await shop.place(20);
    await shop.expectAll();
    await shop.rebuild();
    await shop.place(5);
    await shop.expectAll();
  });

  it('goes on when a master is killed', async () => {
    const node = await cluster.masterOf('orders');
    // What no replica has yet would be gone with it.
    await node.server.raw.wait(1, 1_000);
    await node.server.kill();
    await shop.place(20);
    await shop.expectAll();
    await node.server.startAgain();
    await cluster.settled();
    await shop.rebuild();
    await shop.expectAll();
  }, 120_000);

  it('goes on when the slot of its stream moves to another node', async () => {
    const placing = shop.place(30);
    await cluster.migrate('orders');
    await placing;
    await shop.expectAll();
  });

  it('is examined node by node by the doctor', async () => {
    const { code, stdout } = await runCommand(['doctor', '--json'], { REDIS_URL: cluster.url });
    expect(code).toBe(0);
    const { findings, servers } = JSON.parse(stdout);
    expect(servers).toHaveLength(6);
    expect(servers.filter(({ isReplica }: any) => isReplica)).toHaveLength(3);
    const of = (promise: RegExp): any => findings.find((finding: any) => promise.test(finding.promise));
    expect(of(/survives a crash/)).toMatchObject({
      verdict: 'holds',
      because: expect.stringContaining('All 6 nodes'),
    });
    expect(of(/go back together/)).toMatchObject({ verdict: 'does not hold', required: false });
    // One that evicts is found among them.
    await cluster.nodes[4]!.server.raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const again = await runCommand(['doctor'], { REDIS_URL: cluster.url });
    expect(again.code).toBe(1);
    expect(again.stdout).toContain(
      `127.0.0.1:${cluster.nodes[4]!.server.port}: maxmemory-policy is allkeys-lru`,
    );
    await cluster.nodes[4]!.server.raw.config('SET', 'maxmemory-policy', 'noeviction');
  });

  it('ends when it is told to', async () => {
    expect(await service.stop()).toBe(0);
  });
});

describeWithService('the service on the master that sentinels name', () => {
  let sentinel: RedisSentinel;
  let service: Service;
  beforeAll(async () => {
    sentinel = await RedisSentinel.start();
    service = await Service.start({ environment: { REDIS_URL: sentinel.url, STILLWATER_VIEWS: VIEWS } });
  });
  afterAll(async () => {
    await service?.remove();
    await sentinel.stop();
  });

  it('goes on where the master is when it was killed, with its jobs', async () => {
    const shop = new Shop(service);
    await shop.customers();
    await shop.place(10);
    const master = await sentinel.master();
    await master.raw.wait(1, 1_000);
    await master.kill();
    await shop.place(10);
    await shop.expectAll();
    await shop.rebuild();
    await shop.expectAll();
    expect(await service.stop()).toBe(0);
  }, 120_000);
});
