import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { EventSource } from '../support/event-source.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithService, nextOf, Service } from '../support/service.js';
import { eventually } from '../support/system.js';

const VIEWS = join('test', 'stories', 'shop');

describeWithService('an application with views of its own', () => {
  let redis: RedisServer;
  let client: Redis;
  let service: Service;
  const placed: { order: number; customer: string; amount: number }[] = [];

  /** Events of the orders, remembered to compare the views with. Amounts are quarters, so that sums are exact. */
  const order = (customer: string, amount = 0.25): (typeof placed)[number] => {
    const event = { order: placed.length, customer, amount };
    placed.push(event);
    return event;
  };
  const ofCustomer = (customer: string) => {
    const events = placed.filter((event) => event.customer === customer);
    return {
      orders: events.length,
      amount: events.reduce((sum, { amount }) => sum + amount, 0),
      last: Math.max(...events.map((event) => event.order)),
    };
  };
  const read = (customer: string, atLeast: string) =>
    service.get(
      `/views/by-customer/rows/${encodeURIComponent(customer)}?atLeast=${encodeURIComponent(atLeast)}`,
      { prefer: 'wait=10' },
    );
  const put = async (customer: string, region: string, name = customer): Promise<string> =>
    (await service.ask('PUT', `/tables/customers/rows/${encodeURIComponent(customer)}`, { name, region }))
      .body.position;

  beforeAll(async () => {
    redis = await RedisServer.start({ appendOnly: true });
    client = redis.client();
    service = await Service.start({ environment: { REDIS_URL: redis.url, STILLWATER_VIEWS: VIEWS } });
    for (const customer of ['ann', 'bob', 'cay']) await put(customer, 'north');
  });
  afterAll(async () => {
    await service.remove();
    await redis.stop();
  });

  it('shows every writer its own writes', async () => {
    for (let round = 0; round < 60; round++) {
      const customer = ['ann', 'bob', 'cay'][round % 3]!;
      const position = await service.append('orders', [order(customer), order(customer, 1.5)]);
      const { status, body } = await read(customer, position);
      expect([status, body]).toEqual([
        200,
        { customer, name: customer, region: 'north', ...ofCustomer(customer) },
      ]);
    }
  });

  it('shows them in a view over the view as well', async () => {
    const position = await service.append('orders', order('ann'));
    const [row] = await service.rows('by-region', { atLeast: position });
    expect(row).toMatchObject({ region: 'north', customers: 3, orders: placed.length });
  });

  it('appends once what is sent twice under one key', async () => {
    const event = order('bob', 3);
    const headers = { 'idempotency-key': 'order-of-bob' };
    const first = await service.post('/streams/orders/events', event, headers);
    const again = await service.post('/streams/orders/events', event, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await read('bob', again.body.position)).body).toMatchObject(ofCustomer('bob'));
  });

  it('appends nothing of a request that holds one wrong event', async () => {
    const length = await client.xlen('orders');
    const { status, body } = await service.post('/streams/orders/events', [
      { order: 1, customer: 'ann', amount: 1 },
      { order: 1.5, customer: 'ann', amount: 'much' },
    ]);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'invalid-events',
      invalid: expect.arrayContaining([expect.objectContaining({ index: 1, path: 'amount' })]),
    });
    expect(await client.xlen('orders')).toBe(length);
  });

  it('follows a table: a changed row changes what is joined to it, a deleted one takes it away', async () => {
    let position = await put('bob', 'south', 'Robert');
    expect((await read('bob', position)).body).toMatchObject({
      name: 'Robert',
      region: 'south',
      ...ofCustomer('bob'),
    });
    expect(
      (await service.rows('by-region', { atLeast: position }))
        .map(({ region, customers }) => [region, customers])
        .sort(),
    ).toEqual([
      ['north', 2],
      ['south', 1],
    ]);
    position = (await service.ask('DELETE', '/tables/customers/rows/bob')).body.position;
    expect((await read('bob', position)).status).toBe(404);
    position = await put('bob', 'north');
    expect((await read('bob', position)).body).toMatchObject(ofCustomer('bob'));
  });

  it('takes plain XADD from anywhere, in each of its forms', async () => {
    await client.xadd('orders', '*', 'data', JSON.stringify(order('cay')));
    await client.xadd('orders', '*', 'batch', JSON.stringify([order('cay'), order('cay')]));
    const flat = order('cay', 0.5);
    await client.xadd('orders', '*', 'order', String(flat.order), 'customer', 'cay', 'amount', '0.5');
    await service.caughtUp();
    expect((await service.get('/views/by-customer/rows/cay')).body).toMatchObject(ofCustomer('cay'));
  });

  it('keeps keys with slashes and letters of all kinds apart', async () => {
    const customer = 'ä/b c?%2F';
    await put(customer, 'east');
    const position = await service.append('orders', order(customer, 2));
    expect((await read(customer, position)).body).toEqual({
      customer,
      name: customer,
      region: 'east',
      orders: 1,
      amount: 2,
      last: placed.length - 1,
    });
  });

  it('makes an entry that cannot be used an error that one can see, and goes on', async () => {
    const id = await client.xadd('orders', '*', 'data', '{"order": 1, "customer"');
    const position = await service.append('orders', order('ann'));
    expect((await read('ann', position)).body).toMatchObject(ofCustomer('ann'));
    const errors = (await service.get('/views/by-customer/errors')).body;
    expect(JSON.stringify(errors)).toContain(id);
    expect((await service.get('/views/by-customer')).body).toMatchObject({ state: 'live', errors: 1 });
  });

  it('appends a file line by line, once however often the command is given, and says which line is wrong', async () => {
    const file = join(service.data, 'orders.ndjson');
    const events = Array.from({ length: 2_500 }, (_, index) => order(['ann', 'bob', 'cay'][index % 3]!));
    writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const appended = await service.command('append', 'orders', file, '--json');
    expect([appended.code, JSON.parse(appended.stdout)]).toMatchObject([0, { appended: 2_500, repeated: 0 }]);
    const again = await service.command('append', 'orders', file, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ appended: 0, repeated: 2_500 });
    const { position } = JSON.parse(appended.stdout);
    expect((await read('ann', position)).body).toMatchObject(ofCustomer('ann'));

    writeFileSync(file, `${JSON.stringify({ order: 1, customer: 'ann', amount: 1 })}\n\n{"order": "one"}\n`);
    const refused = await service.command('append', 'orders', file);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/Line 3 .* is not an event of this stream/),
    ]);
    await service.caughtUp();
    expect((await service.get('/views/by-customer/rows/ann')).body).toMatchObject(ofCustomer('ann'));
  });

  it('rebuilds a view and what reads it while it is served, and says how far it is', async () => {
    const before = await sorted('by-region');
    const { status, body, headers } = await service.post('/views/by-customer/rebuilds');
    expect(status).toBe(202);
    expect(body).toMatchObject({ view: 'by-customer' });
    const location = headers.get('location')!;
    const done = await service.state(location, ['promoted', 'failed', 'cancelled']);
    expect(done).toMatchObject({ state: 'promoted', generations: [{ generation: 2 }, { generation: 2 }] });
    expect(done.entriesDone).toBe(done.entriesTotal);
    expect((await service.get('/views/by-region')).body.generation).toBe(2);
    expect(await sorted('by-region')).toEqual(before);
  });

  it('rebuilds and verifies from the command line: exit code 0 only where a replay equals the live view', async () => {
    const rebuilt = await service.command('rebuild', 'by-customer', '--wait', '--json');
    expect([rebuilt.code, JSON.parse(rebuilt.stdout).state]).toEqual([0, 'promoted']);
    const verified = await service.command('verify', 'by-customer');
    expect([verified.code, verified.stdout]).toEqual([
      0,
      expect.stringContaining('A replay of "by-customer" equals the live view.'),
    ]);

    // A row that was changed behind our back is found.
    const { generation } = (await service.get('/views/by-customer')).body;
    const [key] = await client.keys(`{sw:*}:by-customer#${generation}/0.0:k:rows:*`);
    const [field, text] = Object.entries(await client.hgetall(key!))[0]!;
    await client.hset(key!, field, text.replace(/"orders":\d+/, '"orders":1000000'));
    const differs = await service.command('verify', 'by-customer');
    expect([differs.code, differs.stdout]).toEqual([
      1,
      expect.stringContaining('differs from the live view'),
    ]);
    expect(differs.stdout).toContain('1000000');
    await client.hset(key!, field, text);

    const unknown = await service.command('verify', 'nothing');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('by-customer')]);
  }, 90_000);

  it('rolls back to the generation before', async () => {
    const { generation } = (await service.get('/views/by-customer')).body;
    const back = await service.command('rollback', 'by-customer', '--json');
    expect(back.code).toBe(0);
    await eventually(
      async () => (await service.get('/views/by-customer')).body.generation === generation - 1,
    );
    const position = await service.append('orders', order('ann'));
    expect((await read('ann', position)).body).toMatchObject(ofCustomer('ann'));
  });

  it('tells changes as they are committed: they add up to the rows, and a client that comes back goes on', async () => {
    const first = new EventSource(`${service.url}/views/by-customer/changes?snapshot=true`);
    await first.wait('ready');
    for (let round = 0; round < 10; round++) await service.append('orders', [order('ann'), order('bob')]);
    await put('cay', 'west');
    await service.caughtUp();
    const expected = new Map(
      (await service.rows('by-customer')).map((row) => [JSON.stringify([row.customer]), row]),
    );
    await eventually(() => sameRows(first.rows(), expected));
    await first.close();

    // While it is away …
    for (let round = 0; round < 5; round++) await service.append('orders', order('cay'));
    await service.ask('DELETE', `/tables/customers/rows/bob`);
    await service.caughtUp();
    const later = new EventSource(`${service.url}/views/by-customer/changes`, first.lastEventId);
    await later.wait('ready');
    expect(later.of('resync')).toEqual([]);
    later.events.unshift(...first.events);
    const now = new Map(
      (await service.rows('by-customer')).map((row) => [JSON.stringify([row.customer]), row]),
    );
    await eventually(() => sameRows(later.rows(), now));
    expect(now.has('["bob"]')).toBe(false);
    await later.close();
    await put('bob', 'north');
  });

  it('tells only what a filter finds, and a row that leaves it as deleted', async () => {
    await service.caughtUp();
    const source = new EventSource(
      `${service.url}/views/by-customer/changes?snapshot=true&region=eq.west&select=customer`,
    );
    await source.wait('ready');
    expect([...source.rows().values()]).toEqual([{ customer: 'cay' }]);
    await put('ann', 'west');
    await put('cay', 'north');
    await eventually(() => JSON.stringify([...source.rows().values()]) === '[{"customer":"ann"}]');
    await source.close();
  });

  it('tells a client to begin anew when another generation is promoted', async () => {
    const source = new EventSource(`${service.url}/views/by-customer/changes?snapshot=true`);
    await source.wait('ready');
    const id = source.lastEventId;
    expect((await service.command('rebuild', 'by-customer', '--wait')).code).toBe(0);
    await source.wait('resync');
    await source.close();
    const later = new EventSource(`${service.url}/views/by-customer/changes`, id);
    await later.wait('resync');
    await later.close();
  });

  describe('over four partitions', () => {
    const seen = new Map<string, { sensor: string; readings: number; highest: number }>();
    const reading = (sensor: string, value: number) => {
      const known = seen.get(sensor);
      seen.set(sensor, {
        sensor,
        readings: (known?.readings ?? 0) + 1,
        highest: Math.max(known?.highest ?? -Infinity, value),
      });
      return { sensor, value };
    };

    it('places what is appended, and merges the rows of all partitions in order', async () => {
      const events = Array.from({ length: 400 }, (_, index) =>
        reading(`sensor-${index % 60}`, (index * 7919) % 1_000),
      );
      const position = await service.append('readings', events);
      const keys = ['readings:0', 'readings:1', 'readings:2', 'readings:3'];
      const lengths = await Promise.all(keys.map((key) => client.xlen(key)));
      expect(lengths.reduce((sum, length) => sum + length)).toBe(400);
      expect(Math.min(...lengths)).toBeGreaterThan(0);

      const rows = await service.rows('by-sensor', { query: 'order=highest.desc', atLeast: position });
      expect(rows.map(({ sensor }) => sensor).sort()).toEqual([...seen.keys()].sort());
      for (const row of rows) expect(row).toEqual(seen.get(row.sensor));
      expect(rows.map(({ highest }) => highest)).toEqual(
        rows.map(({ highest }) => highest).sort((left, right) => right - left),
      );
    });

    it('takes entries that a producer has placed itself, and shows one that it misplaced as an error', async () => {
      const homes = new Map<string, string>();
      for (const key of ['readings:0', 'readings:1', 'readings:2', 'readings:3'])
        for (const [, fields] of await client.xrange(key, '-', '+'))
          homes.set(JSON.parse(fields[fields.indexOf('data') + 1]!).sensor, key);
      for (const [sensor, key] of [...homes].slice(0, 20))
        await client.xadd(key, '*', 'data', JSON.stringify(reading(sensor, 2_000)));
      const [sensor, home] = [...homes][0]!;
      const wrong = home === 'readings:0' ? 'readings:1' : 'readings:0';
      const id = await client.xadd(wrong, '*', 'data', JSON.stringify({ sensor, value: 5_000 }));
      await eventually(async () => (await service.get('/views/by-sensor')).body.errors === 1);
      await service.caughtUp();
      for (const row of await service.rows('by-sensor')) expect(row).toEqual(seen.get(row.sensor));
      expect(JSON.stringify((await service.get('/views/by-sensor/errors')).body)).toContain(id);
    });
  });

  describe('with a large view', () => {
    const PARCELS = 20_000;

    beforeAll(async () => {
      const events = Array.from({ length: PARCELS }, (_, index) => ({
        parcel: `p${index}`,
        weight: (index * 31) % 5_000,
        depot: `d${index % 40}`,
      }));
      for (let from = 0; from < PARCELS; from += 2_000)
        await client.xadd('parcels', '*', 'batch', JSON.stringify(events.slice(from, from + 2_000)));
      await service.caughtUp();
    });

    it('refuses what would have to look at all rows, and names the index to declare', async () => {
      const { status, body } = await service.get('/views/by-parcel/rows?depot=eq.d7');
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'unindexed-query', evidence: expect.stringContaining('20,000') });
      expect(body.remedy).toContain("'depot'");
    });

    it('serves from the index, page by page, each row exactly once while others are written', async () => {
      const seen: string[] = [];
      const weights: number[] = [];
      let written = 0;
      const position = { last: '' };
      for (let next: string | null = '/views/by-parcel/rows?order=weight.desc&limit=500'; next !== null;) {
        const answer = await service.get(next);
        expect(answer.status).toBe(200);
        for (const { parcel, weight } of answer.body) {
          seen.push(parcel);
          weights.push(weight);
        }
        next = nextOf(answer);
        // Rows that were there all the time must neither be missed nor come twice; new ones may come or not.
        position.last = await service.append('parcels', [
          { parcel: `new${written}`, weight: (written++ * 97) % 5_000, depot: 'd0' },
        ]);
      }
      const old = seen.filter((parcel) => parcel.startsWith('p'));
      expect(old).toHaveLength(PARCELS);
      expect(new Set(seen).size).toBe(seen.length);
      expect(weights).toEqual([...weights].sort((left, right) => right - left));
      expect(await service.rows('by-parcel', { atLeast: position.last })).toHaveLength(PARCELS + written);
    });

    it('filters by an index, counts on request, and refuses what it does not understand', async () => {
      const heavy = await service.get('/views/by-parcel/rows?weight=gte.4995&order=weight.desc&limit=1000', {
        prefer: 'count=exact',
      });
      expect(heavy.body.every(({ weight }: any) => weight >= 4_995)).toBe(true);
      expect(heavy.headers.get('content-range')).toBe(`0-${heavy.body.length - 1}/${heavy.body.length}`);
      const wrong = await service.get('/views/by-parcel/rows?wieght=gte.3');
      expect([wrong.status, wrong.body.detail]).toEqual([400, expect.stringContaining('weight')]);
      expect((await service.get('/views/by-parcle/rows')).status).toBe(404);
    });
  });

  it('goes on when Redis is restarted under it', async () => {
    await service.append('orders', order('ann'));
    await redis.kill();
    await eventually(async () => (await service.get('/health/ready')).status === 503);
    expect((await service.get('/views/by-customer/rows')).status).toBe(503);
    expect((await service.get('/health/live')).status).toBe(200);
    await redis.startAgain();
    await eventually(async () => (await service.get('/health/ready')).status === 200, 20_000);
    const position = await service.append('orders', order('ann'));
    expect((await read('ann', position)).body).toMatchObject(ofCustomer('ann'));
  });

  const sorted = async (view: string): Promise<string[]> => {
    await service.caughtUp();
    return (await service.rows(view)).map((row) => JSON.stringify(row)).sort();
  };
});

const sameRows = (left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): boolean =>
  JSON.stringify([...left].sort()) === JSON.stringify([...right].sort());
