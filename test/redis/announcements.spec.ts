import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compiled } from '../support/compiled.js';
import { Proxy } from '../support/proxy.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/system.js';

const LISTENER = fileURLToPath(new URL('./announcements-listener.ts', import.meta.url));

describeWithRedis('announcements', () => {
  test('are heard again after a connection that was cut while it was being subscribed, and the process lives on', async () => {
    const redis = await RedisServer.start();
    const proxy = await Proxy.start(redis.port);
    // A process of its own: a rejection that nobody handles ends it, and would only be noted here.
    const listener = spawn(process.execPath, [await compiled(LISTENER), proxy.url], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const publisher = redis.client();
    let said = '';
    for (const stream of [listener.stdout, listener.stderr])
      stream.on('data', (data) => (said += String(data)));
    const heard = async (): Promise<void> => {
      said = '';
      await eventually(async () => {
        await publisher.publish('sw:announcements', 'somebody');
        return said.includes('heard') || listener.exitCode !== null;
      }, 15_000);
      expect({ exitCode: listener.exitCode, said }).toEqual({
        exitCode: null,
        said: expect.stringContaining('heard'),
      });
    };
    try {
      await heard();
      for (let round = 0; round < 3; round++) {
        const { cuts } = proxy;
        proxy.cutAll();
        proxy.mode('cutBefore', 'subscribe');
        await eventually(() => proxy.cuts > cuts || listener.exitCode !== null);
        await heard();
      }
    } finally {
      listener.kill('SIGKILL');
      await proxy.stop();
      await redis.stop();
    }
  }, 60_000);
});
