import { Controller, Get, Injectable, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Redis } from 'ioredis';
import { getViewToken, InjectView, StillwaterModule, type ViewReader } from 'stillwater/nest';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/system.js';
import { byCustomer, byRegion } from './shop/orders.js';

/** What another provider of the application knows. */
@Injectable()
class Configuration {
  static redisUrl = '';
  readonly redisUrl = Configuration.redisUrl;
}

@Module({ providers: [Configuration], exports: [Configuration] })
class ConfigurationModule {}

@Controller('my-orders')
class OrdersController {
  constructor(@InjectView(byCustomer) private readonly orders: ViewReader<typeof byCustomer>) {}

  @Get(':customer')
  async of(@Param('customer') customer: string): Promise<{ name: string; orders: number } | null> {
    const row = await this.orders.row(customer);
    // The row is typed: a column that does not exist would not compile.
    return row && { name: row.name, orders: row.orders };
  }

  @Get()
  async most(): Promise<string[]> {
    const { rows } = await this.orders.rows({
      where: { orders: { gte: 1 } },
      order: 'orders.desc',
      limit: 10,
    });
    return rows.map(({ customer }) => customer);
  }
}

describeWithRedis('a Nest application that embeds Stillwater', () => {
  let redis: RedisServer;
  let client: Redis;
  const apps: NestFastifyApplication[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
    client = redis.client();
    Configuration.redisUrl = redis.url;
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });
  afterAll(() => redis.stop());

  const application = async (
    module: ReturnType<typeof StillwaterModule.forRoot>,
  ): Promise<NestFastifyApplication> => {
    @Module({ imports: [module], controllers: [OrdersController] })
    class Application {}
    const app = await NestFactory.create<NestFastifyApplication>(Application, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    apps.push(app);
    await app.listen(0, '127.0.0.1');
    return app;
  };
  const get = async (app: NestFastifyApplication, url: string): Promise<any> =>
    (await app.inject({ url })).json();
  const write = async (customer: string, orders: number): Promise<void> => {
    await client.xadd(
      'customers',
      '*',
      'data',
      JSON.stringify({ customer, name: customer.toUpperCase(), region: 'north' }),
    );
    for (let order = 0; order < orders; order++)
      await client.xadd('orders', '*', 'data', JSON.stringify({ order, customer, amount: 1 }));
  };

  it('reads its views through typed readers, and gets no route it did not ask for', async () => {
    const app = await application(
      StillwaterModule.forRoot({ connection: redis.url, views: [byCustomer, byRegion] }),
    );
    await write('ann', 2);
    await write('bob', 3);
    await eventually(async () => (await get(app, '/my-orders/bob'))?.orders === 3);
    expect(await get(app, '/my-orders/ann')).toEqual({ name: 'ANN', orders: 2 });
    expect(await get(app, '/my-orders')).toEqual(['bob', 'ann']);
    for (const url of ['/views', '/streams', '/rebuilds', '/openapi.json', '/health/ready', '/metrics'])
      expect((await app.inject({ url })).statusCode).toBe(404);

    const reader = app.get<ViewReader<typeof byRegion>>(getViewToken(byRegion));
    await eventually(async () => (await reader.row('north'))?.orders === 5);
  });

  it('is configured by what other providers know, follows changes, and mounts the routes where it says so', async () => {
    const app = await application(
      StillwaterModule.forRootAsync({
        imports: [ConfigurationModule],
        inject: [Configuration],
        useFactory: (configuration: Configuration) => ({
          connection: configuration.redisUrl,
          prefix: 'other',
        }),
        views: [byCustomer, byRegion],
        http: { token: null },
      }),
    );
    await eventually(async () => (await get(app, '/my-orders/bob'))?.orders === 3);
    expect(await get(app, '/views/by-customer/rows/bob')).toMatchObject({ customer: 'bob', orders: 3 });

    const stop = new AbortController();
    const changes = app
      .get<ViewReader<typeof byCustomer>>(getViewToken(byCustomer))
      .changes({ signal: stop.signal });
    const next = changes.next();
    // Whether it listens already cannot be seen from here: something is said until it is heard.
    let heard = false;
    void next.then(() => (heard = true));
    await eventually(
      async () => {
        await write('ann', 1);
        return heard;
      },
      20_000,
      50,
    );
    expect((await next).value.changes[0]).toMatchObject({ op: 'upsert', key: ['ann'], row: { name: 'ANN' } });
    stop.abort();
    await changes.return(undefined);
  });

  it('lets go of everything when it is closed', async () => {
    const app = await application(StillwaterModule.forRoot({ connection: redis.url, views: [byCustomer] }));
    await eventually(async () => (await client.hlen('sw:workers')) === 1);
    apps.pop();
    await app.close();
    expect(await client.hlen('sw:workers')).toBe(0);
    await eventually(async () => ((await client.client('LIST')) as string).trim().split('\n').length === 1);
  });

  it('fails to start where Redis does not answer, with a reason and without hanging', async () => {
    const gone = await RedisServer.start();
    const url = gone.url;
    await gone.stop();
    await expect(
      application(StillwaterModule.forRoot({ connection: url, views: [byCustomer] })),
    ).rejects.toThrow(/Redis does not answer[^]*ECONNREFUSED/);
  });

  it('says what is wrong with its views before anything is connected', () => {
    expect(() =>
      StillwaterModule.forRoot({
        connection: 'redis://127.0.0.1:1',
        views: [byCustomer, { ...byCustomer } as typeof byCustomer],
      }),
    ).not.toThrow(TypeError);
  });
});
