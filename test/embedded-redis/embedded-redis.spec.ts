import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { bringUpRedis } from '../../src/embedded-redis/bring-up-redis.js';
import { EmbeddedRedis } from '../../src/embedded-redis/embedded-redis.js';
import { readOwnership, writeOwnership } from '../../src/embedded-redis/ownership-record.js';
import { isRunning, waitForEnd } from '../../src/embedded-redis/running-process.js';
import { findServerBinary } from '../../src/embedded-redis/server-binary.js';

const binary = findServerBinary(process.env)?.path ?? null;
const environment = { REDIS_SERVER_BIN: binary ?? '' };
const withServer = binary === null ? describe.skip : describe;

let dataDirectory: string;
let pids: number[];

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'stillwater-embedded-'));
  pids = [];
});
afterEach(async () => {
  for (const pid of pids) {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    await waitForEnd(pid, 2_000);
  }
  rmSync(dataDirectory, { recursive: true, force: true });
});

async function bringUp(): Promise<EmbeddedRedis> {
  const server = await EmbeddedRedis.bringUp({ dataDirectory, environment });
  pids.push(server.pid);
  return server;
}

async function on<T>(url: string, talk: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await talk(redis);
  } finally {
    redis.disconnect();
  }
}

withServer('a Redis of our own', () => {
  it('keeps an append-only file and evicts nothing', async () => {
    const server = await bringUp();
    const setting = (name: string) =>
      on(server.url, async (redis) => ((await redis.config('GET', name)) as string[])[1]);
    expect(server.origin).toBe('started');
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('everysec');
    expect(await setting('maxmemory-policy')).toBe('noeviction');
    expect(await setting('bind')).toBe('127.0.0.1');
  });

  it('has what it had when it is stopped and started again', async () => {
    const first = await bringUp();
    await on(first.url, (redis) => redis.set('kept', 'yes'));
    expect(await first.stop()).toBe('stopped');
    expect(isRunning(first.pid)).toBe(false);
    const second = await bringUp();
    expect(second.origin).toBe('started');
    expect(await on(second.url, (redis) => redis.get('kept'))).toBe('yes');
  });

  it('is found again, still running, when its parent was killed', async () => {
    const script = `
      const { createJiti } = await import('jiti');
      const { EmbeddedRedis } = await createJiti(process.cwd() + '/').import('./src/embedded-redis/embedded-redis.ts');
      const server = await EmbeddedRedis.bringUp({ dataDirectory: process.argv[1], environment: process.env });
      console.log(server.pid);
      process.kill(process.pid, 'SIGKILL');`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script, dataDirectory], {
      env: { ...process.env, ...environment },
    });
    let out = '';
    parent.stdout.on('data', (chunk: Buffer) => (out += String(chunk)));
    const signal = await new Promise((done) => parent.once('close', (_code, how) => done(how)));
    expect(signal).toBe('SIGKILL');
    pids.push(Number(out));
    const server = await bringUp();
    expect(server).toMatchObject({ origin: 'reattached', pid: Number(out) });
  });

  it('is found again when its parent died before it had recorded who answers', async () => {
    const first = await bringUp();
    writeOwnership(dataDirectory, { ...readOwnership(dataDirectory)!, pid: null, runId: null });
    expect(await bringUp()).toMatchObject({ origin: 'reattached', pid: first.pid });
    expect(readOwnership(dataDirectory)).toMatchObject({ pid: first.pid });
  });

  it('is not confused with another server that listens at the recorded port', async () => {
    const first = await bringUp();
    await on(first.url, (redis) => redis.set('kept', 'yes'));
    await first.stop();
    const others = mkdtempSync(join(tmpdir(), 'stillwater-others-'));
    const stranger = spawn(binary!, ['--port', String(first.port), '--dir', others, '--save', ''], {
      stdio: 'ignore',
    });
    pids.push(stranger.pid!);
    try {
      await on(`redis://127.0.0.1:${first.port}`, (redis) => redis.ping());
      const second = await bringUp();
      expect(second.origin).toBe('started');
      expect(second.port).not.toBe(first.port);
      expect(await on(second.url, (redis) => redis.get('kept'))).toBe('yes');
    } finally {
      stranger.kill('SIGKILL');
      rmSync(others, { recursive: true, force: true });
    }
  });

  it('is started once when several processes start together', async () => {
    const servers = await Promise.all([bringUp(), bringUp(), bringUp()]);
    expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
    expect(servers.map(({ origin }) => origin).sort()).toEqual(['reattached', 'reattached', 'started']);
  });

  it('goes on for others who are connected, and stops with the last of them', async () => {
    const server = await bringUp();
    const other = new Redis(server.url);
    await other.ping();
    expect(await server.stop()).toBe('left-running');
    other.disconnect();
    expect(await server.stop()).toBe('stopped');
  });

  it('is not started a second time while the first one is paused', async () => {
    const server = await bringUp();
    process.kill(server.pid, 'SIGSTOP');
    try {
      const again = EmbeddedRedis.bringUp({ dataDirectory, environment, limits: { answerMs: 200 } });
      await expect(again).rejects.toThrow(new RegExp(`kill -CONT ${server.pid}`));
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
  });

  it('says what the server said when it cannot be started', async () => {
    const first = await bringUp();
    await on(first.url, (redis) => redis.set('kept', 'yes'));
    await first.stop();
    const manifest = join(dataDirectory, 'redis/appendonlydir/appendonly.aof.manifest');
    writeFileSync(manifest, `broken ${readFileSync(manifest, 'utf8')}`);
    await expect(bringUp()).rejects.toMatchObject({ code: 'embedded-redis-failed' });
    await expect(bringUp()).rejects.toThrow(/AOF manifest/i);
  });
});

describe('the server that is started', () => {
  function executable(name: string, words: string): string {
    const path = join(dataDirectory, name);
    writeFileSync(path, `#!/bin/sh\necho '${words}'\n`, { mode: 0o755 });
    return path;
  }

  it('is the one REDIS_SERVER_BIN names, then redis-server, then valkey-server', () => {
    const named = executable('my-redis', 'Redis server v=7.2.0 sha=0');
    const valkey = executable('valkey-server', 'Valkey server v=8.1.1 sha=0');
    expect(findServerBinary({ PATH: dataDirectory })).toEqual({ path: valkey, version: '8.1.1' });
    const redis = executable('redis-server', 'Redis server v=7.0.15 sha=0');
    expect(findServerBinary({ PATH: dataDirectory })).toEqual({ path: redis, version: '7.0.15' });
    expect(findServerBinary({ PATH: dataDirectory, REDIS_SERVER_BIN: named })).toEqual({
      path: named,
      version: '7.2.0',
    });
    expect(findServerBinary({ PATH: '' })).toBeNull();
  });

  it('is refused below version 7, unless a newer one stands beside it', () => {
    executable('redis-server', 'Redis server v=6.0.16 sha=0');
    expect(() => findServerBinary({ PATH: dataDirectory })).toThrow(/too old[^]*6\.0\.16[^]*7\.0 or newer/);
    const valkey = executable('valkey-server', 'Valkey server v=8.1.1 sha=0');
    expect(findServerBinary({ PATH: dataDirectory })).toEqual({ path: valkey, version: '8.1.1' });
  });

  it('is refused when it was named and is something else', () => {
    const named = executable('cat', 'meow');
    expect(() => findServerBinary({ REDIS_SERVER_BIN: named })).toThrow(
      /is not a Redis or Valkey server[^]*meow/,
    );
    expect(() => findServerBinary({ REDIS_SERVER_BIN: join(dataDirectory, 'nothing') })).toThrow(
      /is not a Redis or Valkey server/,
    );
  });

  it('is not started where its data cannot be kept, and the setting is named', async () => {
    const file = executable('file', 'x');
    // In `/proc` no directory can be made, and the answer is that there is none to make it in.
    for (const place of [file, join(file, 'below'), '/proc/stillwater', '/proc/stillwater/below']) {
      const refused = EmbeddedRedis.bringUp({ dataDirectory: place, environment: {} });
      await expect(refused).rejects.toMatchObject({ code: 'data-directory' });
      await expect(refused).rejects.toThrow(`STILLWATER_DATA  ${place}`);
    }
  });

  it('is named with the line to type where there is none', async () => {
    const missing = EmbeddedRedis.bringUp({
      dataDirectory,
      environment: { PATH: '', XDG_CACHE_HOME: dataDirectory },
    });
    await expect(missing).rejects.toMatchObject({ code: 'redis-missing' });
    await expect(missing).rejects.toThrow(/apt-get install redis-server[^]*brew install redis[^]*docker run/);
  });
});

describe('a Redis that REDIS_URL names', () => {
  let deaf: Server;
  let port: number;
  beforeEach(async () => {
    deaf = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await new Promise((done) => deaf.once('listening', done));
    port = (deaf.address() as { port: number }).port;
  });
  afterEach(() => new Promise((done) => deaf.close(done)));

  it('must answer, and its password is not shown when it does not', async () => {
    const unreachable = bringUpRedis({ redisUrl: `redis://me:hunter2@127.0.0.1:${port}`, dataDirectory });
    await expect(unreachable).rejects.toMatchObject({ code: 'redis-unreachable' });
    await expect(unreachable).rejects.toThrow(/me:\*\*\*@[^]*unset REDIS_URL/);
  });

  (binary === null ? it.skip : it)('must know us, and have the database that is named', async () => {
    const server = await bringUp();
    for (const redisUrl of [`redis://me:hunter2@127.0.0.1:${server.port}`, `${server.url}/99`]) {
      const refused = bringUpRedis({ redisUrl, dataDirectory });
      await expect(refused).rejects.toMatchObject({ code: 'redis-refuses-connection' });
      await expect(refused).rejects.toThrow(
        /said +(WRONGPASS|ERR DB index)[^]*Correct the user, the password or the database/,
      );
    }
  });

  (binary === null ? it.skip : it)('is left running when we stop', async () => {
    const server = await bringUp();
    const atHand = await bringUpRedis({ redisUrl: server.url, dataDirectory });
    expect(atHand).toMatchObject({ url: server.url, embedded: false });
    await atHand.stop();
    expect(execFileSync('kill', ['-0', String(server.pid)]).toString()).toBe('');
  });
});
