import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { aclRule } from '../../src/cli/acl-rule.js';
import { count, instant, stream, sum, table, tumbling, view } from '../../src/index.js';
import { servingAdapter, StillwaterModule } from '../../src/stillwater.module.js';
import { EventSource } from '../support/event-source.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/system.js';

const sales = stream('sales', {
  schema: z.object({ at: instant(), shop: z.string(), amount: z.int() }),
  eventTime: 'at',
  lateness: '1s',
  partitions: 2,
  partitionBy: ['shop'],
  retain: { entries: 10 },
});
const shops = table('shops', { schema: z.object({ shop: z.string(), city: z.string() }), key: 'shop' });
const perShop = sales.groupBy('shop').aggregate({ sales: count(), amount: sum('amount') });
const byShop = view('by-shop', { from: perShop, indexes: ['sales.desc'] });
const byAmount = view('by-amount', {
  from: sales.groupBy('amount').aggregate({ sales: count() }),
  partitions: 2,
});
const final = view('final', {
  from: sales.window(tumbling('1s')).groupBy('shop').aggregate({ sales: count() }).final(),
});
const bySales = view('by-sales', { from: byShop.groupBy('sales').aggregate({ shops: count() }) });
const places = view('places', { from: shops, indexes: ['city'] });
const declared = [byShop, byAmount, final, bySales, places];

/** The rule's line as the arguments of a command. */
const ruleOf = (...streams: Parameters<typeof aclRule>[1][number][]): [string, ...string[]] =>
  aclRule('app', streams).replace('PASSWORD', 'secret').split(' ') as [string, ...string[]];

describeWithRedis('the whole service with no more rights than the rule gives', () => {
  let redis: RedisServer;
  let admin: Redis;
  let app: NestFastifyApplication;
  let url: string;
  let directory: string;
  const apps: NestFastifyApplication[] = [];
  beforeAll(async () => {
    redis = await RedisServer.start();
    admin = redis.client();
    await admin.call(...ruleOf(sales.declaration, shops.declaration));
    directory = mkdtempSync(join(tmpdir(), 'stillwater-rights-'));
    app = await start();
  });
  afterAll(async () => {
    for (const each of apps.splice(0)) await each.close();
    await redis.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = async (): Promise<NestFastifyApplication> => {
    const made = await NestFactory.create<NestFastifyApplication>(
      StillwaterModule.forRoot({
        connection: redis.url.replace('//', '//stillwater:secret@'),
        prefix: 'app',
        views: declared,
        archive: directory,
        limits: {
          registryRefreshMs: 100,
          leaseMs: 1_000,
          heartbeatIdleMs: 200,
          retentionMs: 200,
          archiveMs: 1,
          archiveAgeMs: 1,
          archiveEntriesMax: 20,
          keptMs: 1,
        },
        jobs: { driveMs: 50 },
        http: { token: null, standalone: true },
      }),
      servingAdapter(),
      { logger: false },
    );
    apps.push(made);
    await made.listen(0, '127.0.0.1');
    url = await made.getUrl();
    return made;
  };
  const ask = async (
    method: string,
    path: string,
    payload?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(payload !== undefined && { 'content-type': 'application/json' }) },
      ...(payload !== undefined && { body: JSON.stringify(payload) }),
    });
    const text = await reply.text();
    return {
      status: reply.status,
      body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
    };
  };
  let sold = 0;
  const append = async (events: number, key: string): Promise<string> => {
    const some = Array.from({ length: events }, () => ({
      at: new Date(Date.UTC(2024, 0, 1) + ++sold * 300).toISOString(),
      shop: `s${sold % 5}`,
      amount: sold % 7,
    }));
    const { status, body } = await ask('POST', '/streams/sales/events', some, { 'idempotency-key': key });
    expect([status, body]).toMatchObject([202, {}]);
    return body.position as string;
  };
  const done = async (path: string, states: readonly string[]): Promise<string> => {
    let state = '';
    await eventually(async () => states.includes((state = (await ask('GET', path)).body.state)));
    return state;
  };

  it('appends, maintains, serves, follows, rebuilds, verifies, archives and hands over', async () => {
    for (const shop of ['s0', 's1', 's2'])
      expect((await ask('PUT', `/tables/shops/rows/${shop}`, { city: `c${shop}` })).status).toBe(202);
    expect((await ask('DELETE', '/tables/shops/rows/s2')).status).toBe(202);
    const changes = new EventSource(`${url}/views/by-shop/changes`);
    let position = '';
    for (let round = 0; round < 5; round++) {
      position = await append(40, `round-${round}`);
      await ask('GET', `/views/by-shop/rows?limit=1&atLeast=${position}`, undefined, { prefer: 'wait=10' });
    }
    const reading = `?atLeast=${encodeURIComponent(position)}`;
    const rows = await ask('GET', `/views/by-shop/rows${reading}&order=sales.desc`, undefined, {
      prefer: 'wait=10',
    });
    expect(rows.body).toHaveLength(5);
    for (const name of ['by-amount', 'by-sales', 'final'])
      expect(
        (await ask('GET', `/views/${name}/rows${reading}`, undefined, { prefer: 'wait=10' })).status,
      ).toBe(200);
    await eventually(() => changes.events.length > 0);
    changes.close();
    // What was trimmed is read from the archive.
    await eventually(async () => (await admin.xlen('sales:0')) < 60);
    const rebuild = await ask('POST', '/views/by-shop/rebuilds');
    expect(rebuild.status).toBe(202);
    expect(await done(`/rebuilds/${rebuild.body.id}`, ['promoted', 'failed'])).toBe('promoted');
    const verify = await ask('POST', '/views/by-amount/verifications');
    expect(await done(`/verifications/${verify.body.id}`, ['equal', 'different', 'failed'])).toBe('equal');
    for (const path of [
      '/views',
      '/views/by-shop',
      '/views/by-shop/errors',
      '/streams',
      '/tables',
      '/metrics',
    ])
      expect((await ask('GET', path)).status).toBe(200);
    // And another process takes over.
    const before = app;
    app = await start();
    apps.splice(apps.indexOf(before), 1);
    await before.close();
    position = await append(10, 'after');
    const after = await ask('GET', `/views/by-shop/rows?atLeast=${position}`, undefined, {
      prefer: 'wait=10',
    });
    expect((after.body as { sales: number }[]).reduce((all, { sales: some }) => all + some, 0)).toBe(sold);
    const denied = (await admin.call('ACL', 'LOG')) as unknown[];
    expect(denied).toEqual([]);
  });

  it.each([
    ['flushall'],
    ['keys', '*'],
    ['config', 'set', 'maxmemory', '1'],
    ['config', 'rewrite'],
    ['monitor'],
    ['shutdown'],
    ['acl', 'setuser', 'stillwater', '+@all'],
    ['client', 'kill', 'type', 'normal'],
    ['script', 'flush'],
    ['swapdb', '0', '1'],
    ['replicaof', 'no', 'one'],
    ['rename', 'app:registry', 'app:gone'],
    ['set', 'foreign', '1'],
    ['xadd', 'foreign', '*', 'a', 'b'],
    ['get', 'bull:queue'],
    ['publish', 'foreign', 'x'],
  ])('may not %s', async (...command) => {
    const user = redis.client({ username: 'stillwater', password: 'secret' });
    await expect(user.call(...(command as [string, ...string[]]))).rejects.toThrow(/NOPERM|no permissions/i);
  });
});
