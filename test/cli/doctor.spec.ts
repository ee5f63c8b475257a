import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { z } from 'zod';
import type { Finding } from '../../src/cli/promises.js';
import { count, declarationOf, stream, view } from '../../src/index.js';
import { bullPrefix, REBUILDS_QUEUE } from '../../src/jobs/rebuild-queue.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';
import { stillwater } from './command-line.js';

const ROOM = 'There is room for what is to come';
const EVICTED = 'Nothing that is kept is evicted';
const RESTART = 'What is committed survives a restart of Redis';
const CRASH = 'What is committed survives a crash of its machine';

describeWithRedis('doctor', () => {
  const servers: RedisServer[] = [];

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  const redis = async (...args: string[]): Promise<RedisServer> => {
    const server = await RedisServer.start({ args });
    servers.push(server);
    return server;
  };

  async function examine(
    url: string,
  ): Promise<{ code: number | null; of: (promise: string) => Finding; findings: Finding[] }> {
    const { code, stdout } = await stillwater(['doctor', '--json'], { env: { REDIS_URL: url } });
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    return { code, findings, of: (promise) => findings.find((finding) => finding.promise === promise)! };
  }

  it('finds nothing required missing on a server with an append-only file, and says what a crash costs', async () => {
    const server = await redis('--appendonly', 'yes', '--appendfsync', 'everysec');
    const { code, of, findings } = await examine(server.url);
    expect(code).toBe(0);
    expect(findings.filter(({ required }) => required).map(({ verdict }) => verdict)).toEqual(
      Array.from({ length: 5 }, () => 'holds'),
    );
    expect(of(RESTART).verdict).toBe('holds');
    expect(of(CRASH)).toMatchObject({
      verdict: 'does not hold',
      because: expect.stringContaining('about the last second is lost'),
    });
    const text = await stillwater(['doctor'], { env: { REDIS_URL: server.url } });
    expect(text.stdout).toContain('Stillwater can run here.');
    expect(await server.client().dbsize()).toBe(0);
  });

  it('says what is lost without an append-only file', async () => {
    const { code, of } = await examine((await redis('--save', '3600 1')).url);
    expect(code).toBe(0);
    expect(of(RESTART)).toMatchObject({
      verdict: 'does not hold',
      because: expect.stringContaining('snapshots are saved'),
      remedy: expect.stringContaining('appendonly yes'),
    });
    const bare = await examine((await redis()).url);
    expect(bare.of(RESTART).because).toContain('everything is lost');
  });

  it('refuses a server that evicts any key, not one that evicts only what expires', async () => {
    const any = await examine((await redis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')).url);
    expect(any.code).toBe(1);
    expect(any.of(EVICTED)).toMatchObject({
      verdict: 'does not hold',
      remedy: expect.stringContaining('noeviction'),
    });
    const volatile = await examine(
      (await redis('--maxmemory', '100mb', '--maxmemory-policy', 'volatile-lru')).url,
    );
    expect(volatile.code).toBe(0);
    expect(volatile.of(EVICTED).verdict).toBe('holds');
    expect(volatile.of(ROOM)).toMatchObject({ verdict: 'holds', remedy: null });
  });

  it('warns when more than half of the memory is used', async () => {
    const server = await redis('--maxmemory', '6mb');
    await server.client().setrange('big', 2_500_000, 'x');
    expect((await examine(server.url)).of(ROOM)).toMatchObject({
      verdict: 'holds',
      remedy: expect.stringContaining('More than half'),
    });
  });

  it('says unknown where a user may not look, and which commands it may not run', async () => {
    const server = await redis();
    await server
      .client()
      .call('ACL', 'SETUSER', 'blind', 'on', '>secret', '~*', '&*', '+@all', '-info', '-config', '-xgroup');
    const { code, of, findings } = await examine(server.url.replace('//', '//blind:secret@'));
    for (const promise of ['The commands that are needed exist', EVICTED, RESTART, CRASH, ROOM])
      expect(of(promise).verdict).toBe('unknown');
    expect(of('The user may do what is needed')).toMatchObject({
      verdict: 'does not hold',
      because: expect.stringContaining('XGROUP CREATE'),
    });
    expect(code).toBe(1);
    expect(JSON.stringify(findings)).not.toContain('secret');
  });

  it('prints an ACL rule with which views are maintained and jobs are worked on', async () => {
    const server = await redis();
    const visits = stream('flights', { schema: z.object({ origin: z.string() }) });
    const counted = view('counted', { from: visits.groupBy('origin').aggregate({ flights: count() }) });
    const { stdout } = await stillwater(['doctor', '--acl']);
    expect(stdout).toContain('~flights');
    await server
      .client()
      .call(...(stdout.trim().replace('PASSWORD', 'secret').split(' ') as [string, ...string[]]));
    const url = server.url.replace('//', '//stillwater:secret@');
    expect((await examine(url)).code).toBe(0);

    const system = await System.start({ url, declarations: [declarationOf(counted)] });
    const queue = new Queue(REBUILDS_QUEUE, { connection: { url }, prefix: bullPrefix('sw') });
    const worker = new Worker(REBUILDS_QUEUE, async () => 'done', {
      connection: { url, maxRetriesPerRequest: null },
      prefix: bullPrefix('sw'),
    });
    try {
      await system.log.append({
        redisKey: 'flights',
        entries: [['data', '{"origin":"ORD"}']],
        idempotencyKey: 'a',
        memoryMs: 1_000,
      });
      await system.caughtUp('counted');
      expect([...(await system.rows('counted')).values()]).toEqual([{ origin: 'ORD', flights: 1 }]);
      const job = await queue.add(
        'verify',
        {},
        { attempts: 2, deduplication: { id: 'a' }, removeOnComplete: { count: 10 } },
      );
      await eventually(() => job.isCompleted());
    } finally {
      await worker.close();
      await queue.close();
      await system.stop();
    }
    await expect(
      server.client({ username: 'stillwater', password: 'secret' }).set('foreign', '1'),
    ).rejects.toThrow(/NOPERM|No permissions/i);
  });

  it('says that there is no Redis to look at, and that the one named does not answer', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stillwater-data-'));
    const none = await stillwater(['doctor'], { env: { STILLWATER_DATA: directory } });
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toContain('There is no Redis to look at.');
    const silent = await stillwater(['doctor'], { env: { REDIS_URL: 'redis://u:secret@127.0.0.1:1' } });
    expect(silent.code).toBe(1);
    expect(silent.stderr).toContain('ECONNREFUSED');
    expect(silent.stderr).not.toContain('secret');
    rmSync(directory, { recursive: true });
  });
});
