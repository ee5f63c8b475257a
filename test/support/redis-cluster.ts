import { Cluster, type ClusterOptions } from 'ioredis';
import { slotOf } from '../../src/redis/slots.js';
import { RedisServer, type RedisServerOptions } from './redis-server.js';
import { eventually } from './system.js';

const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 1_000;
const STARTS_WITHIN_MS = 30_000;

export interface RedisClusterOptions extends RedisServerOptions {
  masters?: number;
  /** Of each master. */
  replicas?: number;
}

interface Node {
  readonly server: RedisServer;
  readonly busPort: number;
  id: string;
}

type Named = [host: string, port: number, id: string];

/** A Redis Cluster of our own on loopback: some masters, each with its replicas. */
export class RedisCluster {
  readonly #clients: Cluster[] = [];

  private constructor(readonly nodes: readonly Node[]) {}

  static async start({
    masters = 3,
    replicas = 1,
    ...options
  }: RedisClusterOptions = {}): Promise<RedisCluster> {
    const nodes = await Promise.all(
      Array.from({ length: masters * (1 + replicas) }, async (): Promise<Node> => {
        const server = await RedisServer.start({
          ...options,
          args: [
            ...['--cluster-enabled', 'yes'],
            ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS)],
            // A replica takes over however long it was without its master.
            ...['--cluster-replica-validity-factor', '0'],
            ...['--repl-diskless-sync-delay', '0'],
            ...(options.args ?? []),
          ],
          portArgs: ['--cluster-port'],
        });
        return { server, busPort: server.furtherPorts[0]!, id: String(await server.raw.cluster('MYID')) };
      }),
    );
    const cluster = new RedisCluster(nodes);
    try {
      await cluster.#form(masters);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async #form(masters: number): Promise<void> {
    const share = Math.ceil(SLOTS / masters);
    for (const [index, { server }] of this.nodes.entries()) {
      const raw = server.raw;
      await raw.cluster('SET-CONFIG-EPOCH', index + 1);
      if (index >= masters) continue;
      await raw.call(
        ...(['CLUSTER', 'ADDSLOTSRANGE'] as const),
        String(index * share),
        String(Math.min((index + 1) * share, SLOTS) - 1),
      );
    }
    const [first, ...others] = this.nodes;
    for (const { server, busPort } of others)
      await first!.server.raw.call('CLUSTER', 'MEET', '127.0.0.1', String(server.port), String(busPort));
    for (const { server } of this.nodes)
      await eventually(
        async () => (await infoOf(server, 'cluster')).cluster_known_nodes === String(this.nodes.length),
        STARTS_WITHIN_MS,
        50,
      );
    for (const [index, { server }] of this.nodes.entries())
      if (index >= masters) {
        const raw = server.raw;
        await eventually(
          () =>
            raw.cluster('REPLICATE', this.nodes[index % masters]!.id).then(
              () => true,
              () => false,
            ),
          STARTS_WITHIN_MS,
          50,
        );
      }
    await this.settled();
  }

  get url(): string {
    return `redis+cluster://${this.nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',')}`;
  }

  /** A client as ioredis makes one, closed with the cluster. */
  client(options: ClusterOptions = {}): Cluster {
    const cluster = new Cluster(
      this.nodes.map(({ server: { port } }) => ({ host: '127.0.0.1', port })),
      { redisOptions: { disconnectTimeout: 100 }, ...options },
    );
    cluster.on('error', () => {});
    this.#clients.push(cluster);
    return cluster;
  }

  /** The node that says of itself that it is the master of a key's slot. */
  async masterOf(redisKey: string): Promise<Node> {
    const slot = slotOf(redisKey);
    for (const { server } of this.nodes.filter((node) => node.server.pid !== -1)) {
      const ranges = await this.#slots(server).catch(() => []);
      const found = ranges.find(([from, to]) => from <= slot && slot <= to);
      const node = found && this.nodes.find(({ id }) => id === found[2][2]);
      if (node && node.server.pid !== -1) return node;
    }
    throw new Error(`No node that runs is the master of ${redisKey}.`);
  }

  /** The nodes that follow the master of a key's slot; one that was away may have to be found up again first. */
  async replicasOf(redisKey: string): Promise<Node[]> {
    const slot = slotOf(redisKey);
    let found: Node[] = [];
    await eventually(async () => {
      const ranges = await this.#slots((await this.masterOf(redisKey)).server);
      const [, , , ...replicas] = ranges.find(([from, to]) => from <= slot && slot <= to)!;
      found = this.nodes.filter((node) => replicas.some(([, , id]) => id === node.id));
      return found.length > 0;
    });
    return found;
  }

  /** Waits until every running node finds all slots served, and every replica has a master to follow. */
  async settled(withinMs = STARTS_WITHIN_MS): Promise<void> {
    for (const { server } of this.nodes) {
      if (server.pid === -1) continue;
      // One that was just started may still be loading.
      await eventually(() => isSettled(server).catch(() => false), withinMs, 50);
    }
  }

  /** Waits until another than this node is the master of a key. */
  async failedOver(redisKey: string, from: Node, withinMs = 20_000): Promise<Node> {
    let now: Node | undefined;
    await eventually(
      async () => {
        now = await this.masterOf(redisKey).catch(() => undefined);
        return now !== undefined && now !== from;
      },
      withinMs,
      50,
    );
    return now!;
  }

  /** Moves the slot of a key to another master, key by key as `redis-cli --cluster reshard` does; `between` is told after each. */
  async migrate(redisKey: string, between: (moved: number) => Promise<void> = async () => {}): Promise<Node> {
    const slot = slotOf(redisKey);
    const from = await this.masterOf(redisKey);
    const masters = await this.#masters();
    const to = masters.find((node) => node !== from)!;
    const [source, target] = [from.server.raw, to.server.raw];
    await target.cluster('SETSLOT', slot, 'IMPORTING', from.id);
    await source.cluster('SETSLOT', slot, 'MIGRATING', to.id);
    for (let moved = 0; ; moved++) {
      const [key] = (await source.cluster('GETKEYSINSLOT', slot, 1)) as string[];
      if (key === undefined) break;
      await source.migrate('127.0.0.1', to.server.port, key, 0, 10_000);
      await between(moved + 1);
    }
    for (const { server } of [to, from, ...masters.filter((node) => node !== to && node !== from)])
      await server.raw.cluster('SETSLOT', slot, 'NODE', to.id);
    return to;
  }

  async flushAll(): Promise<void> {
    for (const { server } of await this.#masters()) await server.raw.flushall();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.disconnect();
    await Promise.all(this.nodes.map(({ server }) => server.stop()));
  }

  async #masters(): Promise<Node[]> {
    const running = this.nodes.find(({ server }) => server.pid !== -1)!;
    const ids = new Set((await this.#slots(running.server)).map(([, , [, , id]]) => id));
    return this.nodes.filter(({ id }) => ids.has(id));
  }

  #slots(server: RedisServer): Promise<[from: number, to: number, master: Named, ...replicas: Named[]][]> {
    return server.raw.cluster('SLOTS') as Promise<any>;
  }
}

async function isSettled(server: RedisServer): Promise<boolean> {
  const { cluster_state, cluster_slots_ok } = await infoOf(server, 'cluster');
  if (cluster_state !== 'ok' || cluster_slots_ok !== String(SLOTS)) return false;
  const { role, master_link_status } = await infoOf(server, 'replication');
  return role === 'master' || master_link_status === 'up';
}

async function infoOf(
  server: RedisServer,
  section: 'cluster' | 'replication',
): Promise<Record<string, string>> {
  const raw = server.raw;
  const text = section === 'cluster' ? String(await raw.cluster('INFO')) : await raw.info(section);
  return Object.fromEntries(text.split('\r\n').map((line) => line.split(':') as [string, string]));
}
