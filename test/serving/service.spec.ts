import type { Generation } from '../../src/runtime/ports/registry.js';
import { row, servedApp, type ServedApp, Writer } from './served-app.js';

describe('the service', () => {
  let served: ServedApp;
  const get = (url: string, headers: Record<string, string> = {}) => served.app.inject({ url, headers });

  beforeAll(async () => {
    served = await servedApp();
    await served
      .writer('shop')
      .put([row('a'), row('b')], { frontier: { items: '3-0' }, entries: 1, errors: 2 });
  });
  afterAll(() => served.close());

  it('tells how views are doing', async () => {
    await served.ports.log.append({
      redisKey: 'flights',
      entries: [
        ['data', '{}'],
        ['data', '{}'],
      ],
      idempotencyKey: null,
      memoryMs: 1,
    });
    const views = (await get('/views')).json<Record<string, unknown>[]>();
    expect(views.map(({ name }) => name)).toEqual(['shop', 'plain', 'routes', 'halves']);
    expect(views[0]).toMatchObject({
      state: 'live',
      generation: 1,
      rows: 2,
      errors: 2,
      conflicts: 0,
      lag: { entries: 0, ms: 0 },
      key: ['id'],
      description: 'All items.',
      checksum: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(views[2]).toMatchObject({ name: 'routes', rows: 0, lag: { entries: 2 } });
    const one = (await get('/views/shop')).json();
    expect(one).toMatchObject({
      version: '1.1~nonce-0',
      position: 'items@3-0',
      partitions: [{ partition: 0, owner: 'worker-1', tick: 1, rows: 2, parked: null }],
      indexes: [{ name: 'n.desc' }, { name: 'kind,n' }, { name: 'place.city' }],
      generations: [{ generation: 1, state: 'serving', rows: 2, errors: 2, parked: null }],
      rolledBackFrom: null,
      explain: expect.any(String),
    });
    expect(one.columns).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'kind', type: 'enum', values: ['book', 'film', 'song'] }),
        expect.objectContaining({ name: 'at', type: 'instant' }),
      ]),
    );
    expect((await get('/views/nobody')).json()).toMatchObject({ status: 404, code: 'unknown-view' });
    expect((await get('/views/shop?x=1')).json()).toMatchObject({ status: 400, code: 'unknown-parameter' });
    expect((await get('/views/shop/errors')).json()).toEqual([]);
  });

  it('tells what is wrong with a generation that does not serve, and that one was put back', async () => {
    await served.serve('halves', 4, { rolledBackFrom: 5 });
    const { registry } = served.ports;
    const { generations, revision } = await registry.read();
    const serving = generations.find(({ view, state }) => view === 'halves' && state === 'serving')!;
    await registry.change(revision, [{ ...serving, number: 6, state: 'building' }], []);
    await served.reading.views.watch.refresh();
    const building = new Writer(served.ports, served.reading.views.catalog.views.get('halves')!, 6);
    await building.put([], { errors: 3 });
    expect((await get('/views')).json()[3]).toMatchObject({ generation: 4, rolledBackFrom: 5 });
    expect((await get('/views/halves')).json().generations).toMatchObject([
      { state: 'kept', errors: 0 },
      { generation: 4, errors: 0 },
      { generation: 6, state: 'building', errors: 3 },
    ]);
    expect((await get('/views/halves/errors?generation=6')).json()).toEqual([]);
    expect((await get('/views/halves/errors?generation=7')).json()).toMatchObject({
      status: 404,
      code: 'unknown-generation',
      evidence: expect.stringContaining('6 building'),
    });
  });

  it('serves a view whose code no worker has, and calls it frozen', async () => {
    await served.serve('plain', 2, { fingerprint: 'of-another-time' });
    await served.writer('plain').put([row('x')]);
    expect((await get('/views/plain')).json()).toMatchObject({ state: 'frozen', generation: 2 });
    expect((await get('/views/plain/rows?kind=eq.book')).json()).toHaveLength(1);
  });

  it('waits for a position, and answers 503 with both positions where it is not reached', async () => {
    const late = await get('/views/shop/rows?atLeast=items@9-0,flights@77-0', { prefer: 'wait=0.05' });
    expect(late.headers['retry-after']).toBe('1');
    expect(late.json()).toMatchObject({
      status: 503,
      code: 'position-not-reached',
      wanted: 'items@9-0,flights@77-0',
      reached: 'items@3-0',
    });
    expect((await get('/views/shop/rows', { 'stillwater-at-least': 'items@9-0' })).statusCode).toBe(503);
    const waiting = get('/views/shop/rows/c?atLeast=items@9-0', { prefer: 'wait=5' });
    await served.writer('shop').put([row('c')], { frontier: { items: '9-0' } });
    const reply = await waiting;
    expect(reply.json()).toMatchObject({ id: 'c' });
    expect(reply.headers['stillwater-position']).toBe('items@9-0');
  });

  it('starts rebuilds and verifications, and shows and steers them', async () => {
    const started = await served.app.inject({ method: 'POST', url: '/views/shop/rebuilds' });
    expect(started.statusCode).toBe(202);
    expect(started.headers['location']).toBe('/rebuilds/r1');
    expect((await get('/rebuilds/r1')).json()).toMatchObject({ id: 'r1', view: 'shop', state: 'waiting' });
    expect((await served.app.inject({ method: 'POST', url: '/rebuilds/r1/pause' })).json()).toMatchObject({
      state: 'paused',
    });
    expect((await served.app.inject({ method: 'POST', url: '/rebuilds/r1/explode' })).statusCode).toBe(404);
    expect((await served.app.inject({ method: 'POST', url: '/rebuilds/r9/pause' })).json()).toMatchObject({
      status: 404,
      code: 'unknown-rebuild',
    });
    expect((await get('/views/shop/rebuilds')).json()).toHaveLength(1);
    expect((await served.app.inject({ method: 'POST', url: '/views/shop/rollback' })).json()).toEqual({
      serving: [{ view: 'shop', generation: 1 }],
    });
    const verify = await served.app.inject({ method: 'POST', url: '/views/shop/verifications' });
    expect([verify.statusCode, verify.headers['location']]).toEqual([202, '/verifications/v1']);
    expect((await get('/verifications/v9')).statusCode).toBe(404);
    const cancel = (id: string) => served.app.inject({ method: 'POST', url: `/verifications/${id}/cancel` });
    expect((await cancel('v1')).json()).toMatchObject({ id: 'v1', state: 'cancelled' });
    expect((await cancel('v9')).json()).toMatchObject({ code: 'unknown-verification' });
    expect((await served.app.inject({ method: 'POST', url: '/views/nobody/rebuilds' })).statusCode).toBe(404);
  });

  it('drops a view that nobody declares any more, and no other', async () => {
    const drop = (name: string) => served.app.inject({ method: 'DELETE', url: `/views/${name}` });
    const { registry, workers } = served.ports;
    const [of] = (await registry.read()).generations.filter(({ view }) => view === 'shop');
    const put = async (...generations: Partial<Generation>[]) =>
      registry.change(
        (await registry.read()).revision,
        generations.map((changes) => ({ ...of!, fingerprint: 'nobody-has-it', ...changes })),
        [],
      );
    await put(
      { view: 'old', number: 1, state: 'kept' },
      { view: 'old', number: 2 },
      { view: 'older', number: 1, upstreams: { old: 2 } },
    );
    expect((await drop('shop')).json()).toMatchObject({ status: 409, code: 'view-declared' });
    expect((await drop('nobody')).json()).toMatchObject({ status: 404, code: 'unknown-view' });
    expect((await drop('old')).json()).toMatchObject({
      status: 409,
      code: 'view-read',
      evidence: '  older  generation 1, serving',
    });
    expect((await drop('older')).json()).toEqual({ view: 'older', dropped: [1] });
    const reply = await drop('old');
    expect([reply.statusCode, reply.json()]).toEqual([202, { view: 'old', dropped: [1, 2] }]);
    expect((await registry.read()).generations.filter(({ view }) => view === 'old')).toMatchObject([
      { number: 1, state: 'dropping' },
      { number: 2, state: 'dropping' },
    ]);
    expect((await drop('old')).json()).toEqual({ view: 'old', dropped: [1, 2] });
    expect((await get('/views')).json<{ name: string }[]>().map(({ name }) => name)).not.toContain('old');

    // Declared by another process: while that one lives it is not dropped.
    await put({ view: 'theirs', number: 1, fingerprint: 'another-process-has-it' });
    const fingerprints = ['another-process-has-it'];
    await workers.renew({ id: 'worker-2', fingerprints, role: 'worker', startedAt: 1 }, 60_000);
    expect((await drop('theirs')).json()).toMatchObject({ status: 409, code: 'view-declared' });
    await workers.leave('worker-2');
    expect((await drop('theirs')).statusCode).toBe(202);
  });

  it('describes itself, with a row schema and parameters for each view', async () => {
    const document = (await get('/openapi.json')).json();
    const rows = document.paths['/views/shop/rows'].get;
    expect(rows.parameters.map(({ name }: { name?: string }) => name)).toEqual(
      expect.arrayContaining(['id', 'kind', 'n', 'place.city', 'order', 'limit', 'select', 'or']),
    );
    expect(rows.responses['200'].content['application/json'].schema.items).toEqual({
      $ref: '#/components/schemas/shop_row',
    });
    expect(document.components.schemas.shop_row.properties).toMatchObject({
      kind: { type: 'string', enum: ['book', 'film', 'song'] },
      n: { type: 'integer', nullable: true },
      at: { type: 'string', format: 'date-time' },
      place: { type: 'object', properties: { city: { type: 'string' } } },
    });
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/views/routes/rows/{origin}/{destination}',
        '/streams/flights/events',
        '/tables/items/rows/{id}',
        '/views/{view}/rebuilds',
        '/views/shop/changes',
      ]),
    );
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)];
    for (const [, kind, name] of refs) expect(document.components[kind!]).toHaveProperty([name!]);
  });

  it('shows its description at /docs from files of its own', async () => {
    const page = await get('/docs');
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('swagger-ui');
    expect(page.body).not.toMatch(/(src|href)="https?:/);
    expect((await get('/docs/swagger-ui-bundle.js')).statusCode).toBe(200);
    expect((await get('/docs/swagger-ui-init.js')).body).toContain('/views/shop/rows');
  });

  it('leads whoever opens its address to the description', async () => {
    const reply = await get('/');
    expect([reply.statusCode, reply.headers.location]).toEqual([302, '/docs']);
  });

  it('answers unknown routes with a problem', async () => {
    const reply = await get('/nowhere');
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.json()).toMatchObject({ status: 404, code: 'unknown-route' });
  });

  test.each([
    ['DELETE', '/views', 'GET, HEAD, OPTIONS'],
    ['POST', '/views/shop', 'GET, HEAD, DELETE, OPTIONS'],
    ['POST', '/views/shop/rows?limit=3', 'GET, HEAD, OPTIONS'],
    ['PUT', '/views/shop/rows/a%2Fb', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/views/shop/changes', 'GET, HEAD, OPTIONS'],
    ['GET', '/streams/flights/events', 'POST, OPTIONS'],
    ['HEAD', '/streams/flights/events', 'POST, OPTIONS'],
    ['POST', '/tables/items', 'GET, HEAD, OPTIONS'],
    ['GET', '/tables/items/rows/a', 'DELETE, PUT, OPTIONS'],
    ['GET', '/rebuilds/one/pause', 'POST, OPTIONS'],
    ['TRACE', '/health/live', 'GET, HEAD, OPTIONS'],
    ['PUT', '/metrics', 'GET, HEAD, OPTIONS'],
    ['POST', '/openapi.json', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/docs', 'GET, HEAD, OPTIONS'],
  ])('refuses %s %s, and says which methods there are', async (method, url, allow) => {
    const reply = await served.app.inject({ method: method as 'GET', url });
    expect({ status: reply.statusCode, allow: reply.headers.allow }).toEqual({ status: 405, allow });
    expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(reply.json()).toMatchObject({
      status: 405,
      code: 'method-not-allowed',
      evidence: `  methods  ${allow}`,
    });
  });

  it('tells the methods of a path to OPTIONS, and knows no others', async () => {
    const known = await served.app.inject({ method: 'OPTIONS', url: '/streams/flights/events' });
    expect([known.statusCode, known.headers.allow, known.body]).toEqual([204, 'POST, OPTIONS', '']);
    const unknown = await served.app.inject({ method: 'OPTIONS', url: '/nowhere' });
    expect([unknown.statusCode, unknown.headers.allow]).toEqual([404, undefined]);
  });

  it('answers HEAD as GET, without the body', async () => {
    const [get, head] = await Promise.all(
      (['GET', 'HEAD'] as const).map((method) => served.app.inject({ method, url: '/views/shop/rows' })),
    );
    expect([head!.statusCode, head!.body]).toEqual([200, '']);
    expect(head!.headers['stillwater-position']).toBe(get!.headers['stillwater-position']);
  });

  it('is live and ready, and gives its figures', async () => {
    expect((await get('/health/live')).json()).toMatchObject({ status: 'live' });
    expect((await get('/health/ready')).json()).toMatchObject({
      status: 'ready',
      views: { serving: 4, waiting: [] },
    });
    served.reading.options.metrics.commitMs.observe({ view: 'shop' }, 3);
    const metrics = await get('/metrics');
    expect(metrics.headers['content-type']).toContain('text/plain');
    expect(metrics.body).toMatch(/^stillwater_view_rows\{view="shop"\} 3$/m);
    expect(metrics.body).toMatch(/^stillwater_view_lag_entries\{view="routes"\} 2$/m);
    expect(metrics.body).toMatch(/^stillwater_commit_ms_bucket\{view="shop",le="5"\} 1$/m);
    expect(metrics.body).toMatch(/^stillwater_event_loop_delay_ms\{quantile="0.99"\}/m);
    expect(metrics.body).toContain('nodejs_eventloop_lag_seconds');
  });

  it('tells how far time is, and what came too late', async () => {
    const at = (time: string): number => Date.parse(`2001-01-01T${time}:00Z`);
    const late = (seen: number) => ({
      operator: '3.late',
      weight: 1,
      row: '{}',
      watermark: '2001-01-01T11:00:00.000Z',
      seen,
    });
    await served.writer('routes').put([], {
      clocks: { 'stream:flights': { flights: at('12:30') } },
      lates: [late(1), late(2), late(3)],
    });
    expect((await get('/views/routes')).json()).toMatchObject({
      late: 3,
      time: {
        'stream:flights': {
          clock: '2001-01-01T12:30:00.000Z',
          watermark: '2001-01-01T11:30:00.000Z',
          partitions: { flights: '2001-01-01T12:30:00.000Z' },
        },
      },
    });
    expect((await get('/views/shop')).json()).toMatchObject({ late: 0, time: {}, waitingForFirst: [] });
    // As of a view that joins these: one stream never had an entry.
    await served.writer('halves').put([], {
      clocks: {
        'stream:flights': { flights: at('12:30') },
        'stream:parted': { 'parted:0': null, 'parted:1': null },
      },
    });
    const halves = (await get('/views/halves')).json();
    expect(halves.waitingForFirst).toEqual([
      { source: 'stream:parted', since: halves.generations[0].createdAt },
    ]);
    const listed = (await get('/views/routes/late?limit=2')).json();
    expect(listed).toEqual([
      { partition: 0, ...late(3) },
      { partition: 0, ...late(2) },
    ]);
    expect((await get('/views/shop/late')).json()).toEqual([]);
    expect((await get('/views/routes/late?limit=0')).json()).toMatchObject({ status: 400 });
    expect((await get('/views/routes/late?generation=9')).json()).toMatchObject({ status: 404 });
    const { body } = await get('/metrics');
    expect(body).toMatch(
      /^stillwater_view_clock_seconds\{view="routes",source="stream:flights"\} 978352200$/m,
    );
    expect(body).toMatch(
      /^stillwater_view_watermark_seconds\{view="routes",source="stream:flights"\} 978348600$/m,
    );
    expect(body).toContain('# TYPE stillwater_late_rows_total counter');
  });

  it('counts what it answers, errors of the router, the parser and the guard included', async () => {
    const { requests, requestMs } = served.reading.options.metrics;
    const counted = (method: string, status: number): number =>
      requests.get({ method, status: String(status) });
    const before = [counted('GET', 200), counted('GET', 404), counted('POST', 400)] as const;
    await get('/views');
    await get('/nowhere');
    await served.app.inject({
      method: 'POST',
      url: '/streams/flights/events',
      headers: { 'content-type': 'application/json' },
      payload: '{',
    });
    expect([counted('GET', 200), counted('GET', 404), counted('POST', 400)]).toEqual(
      before.map((count) => count + 1),
    );
    const posts = [...requestMs.values()].find(({ labels }) => labels.method === 'POST');
    expect(posts!.count).toBeGreaterThan(0);
    expect((await get('/metrics')).body).toMatch(
      /^stillwater_http_requests_total\{method="GET",status="404"\} \d+$/m,
    );
  });

  it('hides what went wrong inside, and says so when Redis is gone', async () => {
    const { views, registry } = served.ports;
    const { all } = views;
    views.all = () => Promise.reject(new Error('secret detail'));
    const broken = await get('/views/plain/rows?price=gt.1');
    expect(broken.json()).toMatchObject({ status: 500, code: 'internal' });
    expect(broken.body).not.toContain('secret');
    views.all = () => Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
    expect((await get('/views/plain/rows?price=gt.1')).json()).toMatchObject({
      status: 503,
      code: 'redis-unreachable',
    });
    views.all = all;
    const { read } = registry;
    registry.read = () => Promise.reject(new Error('gone'));
    expect((await get('/health/ready')).statusCode).toBe(503);
    registry.read = read;
  });
});

describe('a service before its views serve', () => {
  it('is not ready, and answers 503 for rows', async () => {
    const served = await servedApp({ serving: false });
    expect((await served.app.inject({ url: '/health/ready' })).json()).toMatchObject({
      status: 'starting',
      views: { waiting: ['shop', 'plain', 'routes', 'halves'] },
    });
    expect((await served.app.inject({ url: '/views' })).json()[0]).toMatchObject({
      name: 'shop',
      state: 'building',
      generation: null,
    });
    const reply = await served.app.inject({ url: '/views/shop/rows' });
    expect([reply.statusCode, reply.headers['retry-after'], reply.json().code]).toEqual([
      503,
      '1',
      'not-serving',
    ]);
    await served.close();
  });
});
