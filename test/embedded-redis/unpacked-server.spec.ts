import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedRedis } from '../../src/embedded-redis/embedded-redis.js';
import { isRunning, waitForEnd } from '../../src/embedded-redis/running-process.js';
import {
  canUnpack,
  isDebianLike,
  librariesIn,
  unpackServer,
  unpackedServer,
} from '../../src/embedded-redis/unpacked-server.js';

describe('the libraries a package needs', () => {
  it('are read from its control fields, without versions, choices and what every machine has', () => {
    const fields = [
      'Pre-Depends: init-system-helpers (>= 1.54~)',
      'Depends: libc6 (>= 2.34), libjemalloc2 (>= 2.1.1), liblzf1 (>= 1.5), libssl3 (>= 3.0.0) | libssl4, adduser, lua5.1:any',
    ].join('\n');
    expect(librariesIn(fields)).toEqual(['libjemalloc2', 'liblzf1', 'libssl3', 'lua5.1']);
  });
});

// Needs apt and its mirrors: reaches out only where somebody asks for it.
(process.env.STILLWATER_TEST_APT && isDebianLike() && canUnpack(process.env) ? describe : describe.skip)(
  'a server unpacked without root',
  () => {
    const place = mkdtempSync(join(tmpdir(), 'stillwater-unpacked-'));
    afterAll(() => rmSync(place, { recursive: true, force: true }));

    it('runs, and is found in the cache the next time', async () => {
      const cache = join(place, 'stillwater/redis-server');
      expect(unpackedServer(cache)).toBeNull();
      const script = await unpackServer(cache, () => undefined);
      expect(unpackedServer(cache)).toBe(script);

      const environment = { PATH: '/nowhere', XDG_CACHE_HOME: place };
      const server = await EmbeddedRedis.bringUp({ dataDirectory: join(place, 'data'), environment });
      try {
        expect(server.origin).toBe('started');
        expect(await server.stop()).toBe('stopped');
      } finally {
        if (isRunning(server.pid)) process.kill(server.pid, 'SIGKILL');
        await waitForEnd(server.pid, 2_000);
      }
    }, 240_000);
  },
);
