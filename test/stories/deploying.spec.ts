import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventSource } from '../support/event-source.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithService, Service, ViewsDirectory } from '../support/service.js';
import { eventually } from '../support/system.js';

const STREAM = `
import { stream } from 'stillwater';
import { z } from 'zod';
export const orders = stream('orders', { schema: z.object({ customer: z.string(), amount: z.number() }) });
`;
const totals = (aggregates: string, options = ''): string => `
import { count, max, sum, view } from 'stillwater';
import { orders } from './orders.js';
export const totals = view('totals', { from: orders.groupBy('customer').aggregate({ ${aggregates} }), ${options} });
`;
const BUSY = `
import { count, view } from 'stillwater';
import { totals } from './totals.js';
export const busy = view('busy', { from: totals.groupBy('orders').aggregate({ customers: count() }) });
`;

describeWithService('deploying other definitions', () => {
  const data = mkdtempSync(join(tmpdir(), 'stillwater-story-'));
  let redis: RedisServer;
  let views: ViewsDirectory;
  let service: Service;
  const start = async (command = ['start']): Promise<Service> =>
    (service = await Service.start({
      command,
      data,
      environment: { REDIS_URL: redis.url, STILLWATER_VIEWS: views.path },
    }));
  const row = async (customer: string): Promise<any> =>
    (await service.get(`/views/totals/rows/${customer}`)).body;
  const restart = async (command?: string[]): Promise<void> => {
    expect(await service.stop()).toBe(0);
    await start(command);
  };

  beforeAll(async () => {
    redis = await RedisServer.start();
    views = new ViewsDirectory();
    views.write('orders.ts', STREAM);
    views.write('totals.ts', totals('orders: count()'));
    views.write('busy.ts', BUSY);
    await start();
    await service.append(
      'orders',
      Array.from({ length: 1_000 }, (_, index) => ({ customer: `c${index % 10}`, amount: index % 4 })),
    );
    await service.caughtUp();
  });
  afterAll(async () => {
    await service.remove();
    await redis.stop();
    views.remove();
  });

  it('rebuilds a changed view behind the one that serves, and promotes it with what reads it', async () => {
    views.write('totals.ts', totals(`orders: count(), amount: sum('amount')`));
    await restart();
    expect(service.output).toMatch(/^Changed: .*totals/m);
    // Somebody is served all the time: by the old rows until the new ones are complete.
    await eventually(async () => {
      const answer = await service.get('/views/totals/rows/c1');
      expect([answer.status, answer.body.orders]).toEqual([200, 100]);
      return answer.body.amount !== undefined;
    });
    expect(await row('c3')).toEqual({ customer: 'c3', orders: 100, amount: expect.any(Number) });
    const { body } = await service.get('/views/totals');
    expect(body).toMatchObject({ state: 'live', generation: 2, fingerprint: body.declaredFingerprint });
    expect(await service.rows('busy')).toEqual([{ orders: 100, customers: 10 }]);
    expect((await service.get('/views/busy')).body.generation).toBe(2);
  });

  it('starts nothing anew for a comment, and says that nothing is new', async () => {
    views.write(
      'totals.ts',
      `// How much a customer orders.\n${totals(`orders: count(),   amount: sum("amount")`)}`,
    );
    await restart();
    expect(service.output).not.toMatch(/Changed/);
    expect((await service.get('/views/totals')).body.generation).toBe(2);
  });

  it('rolls back, to the columns of before', async () => {
    expect((await service.post('/views/totals/rollback')).status).toBe(200);
    await eventually(async () => (await row('c1')).amount === undefined);
    expect(await row('c1')).toEqual({ customer: 'c1', orders: 100 });
    expect((await service.post('/views/totals/rollback')).status).toBe(200);
    await eventually(async () => (await row('c1')).amount !== undefined);
  });

  it('leaves the promotion to people where the view says so', async () => {
    views.write('totals.ts', totals(`orders: count(), most: max('amount')`, `promote: 'manual'`));
    await restart();
    let rebuild: any;
    await eventually(async () => {
      rebuild = (await service.get('/rebuilds')).body.find(({ state }: any) => state === 'caughtUp');
      return rebuild !== undefined;
    });
    expect((await row('c1')).most).toBeUndefined();
    const promoted = await service.command('promote', rebuild.id);
    expect([promoted.code, promoted.stderr]).toEqual([0, '']);
    await eventually(async () => (await row('c1')).most === 3);
  });

  it('keeps a view that is no longer declared, and says so', async () => {
    views.delete('busy.ts');
    await restart();
    expect(service.output).toMatch(/^warning: Kept, but declared no longer: busy\./m);
    expect(await service.rows('busy')).toEqual([{ orders: 100, customers: 10 }]);
    expect((await service.get('/views')).body.find(({ name }: any) => name === 'busy').state).toBe('frozen');
    views.write('busy.ts', BUSY);
    await restart();
    await service.caughtUp();
    expect((await service.get('/views/busy')).body).toMatchObject({ state: 'live' });
  });

  it('deploys in `dev` what is saved, and goes on with what there was when it is broken', async () => {
    views.write('totals.ts', totals(`orders: count()`));
    await restart(['dev']);
    await eventually(async () => (await row('c1')).most === undefined, 20_000);
    const { generation } = (await service.get('/views/totals')).body;
    const source = new EventSource(`${service.url}/views/totals/changes?snapshot=true`);
    await source.wait('ready');

    views.write('totals.ts', totals(`orders: count(), amount: sum('amount')`));
    await service.says(/^Saved: 0 new, 2 changed \(.*\), 0 unchanged\.$/m);
    await eventually(async () => (await row('c1')).amount !== undefined, 20_000);
    expect((await service.get('/views/totals')).body.generation).toBe(generation + 1);
    // Who follows the view is told to begin anew.
    await source.wait('resync');
    await source.close();

    views.write('totals.ts', totals(`orders: count(), amount: sum('amuont')`));
    await service.says(/amuont/);
    const position = await service.append('orders', { customer: 'c1', amount: 1 });
    await service.rows('totals', { atLeast: position });
    expect((await row('c1')).orders).toBe(101);
    expect((await service.get('/views/totals')).body).toMatchObject({
      state: 'live',
      generation: generation + 1,
    });

    views.write('totals.ts', 'export const totals = ;');
    await eventually(() => service.output.split(/totals\.ts/).length > 2);
    views.write('totals.ts', totals(`orders: count()`));
    await eventually(async () => (await row('c1')).amount === undefined, 20_000);
  }, 90_000);

  it('does not start with declarations that are wrong: all mistakes at once, no stack, exit code 1', async () => {
    const wrong = new ViewsDirectory(views.path);
    wrong.write('totals.ts', totals(`orders: sum('customer')`, `indexes: ['nothing.desc' as any]`));
    wrong.write('broken.ts', 'export const broken = ;');
    const failed = await Service.spawn({
      environment: { REDIS_URL: redis.url, STILLWATER_VIEWS: wrong.path },
    });
    try {
      expect(await failed.exit()).toBe(1);
      for (const mistake of ['nothing', 'customer', 'broken.ts']) expect(failed.output).toContain(mistake);
      expect(failed.output).not.toMatch(/^ +at /m);
    } finally {
      await failed.remove();
      wrong.remove();
    }
  });
});
