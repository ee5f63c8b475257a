import { row, servedApp, type ServedApp } from './served-app.js';

describe('GET /views/{view}/rows', () => {
  let served: ServedApp;
  const get = (url: string, headers: Record<string, string> = {}) => served.app.inject({ url, headers });
  const ids = async (query: string, view = 'shop'): Promise<string[]> => {
    const reply = await get(`/views/${view}/rows?${query}`);
    if (reply.statusCode !== 200) throw new Error(reply.body);
    return reply.json<{ id: string }[]>().map(({ id }) => id);
  };

  beforeAll(async () => {
    served = await servedApp({ limits: { unindexedRowsMax: 20 } });
    const rows = [
      row('a', { n: 5, kind: 'book', price: 2, place: { city: 'Oslo', state: null } }),
      row('b', { n: 3, kind: 'film', price: 4.5, active: false, place: { city: 'Rome', state: 'RM' } }),
      row('c', { n: null, kind: 'film', at: '2002-01-01T00:00:00.000Z' }),
      row('d', { n: 3, kind: 'book', place: { city: 'Ålesund', state: 'MR' } }),
      row('e/ü?', { n: -1, kind: 'song', price: -0.25 }),
    ];
    for (const view of ['shop', 'plain'])
      await served.writer(view).put(rows, { frontier: { items: '7-0' }, entries: 5 });
  });
  afterAll(() => served.close());

  it('gives rows as a bare array, with the position, version and range', async () => {
    const reply = await get('/views/shop/rows?limit=2');
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toHaveLength(2);
    expect(reply.headers).toMatchObject({
      'stillwater-position': 'items@7-0',
      etag: '"1.1~nonce-0"',
      'content-range': '0-1/*',
      'content-type': expect.stringContaining('application/json'),
    });
  });

  it.each(['shop', 'plain'])(
    'filters view "%s" by every operator, with or without an index',
    async (view) => {
      const sorted = async (query: string) => (await ids(query, view)).sort().join();
      expect(await sorted('n=eq.3')).toBe('b,d');
      expect(await sorted('n=neq.3')).toBe('a,e/ü?');
      expect(await sorted('n=gt.3')).toBe('a');
      expect(await sorted('n=gte.3')).toBe('a,b,d');
      expect(await sorted('n=lt.3')).toBe('e/ü?');
      expect(await sorted('n=lte.3')).toBe('b,d,e/ü?');
      expect(await sorted('n=gte.-1&n=lt.5')).toBe('b,d,e/ü?');
      expect(await sorted('n=in.(3,5)')).toBe('a,b,d');
      expect(await sorted('n=not.in.(3,5)')).toBe('e/ü?');
      expect(await sorted('n=is.null')).toBe('c');
      expect(await sorted('n=not.is.null')).toBe('a,b,d,e/ü?');
      expect(await sorted('n=is.not_null')).toBe('a,b,d,e/ü?');
      expect(await sorted('active=is.false')).toBe('b');
      expect(await sorted('active=eq.true&kind=eq.film')).toBe('c');
      expect(await sorted('kind=eq.film&n=eq.3')).toBe('b');
      expect(await sorted('kind=in.(film,song)&n=lte.3')).toBe('b,e/ü?');
      expect(await sorted('kind=eq.film&n=lt.100')).toBe('b');
      expect(await sorted('place.city=eq.Rome')).toBe('b');
      expect(await sorted('place.city=like.*s*')).toBe('a,c,d,e/ü?');
      expect(await sorted('place.city=ilike.o*')).toBe('a,c,e/ü?');
      expect(await sorted('place.state=isdistinct.RM')).toBe('a,c,d,e/ü?');
      expect(await sorted('at=gt.2001-06-01')).toBe('c');
      expect(await sorted('at=eq.2002-01-01T01:00:00%2B01:00')).toBe('c');
      expect(await sorted('or=(n.eq.5,and(kind.eq.song,price.lt.0),place.city.eq.Rome)')).toBe('a,b,e/ü?');
      expect(await sorted('or=(place.city.eq."Rome",id.in.("e/ü?",d))')).toBe('b,d,e/ü?');
      expect(await sorted('not.or=(n.eq.3,kind.eq.song)')).toBe('a');
      expect(await sorted('id=in.(a,d,zz)&n=eq.3')).toBe('d');
      expect(await sorted('id=is.null')).toBe('');
    },
  );

  it.each(['shop', 'plain'])(
    'orders view "%s", nulls last ascending and first descending unless told otherwise',
    async (view) => {
      expect(await ids('order=n.desc,id', view)).toEqual(['c', 'a', 'b', 'd', 'e/ü?']);
      expect(await ids('order=n.asc,id.desc', view)).toEqual(['e/ü?', 'd', 'b', 'a', 'c']);
      expect(await ids('order=n.desc.nullslast,id', view)).toEqual(['a', 'b', 'd', 'e/ü?', 'c']);
      expect(await ids('order=n.nullsfirst,id', view)).toEqual(['c', 'e/ü?', 'b', 'd', 'a']);
      expect((await ids('order=n', view)).filter((id) => id !== 'b' && id !== 'd')).toEqual([
        'e/ü?',
        'a',
        'c',
      ]);
      expect(await ids('order=place.city,id&select=id', view)).toEqual(['a', 'c', 'e/ü?', 'b', 'd']);
      expect(await ids('kind=eq.book&order=n', view)).toEqual(['d', 'a']);
      expect(await ids('kind=eq.book&order=n.desc', view)).toEqual(['a', 'd']);
    },
  );

  it.each([
    ['shop', 'order=n.desc'],
    ['shop', 'order=n.asc'],
    ['shop', ''],
    ['plain', 'order=price.desc'],
    ['plain', ''],
    ['shop', 'n=gte.-5&order=n'],
  ])('pages through view "%s" by "%s" without repeating or leaving out a row', async (view, query) => {
    const seen: string[] = [];
    let url: string | null = `/views/${view}/rows?limit=2&${query}`;
    for (let pages = 0; url !== null && pages < 10; pages++) {
      const reply = await get(url);
      expect(reply.statusCode).toBe(200);
      seen.push(...reply.json<{ id: string }[]>().map(({ id }) => id));
      url = /^<(.*)>; rel="next"$/.exec(String(reply.headers['link'] ?? ''))?.[1] ?? null;
    }
    expect(seen.sort()).toEqual(
      query.startsWith('n=') ? ['a', 'b', 'd', 'e/ü?'] : ['a', 'b', 'c', 'd', 'e/ü?'],
    );
  });

  it('selects columns, under other names and out of nested ones', async () => {
    const reply = await get('/views/shop/rows?id=eq.b&select=id,town:place.city,place.state');
    expect(reply.json()).toEqual([{ id: 'b', town: 'Rome', 'place.state': 'RM' }]);
  });

  it('counts exactly where that is preferred', async () => {
    expect((await get('/views/shop/rows?limit=1', { prefer: 'count=exact' })).headers['content-range']).toBe(
      '0-0/5',
    );
    expect(
      (await get('/views/shop/rows?limit=1&offset=1&kind=eq.book', { prefer: 'count=exact' })).headers[
        'content-range'
      ],
    ).toBe('1-1/2');
    expect(
      (await get('/views/shop/rows?id=eq.nobody', { prefer: 'count=exact' })).headers['content-range'],
    ).toBe('*/0');
  });

  it.each(['shop', 'plain'])(
    'does not say which rows those of view "%s" after a cursor are, only of how many',
    async (view) => {
      const first = await get(`/views/${view}/rows?limit=2`);
      expect(first.headers['content-range']).toBe('0-1/*');
      const next = /^<(.*)>; rel="next"$/.exec(String(first.headers['link']))![1]!;
      const page = await get(next);
      expect(page.json()).toHaveLength(2);
      expect(page.headers).not.toHaveProperty('content-range');
      expect((await get(next, { prefer: 'count=exact' })).headers['content-range']).toBe('*/5');
      expect((await get(`/views/${view}/rows?id=eq.nobody`)).headers).not.toHaveProperty('content-range');
    },
  );

  it('answers 304 to who has this version, and a new version after a commit', async () => {
    const { headers } = await get('/views/routes/rows');
    expect((await get('/views/routes/rows', { 'if-none-match': String(headers['etag']) })).statusCode).toBe(
      304,
    );
    await served
      .writer('routes')
      .put([{ origin: 'A', destination: 'B', flights: 1, worst: 2 }], { frontier: { flights: '3-0' } });
    expect((await get('/views/routes/rows', { 'if-none-match': String(headers['etag']) })).statusCode).toBe(
      200,
    );
  });

  it.each([
    ['flights=eq.1', 'unknown-parameter', /columns +id, kind, n, price, active, at, place, place\.city/],
    ['n=equals.1', 'malformed-filter', /eq, neq/],
    ['n=eq.abc', 'malformed-value', /whole number/],
    ['kind=eq.shoe', 'malformed-value', /book, film, song/],
    ['active=eq.1', 'malformed-value', /true or false/],
    ['at=eq.yesterday', 'malformed-value', /date-time/],
    ['or=(n.eq.1', 'malformed-filter', /expected/],
    ['or=(nobody.eq.1)', 'unknown-column', /nobody/],
    ['order=nobody', 'unknown-column', /nobody/],
    ['order=place', 'malformed-order', /place\.city/],
    ['limit=1001', 'malformed-parameter', /1,000/],
    ['limit=x', 'malformed-parameter', /whole number/],
    ['cursor=%00', 'malformed-cursor', /rel="next"/],
    ['cursor=bm9uc2Vuc2U', 'malformed-cursor', /rel="next"/],
    ['select=nobody', 'unknown-column', /nobody/],
    ['select=id,id', 'malformed-select', /twice/],
    ['atLeast=nonsense', 'malformed-token', /token/],
    ['limit=1&limit=2', 'malformed-parameter', /twice/],
  ])('refuses ?%s as %s, saying what is known', async (query, code, detail) => {
    const reply = await get(`/views/shop/rows?${query}`);
    expect(reply.statusCode).toBe(400);
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.json()).toMatchObject({
      status: 400,
      code,
      detail: expect.stringMatching(detail),
      type: expect.any(String),
      title: expect.any(String),
      remedy: expect.any(String),
    });
  });

  it('refuses a cursor of another order', async () => {
    const { headers } = await get('/views/shop/rows?order=n.desc&limit=1');
    const next = /cursor=([^&>]+)/.exec(String(headers['link']))![1];
    expect((await get(`/views/shop/rows?order=price&limit=1&cursor=${next}`)).json()).toMatchObject({
      status: 400,
      code: 'outdated-cursor',
    });
  });

  it('finds one row by its key, also with slashes and unicode in it', async () => {
    const reply = await get(`/views/shop/rows/${encodeURIComponent('e/ü?')}`);
    expect(reply.json()).toMatchObject({ id: 'e/ü?', n: -1 });
    expect(reply.headers['stillwater-position']).toBe('items@7-0');
    expect((await get('/views/routes/rows/A/B')).json()).toEqual({
      origin: 'A',
      destination: 'B',
      flights: 1,
      worst: 2,
    });
    expect((await get('/views/shop/rows/nobody')).json()).toMatchObject({ status: 404, code: 'unknown-row' });
    expect((await get('/views/shop/rows/a/b')).json()).toMatchObject({ status: 400, code: 'malformed-key' });
    expect((await get('/views/shop/rows/%E0%A4%A')).json()).toMatchObject({ status: 400 });
  });

  it('answers 404 for a view nobody knows, with those that are known', async () => {
    expect((await get('/views/nobody/rows')).json()).toMatchObject({
      status: 404,
      code: 'unknown-view',
      evidence: expect.stringContaining('shop'),
    });
  });
});

describe('a view larger than may be looked through', () => {
  let served: ServedApp;
  const get = (url: string) => served.app.inject({ url });
  const kinds = ['book', 'film', 'song'];

  beforeAll(async () => {
    served = await servedApp({ limits: { unindexedRowsMax: 20, indexPageMax: 7 } });
    const rows = Array.from({ length: 60 }, (_, index) =>
      row(`r${String(index).padStart(2, '0')}`, { n: index % 30, kind: kinds[index % 3], price: index }),
    );
    for (const view of ['shop', 'plain']) await served.writer(view).put(rows);
  });
  afterAll(() => served.close());

  it('is ordered and filtered by its indexes', async () => {
    expect(
      (await get('/views/shop/rows?order=n.desc&limit=3')).json().map(({ n }: { n: number }) => n),
    ).toEqual([29, 29, 28]);
    expect(
      (await get('/views/shop/rows?kind=eq.film&n=gte.10&order=n&limit=2'))
        .json()
        .map(({ n }: { n: number }) => n),
    ).toEqual([10, 10]);
    expect(
      (await get('/views/shop/rows?n=eq.4&order=price.desc')).json().map(({ id }: { id: string }) => id),
    ).toEqual(['r34', 'r04']);
    expect(
      (await get('/views/shop/rows?order=n&price=gte.30&limit=2')).json().map(({ id }: { id: string }) => id),
    ).toEqual(['r30', 'r31']);
  });

  it('is not ordered or filtered otherwise: the problem names the index to declare', async () => {
    const reply = await get('/views/shop/rows?order=price.desc');
    expect(reply.json()).toMatchObject({
      status: 400,
      code: 'unindexed-query',
      what: 'Cannot order view "shop" by "price".',
      evidence: expect.stringMatching(
        /rows +60 +\(unindexed orders are allowed up to 20\)\n +indexes +n\.desc · kind,n · place\.city/,
      ),
      remedy: expect.stringContaining(`Add 'price.desc' to its \`indexes\``),
    });
    expect((await get('/views/shop/rows?price=gt.5')).json()).toMatchObject({
      code: 'unindexed-query',
      remedy: expect.stringContaining(`'price'`),
    });
    expect((await get('/views/shop/rows?kind=eq.film&order=price')).statusCode).toBe(200);
    expect((await get('/views/shop/rows?n=lt.25&order=price')).json()).toMatchObject({
      code: 'unindexed-query',
    });
  });

  it('is listed whole without an order, page by page, with and without an index', async () => {
    for (const view of ['shop', 'plain']) {
      const seen = new Set<string>();
      let url: string | null = `/views/${view}/rows?limit=7`;
      let pages = 0;
      for (; url !== null && pages < 20; pages++) {
        const reply = await get(url);
        for (const { id } of reply.json<{ id: string }[]>()) {
          expect(seen.has(id)).toBe(false);
          seen.add(id);
        }
        url = /^<(.*)>; rel="next"$/.exec(String(reply.headers['link'] ?? ''))?.[1] ?? null;
      }
      expect(seen.size).toBe(60);
      expect(pages).toBe(9);
    }
  });
});

describe('a view of two partitions', () => {
  it('is read as one: merged, counted, and with the positions of both', async () => {
    const served = await servedApp({ limits: { unindexedRowsMax: 3 } });
    await served.writer('halves', 0).put(
      [1, 4, 6].map((total) => ({ id: `x${total}`, total })),
      { frontier: { 'parted:0': '5-0' } },
    );
    await served.writer('halves', 1).put(
      [2, 3, 5].map((total) => ({ id: `y${total}`, total })),
      { frontier: { 'parted:1': '9-0' } },
    );
    const reply = await served.app.inject({
      url: '/views/halves/rows?order=total.desc&limit=4',
      headers: { prefer: 'count=exact' },
    });
    expect(reply.json().map(({ total }: { total: number }) => total)).toEqual([6, 5, 4, 3]);
    expect(reply.headers).toMatchObject({
      'stillwater-position': 'parted:0@5-0,parted:1@9-0',
      etag: '"1.1~nonce-0.1~nonce-0"',
      'content-range': '0-3/6',
    });
    const next = /^<(.*)>/.exec(String(reply.headers['link']))![1]!;
    expect(
      (await served.app.inject({ url: next })).json().map(({ total }: { total: number }) => total),
    ).toEqual([2, 1]);
    expect((await served.app.inject({ url: '/views/halves/rows/y3' })).json()).toEqual({
      id: 'y3',
      total: 3,
    });
    await served.close();
  });
});
