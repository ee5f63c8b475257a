import type { NatMap } from 'ioredis';
import type { RedisConnections } from '../../src/redis/connections.js';
import type { RedisAddress } from '../../src/redis/redis-address.js';
import { Proxy } from '../support/proxy.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisSentinel } from '../support/redis-sentinel.js';
import { RedisServer } from '../support/redis-server.js';

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A Redis to break, and a way to it that can be broken. */
export interface FaultTarget {
  /** As those reach it who are not to be disturbed. */
  readonly url: string;
  /** As workers reach it: through proxies. */
  readonly address: RedisAddress;
  readonly proxies: readonly Proxy[];
  /** What can happen to its servers. Each ends when all is well again. */
  readonly faults: Readonly<Record<string, () => Promise<void>>>;
  /** Whether what was appended over these connections survives whatever `faults` do. */
  isSafe(connections: RedisConnections, redisKey: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** One server that writes to its disk before it answers. */
export async function oneServer(random: () => number): Promise<FaultTarget> {
  const server = await RedisServer.start({ appendOnly: true });
  const proxy = await Proxy.start(server.port);
  return {
    url: server.url,
    address: proxy.url,
    proxies: [proxy],
    faults: {
      'Redis killed': async () => {
        await server.kill();
        await pause(random() * 500);
        await server.startAgain();
      },
      'Redis paused': async () => {
        server.pause();
        await pause(200 + random() * 1_500);
        server.continue();
      },
    },
    isSafe: () => Promise.resolve(true),
    stop: async () => {
      await proxy.stop();
      await server.stop();
    },
  };
}

/** A master and its replica, watched by sentinels. What both have is safe: they never go both. */
export async function underSentinels(random: () => number): Promise<FaultTarget> {
  const sentinel = await RedisSentinel.start();
  const proxies = await Promise.all(sentinel.servers.map(({ port }) => Proxy.start(port)));
  return {
    url: sentinel.url,
    address: { ...sentinel.address, natMap: natMapOf(sentinel.servers, proxies) },
    proxies,
    faults: {
      'master killed': async () => {
        const master = await sentinel.master();
        await master.kill();
        await sentinel.failedOver(master);
        await pause(random() * 500);
        await sentinel.startAgain(master);
      },
      'failover asked for': () => sentinel.failOver(),
    },
    isSafe: hasReplica(),
    stop: async () => {
      for (const proxy of proxies) await proxy.stop();
      await sentinel.stop();
    },
  };
}

/** Three masters with a replica each. What one replica has is safe: they never go both. */
export async function aCluster(random: () => number, keys: readonly string[]): Promise<FaultTarget> {
  const cluster = await RedisCluster.start({ appendOnly: true });
  const proxies = await Promise.all(cluster.nodes.map(({ server }) => Proxy.start(server.port)));
  const natMap = natMapOf(
    cluster.nodes.map(({ server }) => server),
    proxies,
  );
  const some = (): string => keys[Math.floor(random() * keys.length)]!;
  return {
    url: cluster.url,
    address: {
      cluster: proxies.map(({ port }) => ({ host: '127.0.0.1', port })),
      options: { natMap },
    },
    proxies,
    faults: {
      'master killed': async () => {
        const key = some();
        const node = await cluster.masterOf(key);
        await node.server.kill();
        await cluster.failedOver(key, node);
        await pause(random() * 500);
        await node.server.startAgain();
        await cluster.settled();
      },
      'master paused': async () => {
        const key = some();
        const node = await cluster.masterOf(key);
        node.server.pause();
        await pause(500 + random() * 2_500);
        node.server.continue();
        await pause(1_000);
        await cluster.settled();
      },
      'slot moved': async () => {
        await cluster.migrate(some(), () => pause(random() * 5));
        await pause(200);
      },
    },
    isSafe: hasReplica(),
    stop: async () => {
      for (const proxy of proxies) await proxy.stop();
      await cluster.stop();
    },
  };
}

/** Has who is told of a server go to the proxy before it. */
function natMapOf(servers: readonly RedisServer[], proxies: readonly Proxy[]): NatMap {
  return Object.fromEntries(
    servers.map(({ port }, index) => [
      `127.0.0.1:${port}`,
      { host: '127.0.0.1', port: proxies[index]!.port },
    ]),
  );
}

/** Whether a replica has all that was written before. */
function hasReplica(): FaultTarget['isSafe'] {
  let mark = 0;
  return async (connections, redisKey) => {
    const redis = await connections.at('control', redisKey);
    const [, reached] = await Promise.all([redis.set(`mark:{${redisKey}}`, ++mark), redis.wait(1, 500)]);
    return reached >= 1;
  };
}
