import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flightsByDeparture, type Flight } from '../../src/demo/flights.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithService, isRunning, redisOf, runCommand, Service } from '../support/service.js';
import { eventually } from '../support/system.js';

const FLIGHTS = 5_000;
const haveCurl = spawnSync('curl', ['--version']).status === 0;

describeWithService('the example application, from its first start on', () => {
  const data = mkdtempSync(join(tmpdir(), 'stillwater-story-'));
  const start = (): Promise<Service> =>
    Service.start({ command: ['start', '--flights', String(FLIGHTS)], data });
  let service: Service;
  let flights: Flight[];
  let firstStartMs = 0;

  beforeAll(async () => {
    for await (const run of flightsByDeparture()) {
      flights = run.slice(0, FLIGHTS);
      break;
    }
    const begun = performance.now();
    service = await start();
    await service.says(/Try:/);
    await service.caughtUp();
    firstStartMs = performance.now() - begun;
  }, 90_000);
  afterAll(() => service.remove());

  /** Everything the views hold. */
  const everything = async (): Promise<unknown> => {
    await service.caughtUp();
    const views = ['busiest-routes', 'daily-departures', 'delays-by-airport', 'delays-by-state'];
    return Promise.all(
      views.map(async (view) => (await service.rows(view)).map((row) => JSON.stringify(row)).sort()),
    );
  };

  it('loads real flights and prints three lines that work', async () => {
    const lines = [...service.output.matchAll(/^ {2}(curl .*)$/gm)].map(([, line]) => line!);
    expect(lines).toHaveLength(3);
    const answers = [];
    for (const line of lines) {
      const url = /'(.*)'/.exec(line)![1]!;
      answers.push(
        haveCurl
          ? JSON.parse(
              execFileSync('sh', ['-c', line.replace('curl', 'curl -sS --fail')], { encoding: 'utf8' }),
            )
          : await (await fetch(url)).json(),
      );
    }
    const [busiest, routes, chicago] = answers;
    const ofChicago = flights.filter(({ origin }) => origin === 'ORD');
    expect(chicago).toMatchObject({
      airport: "Chicago O'Hare International",
      flights: ofChicago.length,
      worstDelay: Math.max(...ofChicago.map(({ delay }) => delay)),
    });
    expect(busiest).toHaveLength(5);
    expect(busiest.map((row: any) => row.flights)).toEqual(
      busiest.map((row: any) => row.flights).sort((left: number, right: number) => right - left),
    );
    expect(Array.isArray(routes)).toBe(true);
  });

  it('counts every flight exactly once', async () => {
    const total = (rows: any[], column: string): number => rows.reduce((sum, row) => sum + row[column], 0);
    expect(total(await service.rows('daily-departures'), 'departures')).toBe(FLIGHTS);
    expect(total(await service.rows('busiest-routes'), 'flights')).toBe(FLIGHTS);
  });

  it('says in a few plain lines what it did', () => {
    expect(service.output).toMatch(/^Redis {5}redis:\/\/127\.0\.0\.1:\d+ \(our own/m);
    expect(service.output).toMatch(/^Release 1: 4 views, new: /m);
    expect(service.output).not.toMatch(/Nest|InstanceLoader|RouterExplorer|\x1b/);
  });

  it('tells how it is doing', async () => {
    expect((await service.get('/health/live')).body.status).toBe('live');
    expect((await service.get('/health/ready')).body).toMatchObject({
      status: 'ready',
      views: { serving: 4, waiting: [] },
    });
    const { body: metrics, headers } = await service.get('/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    const figure = (name: string, labels = ''): number =>
      Number(new RegExp(`^${name}\\{?${labels}[^ ]* (\\S+)$`, 'm').exec(metrics)?.[1] ?? NaN);
    expect(figure('stillwater_events_total', 'view="busiest-routes"')).toBe(FLIGHTS);
    expect(figure('stillwater_view_lag_entries', 'view="busiest-routes"')).toBe(0);
    expect(figure('stillwater_redis_up')).toBe(1);
    expect(figure('stillwater_view_rows', 'view="busiest-routes"')).toBe(
      (await service.rows('busiest-routes')).length,
    );
    expect(metrics).toMatch(/^stillwater_event_loop_delay_ms\{quantile="0.99"\} [\d.]+$/m);
  });

  it('describes itself as OpenAPI, with the row of each view', async () => {
    const { body: document } = await service.get('/openapi.json');
    expect(document.openapi).toMatch(/^3\./);
    expect(unresolved(document)).toEqual([]);
    const path = document.paths['/views/delays-by-airport/rows'];
    const schema = resolved(document, path.get.responses['200'].content['application/json'].schema);
    const row = resolved(document, schema.items);
    expect(Object.keys(row.properties)).toEqual([
      ...['origin', 'airport', 'city', 'state', 'flights', 'late', 'averageDelay', 'worstDelay', 'busy'],
    ]);
    expect(row.properties.busy.type).toBe('boolean');
    expect((await service.get('/docs')).status).toBe(200);
  });

  it('explains a view, and says which promises hold on its Redis', async () => {
    const explained = await service.command('explain', 'delays-by-airport');
    expect(explained.stdout).toContain('join');
    expect(explained.code).toBe(0);
    const doctor = await runCommand(['doctor', '--json'], {
      REDIS_URL: `redis://127.0.0.1:${redisOf(data)!.port}`,
    });
    expect(doctor.code).toBe(0);
    expect(() => JSON.parse(doctor.stdout)).not.toThrow();
  });

  it('hands over on Ctrl-C, leaves nothing running, and continues from what it kept', async () => {
    const before = await everything();
    const redis = redisOf(data)!;
    expect(await service.stop('SIGINT')).toBe(0);
    expect(service.output).toMatch(/Stopped\.\n$/);
    expect(isRunning(redis.pid)).toBe(false);

    const begun = performance.now();
    service = await start();
    await service.says(/Try:/);
    // Nothing is loaded or maintained anew.
    expect(performance.now() - begun).toBeLessThan(Math.max(firstStartMs, 5_000));
    expect(service.output).not.toMatch(/^flights {2}|new: /m);
    expect(await everything()).toEqual(before);
    expect((await service.get('/metrics')).body).not.toMatch(/^stillwater_events_total\{/m);
  });

  it('finds its own Redis again after kill -9, with the same rows', async () => {
    const before = await everything();
    const redis = redisOf(data)!;
    await service.kill();
    expect(isRunning(redis.pid)).toBe(true);
    service = await start();
    expect(service.output).toContain('was still running');
    expect(redisOf(data)!.pid).toBe(redis.pid);
    expect(await everything()).toEqual(before);
  });

  it('shares its data directory with a second process, and keeps its Redis for who is left', async () => {
    const second = await Service.start({ command: ['start', '--no-demo'], data });
    expect((await second.rows('daily-departures')).length).toBeGreaterThan(0);
    expect(await second.stop()).toBe(0);
    expect(second.output).toContain('others are connected to it');
    expect((await service.get('/health/ready')).status).toBe(200);
  });

  it('does not start where its port is taken: the reason, exit code 1, and no Redis left behind', async () => {
    const busy = createServer();
    await new Promise<void>((listening) => busy.listen(0, '127.0.0.1', listening));
    const { port } = busy.address() as { port: number };
    const failed = await Service.spawn({
      command: ['start', '--no-demo'],
      environment: { PORT: String(port) },
    });
    try {
      expect(await failed.exit()).toBe(1);
      expect(failed.output).toContain(`The service cannot listen on port ${port} of 127.0.0.1.`);
      expect(failed.output).not.toMatch(/^ +at /m);
      // It was found out before a Redis was brought up.
      expect(redisOf(failed.data)).toBeNull();
    } finally {
      await failed.remove();
      await new Promise((closed) => busy.close(closed));
    }
  });

  it('does not start on a Redis that evicts keys', async () => {
    const redis = await RedisServer.start({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    const failed = await Service.spawn({
      command: ['start', '--no-demo'],
      environment: { REDIS_URL: redis.url },
    });
    try {
      expect(await failed.exit()).toBe(1);
      expect(failed.output).toContain('This Redis may evict the keys in which views are kept.');
      expect(failed.output).toContain('CONFIG SET maxmemory-policy noeviction');
      expect(failed.output).not.toMatch(/^ +at /m);
    } finally {
      await failed.remove();
      await redis.stop();
    }
  });

  it('stops in order when it is interrupted while it starts', async () => {
    const interrupted = await Service.spawn({ command: ['start', '--no-demo'] });
    try {
      await eventually(() => redisOf(interrupted.data) !== null, 30_000, 5);
      expect(await interrupted.stop('SIGINT')).toBe(0);
      expect(isRunning(redisOf(interrupted.data)!.pid)).toBe(false);
    } finally {
      await interrupted.remove();
    }
  });
});

/** References of a document that lead nowhere. */
function unresolved(document: any): string[] {
  const missing: string[] = [];
  const look = (value: any): void => {
    if (value === null || typeof value !== 'object') return;
    if (typeof value.$ref === 'string' && resolved(document, value) === undefined) missing.push(value.$ref);
    for (const each of Object.values(value)) look(each);
  };
  look(document);
  return missing;
}

function resolved(document: any, schema: any): any {
  if (typeof schema?.$ref !== 'string') return schema;
  const path = schema.$ref.replace(/^#\//, '').split('/');
  return path.reduce(
    (at: any, name: string) => at?.[decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')],
    document,
  );
}
