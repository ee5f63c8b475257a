import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aclRule } from '../../src/cli/acl-rule.js';
import { RedisConnections } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import { commitOf, rowsWrites, TASK } from '../ports/commit-request.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { describeWithRedis, freePort, haveRedisServer, RedisServer } from '../support/redis-server.js';

/** Everything a worker does, once. */
async function work(connections: RedisConnections): Promise<void> {
  const { log, tasks, views, registry, workers } = redisPorts(connections);
  const { token } = (await tasks.claim(TASK, 'me', 0))!;
  const request = commitOf(token, 1, { keyed: rowsWrites({ ORD: 1 }), changelog: 'changes' });
  expect(await tasks.commit(request)).toEqual({ status: 'committed' });
  expect((await views.all(TASK, 8)).rows).toEqual([{ key: 'ORD', text: '1' }]);
  await log.append({ redisKey: 'orders', entries: [['n', '1']], idempotencyKey: 'a', memoryMs: 1_000 });
  const request2 = { redisKey: 'orders', position: '0-0', entriesRead: 0, countMax: 10 };
  expect(await log.read({ ...request2, through: 'group' })).toMatchObject({ status: 'read' });
  expect((await log.ends(['orders']))[0]!.length).toBe(1);
  const news = log.waitForNews(new Map([['orders', '0-0']]), 1_000, new AbortController().signal);
  expect(await news).toEqual(['orders']);
  await workers.announce();
  await registry.read();
}

describeWithRedis('a Redis that asks who is there', () => {
  it('is worked with as the user of the URL, in its database', async () => {
    const server = await RedisServer.start();
    const raw = server.client();
    await raw.call(
      ...(aclRule('sw', [{ redisKey: 'orders', partitions: 1 }])
        .replace('PASSWORD', 'p@ss:word')
        .split(' ') as [string, ...string[]]),
    );
    await raw.call('ACL', 'SETUSER', 'default', 'nopass', 'on');
    const connections = new RedisConnections({
      url: `redis://stillwater:${encodeURIComponent('p@ss:word')}@127.0.0.1:${server.port}/3`,
    });
    try {
      await work(connections);
      expect(await raw.dbsize()).toBe(0);
      await raw.select(3);
      expect(await raw.exists('orders')).toBe(1);
    } finally {
      await connections.close();
      await server.stop();
    }
  });

  it('is worked with as that user on a cluster as well, with the rights that are printed', async () => {
    const cluster = await RedisCluster.start({ replicas: 0 });
    for (const { server } of cluster.nodes)
      await server.raw.call(
        ...(aclRule('sw', [{ redisKey: 'orders', partitions: 1 }])
          .replace('PASSWORD', 'secret')
          .split(' ') as [string, ...string[]]),
      );
    const connections = new RedisConnections({
      url: cluster.url.replace('//', '//stillwater:secret@'),
    });
    try {
      await work(connections);
    } finally {
      await connections.close();
      await cluster.stop();
    }
  });
});

/** A certificate for this machine, signed by itself; null where there is no openssl to make one. */
function certificate(): { directory: string; key: string; certificate: string } | null {
  const directory = mkdtempSync(join(tmpdir(), 'stillwater-tls-'));
  const [key, file] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', file],
  ]);
  return made.status === 0 ? { directory, key, certificate: file } : null;
}

const made = certificate();
const tlsArguments = (port: number): string[] => [
  ...['--tls-port', String(port), '--tls-auth-clients', 'no'],
  ...['--tls-cert-file', made!.certificate, '--tls-key-file', made!.key],
  ...['--tls-ca-cert-file', made!.certificate],
];

/** Whether the server was built with TLS: one that was not does not know the words, this one has nothing to listen on. */
function knowsTls(): boolean {
  const { stdout } = spawnSync(
    process.env.REDIS_SERVER_BIN ?? 'redis-server',
    ['--port', '0', '--save', '', ...tlsArguments(0)],
    { timeout: 5_000, encoding: 'utf8' },
  );
  return stdout.includes('not listen anywhere');
}
const haveTls = haveRedisServer && made !== null && knowsTls();

(haveTls ? describeWithRedis : describe.skip)(
  haveTls
    ? 'a Redis behind TLS'
    : 'a Redis behind TLS (skipped: it takes openssl, and a redis-server with TLS)',
  () => {
    let server: RedisServer;
    let port: number;
    beforeAll(async () => {
      port = await freePort();
      server = await RedisServer.start({ args: tlsArguments(port) });
    });
    afterAll(async () => {
      await server.stop();
      rmSync(made!.directory, { recursive: true, force: true });
    });

    it('is worked with where its certificate is known', async () => {
      const connections = new RedisConnections({
        url: `rediss://localhost:${port}`,
        redis: { tls: { ca: readFileSync(made!.certificate) } },
      });
      try {
        await work(connections);
      } finally {
        await connections.close();
      }
    });

    it('is not spoken to where its certificate is not known, and the reason is said', async () => {
      const lines: string[] = [];
      const connections = new RedisConnections({
        url: `rediss://localhost:${port}`,
        log: (line) => lines.push(line),
      });
      try {
        await expect(redisPorts(connections).registry.read()).rejects.toMatchObject({
          code: 'redis-unavailable',
        });
        expect(lines.join('\n')).toMatch(/self-signed certificate/);
      } finally {
        await connections.close();
      }
    });
  },
);
