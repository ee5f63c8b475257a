import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, RedisServer, STARTS_MAX } from './redis-server.js';
import { eventually } from './system.js';

const BINARY = process.env.REDIS_SERVER_BIN ?? 'redis-server';
const MASTER = 'stillwater';
const STARTS_WITHIN_MS = 20_000;
const SETTLES_WITHIN_MS = 30_000;

interface Sentinel {
  readonly port: number;
  readonly process: ChildProcess;
  readonly client: Redis;
}

/** A master, its replica, and three sentinels that watch them, on loopback. */
export class RedisSentinel {
  readonly #directory = mkdtempSync(join(tmpdir(), 'stillwater-sentinel-'));
  readonly #sentinels: Sentinel[] = [];

  private constructor(readonly servers: readonly RedisServer[]) {}

  static async start(): Promise<RedisSentinel> {
    const master = await RedisServer.start({ appendOnly: true });
    const replica = await RedisServer.start({
      appendOnly: true,
      args: ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0'],
    });
    const sentinel = new RedisSentinel([master, replica]);
    try {
      for (let index = 0; index < 3; index++) await sentinel.#launch(master.port);
      await eventually(() => sentinel.#isSettled(), STARTS_WITHIN_MS, 50);
      return sentinel;
    } catch (error) {
      await sentinel.stop();
      throw error;
    }
  }

  get url(): string {
    return `redis+sentinel://${this.#sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER}`;
  }

  /** The same as ioredis takes it. */
  get address(): { sentinels: { host: string; port: number }[]; name: string } {
    return { sentinels: this.#sentinels.map(({ port }) => ({ host: '127.0.0.1', port })), name: MASTER };
  }

  /** The server that the sentinels name. */
  async master(): Promise<RedisServer> {
    const [, port] = (await this.#sentinels[0]!.client.call(
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      MASTER,
    )) as string[];
    return this.servers.find((server) => server.port === Number(port))!;
  }

  /** Waits until the sentinels name another than this one. */
  async failedOver(from: RedisServer, withinMs = 20_000): Promise<RedisServer> {
    let now = from;
    await eventually(async () => (now = await this.master()) !== from, withinMs, 50);
    return now;
  }

  /** Has the sentinels make the replica the master, while both are well. */
  async failOver(): Promise<void> {
    const before = await this.master();
    // Who has failed over a moment ago may not know yet that there is a replica.
    const isBegun = (): Promise<boolean> =>
      this.#sentinels[0]!.client.call('SENTINEL', 'FAILOVER', MASTER).then(
        () => true,
        () => false,
      );
    await eventually(isBegun, SETTLES_WITHIN_MS, 200);
    await this.failedOver(before);
    await this.settled();
  }

  /** Starts a server again that was killed, as the other one's replica: it would take sentinels ten seconds to make it one. */
  async startAgain(server: RedisServer): Promise<void> {
    const master = await this.master();
    await server.startAgain();
    await server.raw.replicaof('127.0.0.1', master.port);
    await this.settled();
  }

  /** Waits until the server that is not the master follows it. */
  async settled(withinMs = SETTLES_WITHIN_MS): Promise<void> {
    await eventually(
      async () => {
        const master = await this.master();
        const replica = this.servers.find((server) => server !== master)!;
        const info = await replica.raw.info('replication');
        return info.includes(`master_port:${master.port}`) && info.includes('master_link_status:up');
      },
      withinMs,
      50,
    );
  }

  async stop(): Promise<void> {
    for (const { client, process } of this.#sentinels) {
      client.disconnect();
      process.kill('SIGKILL');
    }
    await Promise.all(this.servers.map((server) => server.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #launch(masterPort: number, attempt = 1): Promise<void> {
    const port = await freePort();
    // Sentinels write what they learn into their file.
    const file = join(this.#directory, `${port}.conf`);
    writeFileSync(
      file,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${this.#directory}`,
        `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 2`,
        `sentinel down-after-milliseconds ${MASTER} 500`,
        `sentinel failover-timeout ${MASTER} 3000`,
      ].join('\n'),
    );
    const child = spawn(BINARY, [file, '--sentinel'], { stdio: 'ignore' });
    const end = (): void => void child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: 100 });
    client.on('error', () => {});
    const gone = new Promise<false>((resolve) => child.once('exit', () => resolve(false)));
    const isThere = await Promise.race([client.ping(), gone]);
    if (isThere !== false || attempt === STARTS_MAX) {
      this.#sentinels.push({ port, process: child, client });
      return;
    }
    // Somebody else has taken the port since it was looked for.
    client.disconnect();
    await this.#launch(masterPort, attempt + 1);
  }

  async #isSettled(): Promise<boolean> {
    for (const { client } of this.#sentinels) {
      const flat = (await client.call('SENTINEL', 'MASTER', MASTER)) as string[];
      const of = (name: string): string => flat[flat.indexOf(name) + 1]!;
      if (of('num-other-sentinels') !== '2' || of('num-slaves') !== '1' || of('flags') !== 'master')
        return false;
    }
    return (await this.servers[1]!.raw.info('replication')).includes('master_link_status:up');
  }
}
