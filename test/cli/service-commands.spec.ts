import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Asked, type Reply, Service, stillwater } from './command-line.js';

const rebuild = (state: string, more: object = {}) => ({
  id: 'rebuild-totals-1',
  view: 'totals',
  generations: [],
  state,
  reason: null,
  entriesDone: 0,
  entriesTotal: 0,
  errors: 0,
  entriesPerSecond: null,
  remainingMs: null,
  startedAt: 0,
  finishedAt: null,
  ...more,
});

const verification = (state: string, more: object = {}) => ({
  id: 'verify-totals-1',
  view: 'totals',
  state,
  reason: null,
  entriesDone: 2,
  entriesTotal: 2,
  frontier: null,
  live: null,
  replayed: null,
  differences: [],
  startedAt: 0,
  finishedAt: null,
  ...more,
});

describe('commands that speak to a service', () => {
  let service: Service;
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stillwater-cli-'));
  });
  afterEach(async () => {
    await service?.stop();
    rmSync(directory, { recursive: true });
  });

  const serve = async (answer: (asked: Asked, count: number) => Reply): Promise<void> => {
    service = await Service.start(answer);
  };
  const run = (args: readonly string[], more: { env?: Record<string, string>; input?: string } = {}) =>
    stillwater(args, { ...more, env: { STILLWATER_URL: service.url, ...more.env } });

  it('lists views for people, and as JSON and nothing else for programs', async () => {
    const noRows = { rows: 0, lag: { entries: 0, ms: 0 }, errors: 0, key: [] };
    const views = [
      {
        name: 'totals',
        state: 'live',
        generation: 3,
        rows: 1_200,
        lag: { entries: 1, ms: 0 },
        errors: 0,
        key: ['customer'],
      },
      { ...{ name: 'sizes', state: 'live', generation: 1, rolledBackFrom: 2 }, ...noRows },
    ];
    await serve(() => ({ body: views }));
    const [people, programs] = await Promise.all([run(['views']), run(['views', '--json'])]);
    expect(people).toMatchObject({ code: 0, stderr: '' });
    expect(people.stdout).toMatch(
      /view +state +generation +rows +lag +errors +key\ntotals +live +3 +1,200 +1 entry, 0 s +0 +customer\nsizes +live, rolled back from 2 +1 /,
    );
    expect(JSON.parse(programs.stdout)).toEqual(views);
  });

  it('prints a problem in its four parts and ends with 1', async () => {
    const problem = {
      status: 404,
      code: 'unknown-view',
      title: 'Not found',
      what: 'There is no view "total".',
      evidence: '  views  totals',
      consequence: 'Nothing was done.',
      remedy: 'GET /views lists them.',
    };
    await serve(() => ({ status: 404, body: problem }));
    const [people, programs] = await Promise.all([
      run(['explain', 'total']),
      run(['explain', 'total', '--json']),
    ]);
    expect(people).toEqual({
      code: 1,
      stdout: '',
      stderr: 'There is no view "total".\n  views  totals\nNothing was done.\nGET /views lists them.\n',
    });
    expect(programs).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(programs.stdout)).toEqual({ error: problem });
  });

  it('prints the circuit of a view whose name needs escaping, with the token', async () => {
    await serve(() => ({ body: { name: 'a:b', explain: 'aggregate  O(|Δ|)' } }));
    const ended = await run(['explain', 'a:b'], { env: { STILLWATER_TOKEN: 'a token that is secret' } });
    expect(ended).toMatchObject({ code: 0, stdout: 'aggregate  O(|Δ|)\n' });
    expect(service.asked[0]).toMatchObject({
      method: 'GET',
      path: '/views/a%3Ab',
      headers: { authorization: 'Bearer a token that is secret' },
    });
  });

  it('says where it looked when no service answers', async () => {
    await serve(() => ({}));
    await service.stop();
    const ended = await run(['views']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('No Stillwater service answers.');
    expect(ended.stderr).toContain(service.url);
  });

  it('ends with 2 for what it does not understand', async () => {
    await serve(() => ({}));
    expect((await run(['frobnicate'])).code).toBe(2);
    expect((await run(['explain'])).code).toBe(2);
  });

  describe('append', () => {
    const accepted = (position = 'orders@9-0', replayed = false): Reply => ({
      status: 202,
      headers: replayed ? { 'idempotency-replayed': 'true' } : {},
      body: { position, ids: [] },
    });
    const fileOf = (lines: readonly string[]): string => {
      const file = join(directory, 'orders.ndjson');
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
      return file;
    };

    it('sends a file in batches, each with a key that a second run repeats', async () => {
      const seen = new Set<string>();
      await serve(({ headers }) => {
        const key = headers['idempotency-key'] as string;
        const replayed = seen.has(key);
        seen.add(key);
        return accepted('orders@9-0', replayed);
      });
      const file = fileOf(Array.from({ length: 2_500 }, (_, index) => JSON.stringify({ index })));
      const first = await run(['append', 'orders', file, '--json']);
      expect(JSON.parse(first.stdout)).toEqual({
        stream: 'orders',
        appended: 2_500,
        repeated: 0,
        position: 'orders@9-0',
      });
      expect(service.asked.map(({ body }) => body.trim().split('\n').length)).toEqual([1_000, 1_000, 500]);
      expect(service.asked[0]).toMatchObject({
        method: 'POST',
        path: '/streams/orders/events',
        headers: { 'content-type': 'application/x-ndjson' },
      });
      const second = await run(['append', 'orders', file, '--json']);
      expect(JSON.parse(second.stdout)).toMatchObject({ appended: 0, repeated: 2_500 });
      const third = await run(['append', 'orders', file, '--again', '--json']);
      expect(JSON.parse(third.stdout)).toMatchObject({ appended: 2_500, repeated: 0 });
    });

    it('repeats a batch whose answer was lost, under the same key', async () => {
      await serve((_, count) =>
        count === 1 ? { cut: true } : count === 2 ? { status: 503, body: { code: 'refused' } } : accepted(),
      );
      const ended = await run(['append', 'orders', '-'], { input: '{"a":1}\n\n{"a":2}' });
      expect(ended).toMatchObject({ code: 0, stdout: 'Appended 2 events to "orders".\n' });
      expect(new Set(service.asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    });

    it('stops at the first invalid event and names its line', async () => {
      await serve(({ body }) =>
        body.includes('"bad"')
          ? {
              status: 422,
              body: {
                code: 'invalid-events',
                what: '1 of 500 events …',
                invalid: [{ index: 1, path: 'amount', message: 'expected a number' }],
              },
            }
          : accepted(),
      );
      const lines = Array.from({ length: 1_500 }, (_, index) =>
        index === 1_002 ? '{"amount":"bad"}' : index === 1_001 ? '' : '{"amount":1}',
      );
      const ended = await run(['append', 'orders', fileOf(lines)]);
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toContain('Line 1003 of');
      expect(ended.stderr).toContain('line 1003  amount  expected a number');
      expect(ended.stderr).toContain('The lines before 1001 were appended');
    });

    it('names the line that is not JSON, and a file that is not there', async () => {
      await serve(() => ({
        status: 400,
        body: { code: 'malformed-body', what: 'A line of the body is not JSON.' },
      }));
      const ended = await run(['append', 'orders', fileOf(['{"a":1}', '{"a":'])]);
      expect(ended).toMatchObject({ code: 1 });
      expect(ended.stderr).toContain('Line 2 of');
      for (const file of [join(directory, 'none.ndjson'), directory])
        expect((await run(['append', 'orders', file])).stderr).toContain('cannot be read');
    });

    it('asks whether there is such a stream where a file has no line', async () => {
      await serve(() => ({
        status: 404,
        body: { code: 'unknown-stream', what: 'There is no stream "nobody".' },
      }));
      const ended = await run(['append', 'nobody', fileOf([])]);
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toContain('There is no stream "nobody".');
    });
  });

  describe('rebuild', () => {
    it('starts one and leaves it to itself, or waits until it serves', async () => {
      const states = [
        rebuild('replaying', {
          entriesDone: 450,
          entriesTotal: 1_000,
          entriesPerSecond: 100,
          remainingMs: 5_500,
        }),
        rebuild('promoted', { entriesDone: 1_000, entriesTotal: 1_000 }),
      ];
      let looks = 0;
      await serve(({ method }) =>
        method === 'POST'
          ? { status: 202, headers: { location: '/rebuilds/rebuild-totals-1' }, body: rebuild('waiting') }
          : { body: states[looks++] },
      );
      const left = await run(['rebuild', 'totals', '--accept-trimmed']);
      expect(left).toMatchObject({ code: 0 });
      expect(left.stdout).toContain('stillwater rebuilds rebuild-totals-1');
      expect(service.asked).toMatchObject([
        { method: 'POST', path: '/views/totals/rebuilds?acceptTrimmed=true' },
      ]);
      const waited = await run(['rebuild', 'totals', '--wait']);
      expect(waited).toMatchObject({
        code: 0,
        stdout: 'rebuild-totals-1  promoted  100 %  1,000 of 1,000 entries\n',
      });
      expect(service.asked.slice(1).map(({ path }) => path)).toEqual([
        '/views/totals/rebuilds',
        '/rebuilds/rebuild-totals-1',
        '/rebuilds/rebuild-totals-1',
      ]);
    });

    it('ends with 1 when it failed, and says why', async () => {
      await serve(({ method }) =>
        method === 'POST'
          ? { status: 202, body: rebuild('waiting') }
          : { body: rebuild('failed', { reason: 'totals: too many errors', errors: 1, entriesTotal: 1 }) },
      );
      const ended = await run(['rebuild', 'totals', '--wait']);
      expect(ended.code).toBe(1);
      expect(ended.stdout).toContain('0 of 1 entry  1 error  totals: too many errors');
    });

    it('ends with 1 when it is held, and says what to type', async () => {
      await serve(({ method }) =>
        method === 'POST'
          ? { status: 202, body: rebuild('waiting') }
          : { body: rebuild('held', { reason: 'it has errors', errors: 12 }) },
      );
      const ended = await run(['rebuild', 'totals', '--wait']);
      expect(ended.code).toBe(1);
      expect(ended.stdout).toContain('held  12 errors  it has errors');
      expect(ended.stdout).toContain('stillwater promote rebuild-totals-1');
    });

    it('is paused, resumed, cancelled, promoted, listed and rolled back', async () => {
      await serve(({ method, path }) => {
        if (path.endsWith('/rollback')) return { body: { serving: [{ view: 'totals', generation: 1 }] } };
        return method === 'GET'
          ? { body: path === '/rebuilds' ? [rebuild('paused')] : rebuild('paused') }
          : { body: rebuild('paused') };
      });
      for (const step of ['pause', 'resume', 'cancel', 'promote'])
        expect((await run([step, 'rebuild-totals-1'])).code).toBe(0);
      expect(service.asked.map(({ path }) => path)).toEqual(
        ['pause', 'resume', 'cancel', 'promote'].map((step) => `/rebuilds/rebuild-totals-1/${step}`),
      );
      expect((await run(['cancel', 'verify-totals-1'])).code).toBe(0);
      expect(service.asked.at(-1)).toMatchObject({ path: '/verifications/verify-totals-1/cancel' });
      expect((await run(['rebuilds'])).stdout).toContain('rebuild-totals-1');
      expect((await run(['rebuilds', 'rebuild-totals-1', '--json'])).stdout).toContain('"state":"paused"');
      expect((await run(['rollback', 'totals'])).stdout).toBe('totals is served from generation 1 again.\n');
    });
  });

  it('drops a view that is declared no longer', async () => {
    await serve(() => ({ status: 202, body: { view: 'old totals', dropped: [1, 3] } }));
    expect((await run(['drop', 'old totals'])).stdout).toBe(
      'old totals is dropped: 2 generations, deleted by a worker.\n',
    );
    expect(service.asked).toMatchObject([{ method: 'DELETE', path: '/views/old%20totals' }]);
  });

  it('verifies: 0 where a replay is equal, 1 and the rows where it differs', async () => {
    const side = (generation: number, checksum: string) => ({ generation, rows: 2, checksum });
    const equal = verification('equal', {
      frontier: 'orders@2-0',
      live: side(1, 'aa'),
      replayed: side(2, 'aa'),
    });
    const different = {
      ...equal,
      state: 'different',
      replayed: side(2, 'bb'),
      differences: [{ key: '"ada"', live: { amount: 3 }, replayed: null }],
    };
    let answer: object = equal;
    await serve(({ method }) =>
      method === 'POST'
        ? {
            status: 202,
            headers: { location: '/verifications/verify-totals-1' },
            body: verification('replaying'),
          }
        : { body: answer },
    );
    const same = await run(['verify', 'totals']);
    expect(same.code).toBe(0);
    expect(same.stdout).toContain('A replay of "totals" equals the live view.');
    answer = different;
    const other = await run(['verify', 'totals']);
    expect(other.code).toBe(1);
    expect(other.stdout).toContain('"ada"\n    live      {"amount":3}\n    replayed  (no row)');
    expect(other.stdout).not.toContain('by something else');
    answer = { ...different, replayed: side(2, 'aa') };
    expect((await run(['verify', 'totals'])).stdout).toContain('the commits counted is the same');
  });
});
