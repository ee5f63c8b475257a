import { ViewReader } from '../../src/runtime/view-reader.js';
import { routes, row, servedApp, shop, type ServedApp } from './served-app.js';

describe('ViewReader', () => {
  let served: ServedApp;
  let reader: ViewReader<typeof shop>;

  beforeEach(async () => {
    served = await servedApp({ limits: { rowsLimitMax: 2 } });
    reader = served.reading.view(shop);
    await served
      .writer('shop')
      .put([row('a', { n: 5 }), row('b', { n: 3, kind: 'film' }), row('c', { n: null })], {
        frontier: { items: '1-0' },
      });
  });
  afterEach(() => served.close());

  it('finds one row by its key, in any form a key is written in', async () => {
    const found = await reader.row('a');
    expect(found?.n).toBe(5);
    expect(await reader.row({ id: 'a' })).toEqual(found);
    expect(await reader.row(['a'])).toEqual(found);
    expect(await reader.row('nobody')).toBeNull();
    expect(await reader.row(null as never)).toBeNull();
    await served.writer('routes').put([{ origin: 'A', destination: 'B', flights: 1, worst: 2 }]);
    expect(await served.reading.view(routes).row({ origin: 'A', destination: 'B' })).toMatchObject({
      flights: 1,
    });
    await expect(served.reading.view(routes).row('A')).rejects.toMatchObject({ code: 'malformed-key' });
  });

  it('finds rows by conditions, in order, page by page', async () => {
    const page = await reader.rows({ where: { n: { gte: 3 } }, order: 'n.desc', limit: 1 });
    expect(page).toMatchObject({ rows: [{ id: 'a' }], position: 'items@1-0' });
    expect(
      (
        await reader.rows({ where: { n: { gte: 3 } }, order: 'n.desc', limit: 1, after: page.next! })
      ).rows.map(({ id }) => id),
    ).toEqual(['b']);
    expect((await reader.rows({ where: { kind: 'film', 'place.city': { like: 'O*' } } })).rows).toHaveLength(
      1,
    );
    expect((await reader.rows({ where: { n: null } })).rows.map(({ id }) => id)).toEqual(['c']);
    const all = [];
    for await (const { id } of reader.all({ order: ['id'] })) all.push(id);
    expect(all).toEqual(['a', 'b', 'c']);
  });

  it('waits for a position before it reads', async () => {
    await expect(reader.row('d', { atLeast: 'items@2-0' })).rejects.toMatchObject({
      code: 'position-not-reached',
    });
    const waiting = reader.row('d', { atLeast: 'items@2-0', waitMs: 5_000 });
    await served.writer('shop').put([row('d')], { frontier: { items: '2-0' } });
    expect(await waiting).toMatchObject({ id: 'd' });
  });

  it('follows commits from now on', async () => {
    const stop = new AbortController();
    const changes = reader.changes({ where: { kind: 'film' }, signal: stop.signal });
    const next = changes.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await served.writer('shop').put([row('a', { n: 6 })]);
    await served.writer('shop').put([row('b', { kind: 'book' }), row('d', { kind: 'film' })]);
    expect((await next).value).toMatchObject({
      id: '1.3~nonce-2',
      changes: [
        { op: 'delete', key: ['b'], row: null },
        { op: 'upsert', key: ['d'], row: { kind: 'film' } },
      ],
    });
    stop.abort();
    expect((await changes.next()).done).toBe(true);
  });
});
