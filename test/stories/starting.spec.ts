import { createServer, type AddressInfo } from 'node:net';
import { RedisServer } from '../support/redis-server.js';
import { describeWithService, Service, ViewsDirectory } from '../support/service.js';

/** Counts events by the hour that a function finds for them in local time. */
const VIEWS = `
  import { computed, count, stream, view } from 'stillwater';
  import { z } from 'zod';
  const departures = stream('departures', { schema: z.object({ at: z.string() }) });
  export const perHour = view('per-hour', {
    from: departures
      .select({ hour: computed(z.int(), ({ at }) => new Date(at).getHours()) })
      .groupBy('hour')
      .aggregate({ departures: count() }),
  });
`;

/** As `npm start` and the supervisor run it. */
const MAPS = { NODE_OPTIONS: '--enable-source-maps' };

describeWithService('starting the service', () => {
  let redis: RedisServer;
  let views: ViewsDirectory;
  beforeEach(async () => {
    redis = await RedisServer.start();
    views = new ViewsDirectory();
    views.write('departures.ts', VIEWS);
  });
  afterEach(async () => {
    views.remove();
    await redis.stop();
  });
  const environment = (): Record<string, string> => ({ REDIS_URL: redis.url, STILLWATER_VIEWS: views.path });

  it('touches no Redis where its port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const PORT = String((taken.address() as AddressInfo).port);
    const service = await Service.spawn({ environment: { ...environment(), PORT } });
    try {
      expect(await service.exit()).toBe(1);
      expect(service.output).toContain(`cannot listen on port ${PORT}`);
      expect(await redis.client().dbsize()).toBe(0);
    } finally {
      await service.remove();
      taken.close();
    }
  });

  it('ends and names a view module that loops at its top level, before it touches any Redis', async () => {
    views.write('endless.ts', 'export {};\nwhile (true) {}\n');
    const STILLWATER_LIMITS = 'importMsMax=4000';
    const service = await Service.spawn({ environment: { ...environment(), ...MAPS, STILLWATER_LIMITS } });
    try {
      expect(await service.exit()).toBe(1);
      expect(service.output).toMatch(
        /endless\.ts could not be imported\.\n +it loops at its top level.*\n +at .*endless\.ts:2\n/,
      );
      expect(service.output).not.toContain('debugger');
      expect(await redis.client().dbsize()).toBe(0);
    } finally {
      await service.remove();
    }
  });

  it('says where a wrong declaration was written', async () => {
    views.write(
      'wrong.ts',
      `import { view } from 'stillwater';\nimport { perHour } from './departures.js';\n\nexport const wrong = view('wrong', { from: perHour, key: ['colour'] as never });\n`,
    );
    const service = await Service.spawn({ environment: { ...environment(), ...MAPS } });
    try {
      expect(await service.exit()).toBe(1);
      expect(service.output).toMatch(/written at {2}.*wrong\.ts:4\n/);
    } finally {
      await service.remove();
    }
  });

  it('gives functions the same local time on every machine', async () => {
    const service = await Service.start({ environment: { ...environment(), TZ: 'America/New_York' } });
    try {
      const atLeast = await service.append('departures', { at: '2001-01-01T09:30:00Z' });
      expect(await service.rows('per-hour', { atLeast })).toEqual([{ hour: 9, departures: 1 }]);
    } finally {
      await service.remove();
    }
  });
});
