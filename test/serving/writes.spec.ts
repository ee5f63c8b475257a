import { StillwaterError } from '../../src/errors/stillwater-error.js';
import { partitionOfText } from '../../src/zset/partition-of-text.js';
import { servedApp, type ServedApp } from './served-app.js';

/** The partition of `parted` in which an event with this id lies. */
const placeOf = (id: string): number => partitionOfText(id, 2);

const event = (delay: number, changes: object = {}) => ({
  at: '2001-01-01T05:00:00.000Z',
  delay,
  origin: 'ORD',
  destination: 'SFO',
  ...changes,
});
const item = {
  kind: 'book',
  n: 1,
  price: 2,
  active: true,
  at: '2001-01-01T05:00:00Z',
  place: { city: 'Oslo', state: null },
};

describe('POST /streams/{stream}/events', () => {
  let served: ServedApp;
  const post = (payload: unknown, headers: Record<string, string> = {}, url = '/streams/flights/events') =>
    served.app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...headers },
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    });
  const entries = async (key = 'flights') => served.ports.log.range(key, '0-0', '99999999999999-0', 100);

  beforeEach(async () => {
    served = await servedApp({ limits: { bodyBytesMax: 3_000_000 } });
  });
  afterEach(() => served.close());

  it('appends one event or an array, in order, and gives the position', async () => {
    const one = await post(event(1));
    expect(one.statusCode).toBe(202);
    const many = await post([event(2), event(3)]);
    const { position, ids } = many.json<{ position: string; ids: string[] }>();
    expect(position).toBe(`flights@${ids[1]}`);
    expect(many.headers['stillwater-position']).toBe(position);
    expect((await entries()).map(([, fields]) => JSON.parse(fields[1]!).delay)).toEqual([1, 2, 3]);
  });

  it('appends lines of JSON', async () => {
    const reply = await post(`${JSON.stringify(event(1))}\n\n${JSON.stringify(event(2))}\n`, {
      'content-type': 'application/x-ndjson',
    });
    expect(reply.statusCode).toBe(202);
    expect(await entries()).toHaveLength(2);
    expect((await post('{}\n{', { 'content-type': 'application/x-ndjson' })).json()).toMatchObject({
      status: 400,
      code: 'malformed-body',
      evidence: expect.stringContaining('line 2'),
    });
  });

  it('refuses the whole request for one invalid event, with its index and path', async () => {
    const reply = await post([event(1), event(1.5), { ...event(1), origin: undefined }]);
    expect(reply.json()).toMatchObject({
      status: 400,
      code: 'invalid-events',
      consequence: 'Nothing was appended.',
      evidence: expect.stringMatching(/\[1\]\.delay[^]*\[2\]\.origin/),
    });
    expect(reply.json().invalid).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ index: 1, path: 'delay' }),
        expect.objectContaining({ index: 2, path: 'origin' }),
      ]),
    );
    expect(await entries()).toEqual([]);
  });

  it.each([
    [
      'a lone surrogate',
      '{"at":"2001-01-01T05:00:00.000Z","delay":1,"origin":"\\ud800","destination":"B"}',
      400,
    ],
    [
      'an integer beyond 2^53',
      JSON.stringify(event(1)).replace('"delay":1', '"delay":9007199254740993'),
      400,
    ],
    ['no JSON', '{"at":', 400],
    ['an empty body', '', 400],
    ['a text', '"flights"', 400],
    ['an event of 2 MB', JSON.stringify(event(1, { origin: 'x'.repeat(2_000_000) })), 400],
    ['a body above the limit', JSON.stringify(event(1, { origin: 'x'.repeat(3_100_000) })), 413],
  ])('refuses %s as a problem', async (_what, payload, status) => {
    const reply = await post(payload);
    expect(reply.statusCode).toBe(status);
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.json()).toMatchObject({
      status,
      code: expect.any(String),
      what: expect.any(String),
      remedy: expect.any(String),
    });
    expect(await entries()).toEqual([]);
  });

  it('takes an empty array for what it is', async () => {
    expect((await post([])).json()).toEqual({ position: '', ids: [] });
  });

  it('refuses other media types and streams nobody reads', async () => {
    expect((await post('x', { 'content-type': 'text/csv' })).json()).toMatchObject({
      status: 415,
      code: 'unsupported-media-type',
    });
    expect((await post(event(1), {}, '/streams/nobody/events')).json()).toMatchObject({
      status: 404,
      code: 'unknown-stream',
      evidence: expect.stringContaining('flights'),
    });
    expect((await post(event(1), {}, '/streams/items/events')).json()).toMatchObject({
      status: 404,
      remedy: expect.stringContaining('PUT /tables/items'),
    });
  });

  it('appends once however often the request comes with one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    const first = await post([event(1), event(2)], headers);
    const again = await post([event(1), event(2)], headers);
    expect(again.json()).toEqual(first.json());
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await entries()).toHaveLength(2);
    for (const other of [event(1), [event(1), event(3)], [event(2), event(1)]])
      expect((await post(other, headers)).json()).toMatchObject({
        status: 422,
        code: 'idempotency-key-reused',
      });
    expect(await entries()).toHaveLength(2);
    expect((await post(event(1), { 'idempotency-key': 'x'.repeat(300) })).json()).toMatchObject({
      status: 400,
      code: 'malformed-idempotency-key',
    });
  });

  it('spreads events over partitions and names all of them in the position', async () => {
    const events = Array.from({ length: 10 }, (_, n) => ({ id: `id${n}`, n }));
    const { position, ids } = (await post(events, {}, '/streams/parted/events')).json<{
      position: string;
      ids: string[];
    }>();
    expect(ids).toHaveLength(10);
    expect(position).toMatch(/^parted:0@\S+,parted:1@\S+$/);
    expect((await entries('parted:0')).length + (await entries('parted:1')).length).toBe(10);
  });

  describe('to a stream of several partitions', () => {
    const url = '/streams/parted/events';
    const events = Array.from({ length: 10 }, (_, n) => ({ id: `id${n}`, n }));
    /** Lets appends to one partition, or to any, fail after they were made or before. */
    const failing = (redisKey: string | null, code: string, { made = false } = {}): { heal(): void } => {
      const { log } = served.ports;
      const append = log.append.bind(log);
      log.append = async (request) => {
        if (redisKey !== null && request.redisKey !== redisKey) return append(request);
        if (made) await append(request);
        throw new StillwaterError(code, { what: 'It failed.', evidence: '  because  of a test' });
      };
      return { heal: () => void (log.append = append) };
    };
    const stored = async (): Promise<[number, number]> => [
      (await entries('parted:0')).length,
      (await entries('parted:1')).length,
    ];

    it('says exactly what was appended where if one partition takes it and another does not', async () => {
      failing('parted:1', 'redis-refused');
      const problem = (await post(events, {}, url)).json();
      const [there] = await stored();
      expect(problem).toMatchObject({
        status: 503,
        code: 'partly-appended',
        what: expect.stringContaining(`Of 10 records for the stream "parted" ${there} were appended`),
        evidence: expect.stringMatching(/parted:1 .*refused: because {2}of a test/),
        consequence: expect.not.stringMatching(/^nothing/i),
      });
      const [taken, refused] = ['parted:0', 'parted:1'].map((redisKey) =>
        problem.partitions.find((each: any) => each.redisKey === redisKey),
      );
      expect([taken.status, refused.status]).toEqual(['appended', 'refused']);
      expect(refused).not.toHaveProperty('ids');
      expect([...taken.indexes, ...refused.indexes].sort((a, b) => a - b)).toEqual(events.map(({ n }) => n));
      expect((await entries('parted:0')).map(([id, fields]) => [id, JSON.parse(fields[1]!).n])).toEqual(
        taken.indexes.map((index: number, place: number) => [taken.ids[place], index]),
      );
    });

    it('says so where it is not known whether a partition took it', async () => {
      const { heal } = failing('parted:1', 'append-outcome-unknown', { made: true });
      const headers = { 'idempotency-key': 'k-1' };
      const broken = (await post(events, headers, url)).json();
      expect(broken.partitions.map(({ status }: any) => status)).toContain('unknown');
      expect(broken).toMatchObject({ status: 503, remedy: expect.stringContaining('Repeat the request') });
      heal();
      expect((await post(events, headers, url)).statusCode).toBe(202);
      expect((await entries('parted:0')).length + (await entries('parted:1')).length).toBe(10);
    });

    it.each(['parted:0', 'parted:1'])(
      'is completed by a repeat with the same Idempotency-Key when %s had refused',
      async (redisKey) => {
        const { heal } = failing(redisKey, 'redis-refused');
        const headers = { 'idempotency-key': 'k-1' };
        expect((await post(events, headers, url)).statusCode).toBe(503);
        heal();
        const second = await post(events, headers, url);
        expect(second.statusCode).toBe(202);
        expect(second.headers).not.toHaveProperty('idempotency-replayed');
        const third = await post(events, headers, url);
        expect(third.json()).toEqual(second.json());
        expect(third.headers['idempotency-replayed']).toBe('true');
        expect((await stored()).reduce((sum, each) => sum + each)).toBe(10);
      },
    );

    it('sends no more with one call than Redis answers at once, in order, and completes it when repeated', async () => {
      const { log } = served.ports;
      const append = log.append.bind(log);
      const sizes: number[] = [];
      let left = 2;
      log.append = async (request) => {
        sizes.push(request.entries.length);
        if (left-- === 0) throw new StillwaterError('redis-refused', { what: 'It failed.' });
        return append(request);
      };
      const many = Array.from({ length: 3_400 }, (_, n) => event(n));
      const headers = { 'idempotency-key': 'k-1' };
      const broken = (await post(many, headers)).json();
      expect(broken.partitions.map(({ status, indexes }: any) => [status, indexes.length])).toEqual([
        ['appended', 1_000],
        ['appended', 1_000],
        ['refused', 1_000],
        ['notTried', 400],
      ]);
      const { ids } = (await post(many, headers)).json();
      expect((await post(many, headers)).json()).toMatchObject({ ids, position: `flights@${ids.at(-1)}` });
      expect(sizes.every((size) => size <= 1_000)).toBe(true);
      const there = await served.ports.log.range('flights', '0-0', '99999999999999-0', 10_000);
      expect(there.map(([, fields]) => JSON.parse(fields[1]!).delay)).toEqual(many.map(({ delay }) => delay));
      expect((await post(many.slice(1), headers)).statusCode).toBe(422);
      sizes.length = 0;
      await post(Array.from({ length: 5 }, (_, n) => event(n, { origin: 'x'.repeat(400_000) })));
      expect(sizes).toEqual([2, 2, 1]);
    });

    it('passes a refusal on where nothing was appended anywhere', async () => {
      failing(null, 'redis-refused');
      for (const some of [events, events.filter(({ id }) => placeOf(id) === 0)])
        expect((await post(some, {}, url)).json()).toMatchObject({ status: 503, code: 'redis-refused' });
      expect((await post(events, { 'idempotency-key': 'k-1' }, url)).json()).toMatchObject({
        code: 'redis-refused',
      });
      expect(await stored()).toEqual([0, 0]);
    });

    it('refuses a key that comes back with events that fall into other partitions', async () => {
      for (const [first, other] of [
        [0, 1],
        [1, 0],
      ])
        for (const key of ['a', 'b', 'c', 'd']) {
          const headers = { 'idempotency-key': `${first}${key}` };
          const those = (partition: number) => events.filter(({ id }) => placeOf(id) === partition);
          expect((await post(those(first!), headers, url)).statusCode).toBe(202);
          const before = await stored();
          expect((await post(those(other!), headers, url)).json()).toMatchObject({
            status: 422,
            code: 'idempotency-key-reused',
          });
          expect((await post(events, headers, url)).statusCode).toBe(422);
          expect(await stored()).toEqual(before);
          expect((await post(those(first!), headers, url)).headers['idempotency-replayed']).toBe('true');
        }
    });
  });

  it('puts and deletes rows of tables under their keys', async () => {
    const put = (id: string, payload: object) =>
      served.app.inject({ method: 'PUT', url: `/tables/items/rows/${encodeURIComponent(id)}`, payload });
    expect((await put('a/b', { id: 'a/b', ...item })).statusCode).toBe(202);
    expect((await put('c', item)).statusCode).toBe(202);
    expect((await put('c', { id: 'd', ...item })).json()).toMatchObject({ status: 400, code: 'invalid-row' });
    expect((await put('c', { ...item, kind: 'shoe' })).json()).toMatchObject({
      status: 400,
      code: 'invalid-row',
    });
    const gone = await served.app.inject({ method: 'DELETE', url: '/tables/items/rows/a%2Fb' });
    expect(gone.statusCode).toBe(202);
    expect((await entries('items')).map(([, fields]) => fields[0])).toEqual(['data', 'data', 'op']);
    expect(
      (await served.app.inject({ method: 'DELETE', url: '/tables/nobody/rows/a' })).json(),
    ).toMatchObject({ status: 404, code: 'unknown-table' });
  });

  it('lists streams and tables with their ends and readers', async () => {
    await post([event(1), event(2)]);
    const [stream] = (await served.app.inject({ url: '/streams' })).json();
    expect(stream).toMatchObject({
      name: 'flights',
      length: 2,
      eventTime: 'at',
      partitions: [{ redisKey: 'flights', length: 2, first: expect.any(String), last: expect.any(String) }],
    });
    await served.writer('routes').put([], { frontier: { flights: '5-0' } });
    expect((await served.app.inject({ url: '/streams/flights' })).json().readers).toEqual([
      { view: 'routes', positions: { flights: '5-0' } },
    ]);
    expect((await served.app.inject({ url: '/tables' })).json()[0]).toMatchObject({
      name: 'items',
      key: ['id'],
    });
  });
});

describe('a service without a token', () => {
  let served: ServedApp;
  beforeEach(async () => {
    served = await servedApp();
  });
  afterEach(() => served.close());
  const post = (headers: Record<string, string>, payload = JSON.stringify(event(1))) =>
    served.app.inject({ method: 'POST', url: '/streams/flights/events', headers, payload });
  const json = { 'content-type': 'application/json' };

  it('refuses what a page of another origin sends, and takes it from its own', async () => {
    const foreign = await post({ ...json, host: '127.0.0.1:3000', origin: 'http://evil.example' });
    expect([foreign.statusCode, foreign.json().code]).toEqual([403, 'other-origin']);
    expect(
      (await post({ ...json, host: '127.0.0.1:3000', origin: 'http://127.0.0.1:3000' })).statusCode,
    ).toBe(202);
    expect((await post(json)).statusCode).toBe(202);
  });

  it('reads no forms, and says what to send', async () => {
    for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
      const reply = await post({ 'content-type': type }, 'origin=ORD');
      expect(reply.statusCode).toBe(415);
    }
    const form = await post({ 'content-type': 'application/x-www-form-urlencoded' }, 'origin=ORD');
    expect(form.json()).toMatchObject({
      code: 'unsupported-media-type',
      remedy: expect.stringContaining('--json'),
    });
    expect(await served.ports.log.range('flights', '0-0', '99999999999999-0', 100)).toEqual([]);
  });
});

describe('a service with a token', () => {
  it('wants it for writes and administration, not for reading', async () => {
    const served = await servedApp({ token: 's3cret' });
    const post = (headers: Record<string, string> = {}) =>
      served.app.inject({ method: 'POST', url: '/views/shop/rebuilds', headers });
    expect((await post()).json()).toMatchObject({ status: 401, code: 'unauthorized' });
    expect((await post({ authorization: 'Bearer wrong' })).statusCode).toBe(401);
    expect((await post({ authorization: 'Bearer s3cret' })).statusCode).toBe(202);
    expect((await served.app.inject({ url: '/views' })).statusCode).toBe(200);
    await served.close();
  });
});
