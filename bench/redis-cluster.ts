import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { freePort, RedisServer } from './redis-server.js';

const MASTERS = 3;
const SLOTS = 16_384;
const FORMED_WITHIN_MS = 30_000;
const LOOK_MS = 50;

/** A Redis Cluster of the benchmark's own: three masters on loopback, without replicas. */
export class RedisCluster {
  readonly #clients: Cluster[] = [];

  private constructor(readonly servers: readonly RedisServer[]) {}

  static async start({ aof }: { aof: boolean }): Promise<RedisCluster> {
    const cluster = new RedisCluster(
      await Promise.all(
        Array.from({ length: MASTERS }, async () =>
          RedisServer.start({
            aof,
            // Else it is the port and 10,000, which may be more than there are.
            args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
          }),
        ),
      ),
    );
    try {
      await cluster.#form();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get url(): string {
    return `redis+cluster://${this.servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** A client that is closed with the cluster. */
  client(): Cluster {
    const client = new Cluster(this.servers.map(({ port }) => ({ host: '127.0.0.1', port })));
    client.on('error', () => {});
    this.#clients.push(client);
    return client;
  }

  async flush(): Promise<void> {
    for (const server of this.servers) await server.flush();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.disconnect();
    for (const server of this.servers) await server.stop();
  }

  async #form(): Promise<void> {
    const nodes = this.servers.map((server) => server.client());
    const share = Math.ceil(SLOTS / MASTERS);
    for (const [index, node] of nodes.entries()) {
      await node.cluster('SET-CONFIG-EPOCH', index + 1);
      const last = Math.min((index + 1) * share, SLOTS) - 1;
      await node.call('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last));
    }
    const [first, ...others] = nodes;
    for (const other of others) {
      const [port, busPort] = await Promise.all(
        ['port', 'cluster-port'].map((name) => settingOf(other, name)),
      );
      await first!.call('CLUSTER', 'MEET', '127.0.0.1', port!, busPort!);
    }
    const end = performance.now() + FORMED_WITHIN_MS;
    for (const node of nodes)
      while (!(await isWhole(node))) {
        if (performance.now() > end)
          throw new Error(`The cluster was not formed within ${FORMED_WITHIN_MS} ms.`);
        await sleep(LOOK_MS);
      }
  }
}

async function settingOf(node: Redis, name: string): Promise<string> {
  const [, value] = (await node.config('GET', name)) as string[];
  return value!;
}

async function isWhole(node: Redis): Promise<boolean> {
  const info = String(await node.cluster('INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${MASTERS}\r`);
}
