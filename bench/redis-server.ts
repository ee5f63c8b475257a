import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

const BINARY = process.env.REDIS_SERVER_BIN ?? 'redis-server';
const READY_WITHIN_MS = 10_000;
const STARTS_MAX = 5;
const OUTPUT_KEPT_CHARACTERS = 4_000;

/** A Redis of the benchmark's own, on a free port and in a directory of its own. Only what was started here is ended here. */
export class RedisServer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'stillwater-bench-'));
  readonly #clients: Redis[] = [];
  #process: ChildProcess | null = null;

  private constructor(readonly port: number) {}

  static async start({ aof, args = [] }: { aof: boolean; args?: readonly string[] }): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(await freePort());
      try {
        await server.#launch(aof, args);
        return server;
      } catch (error) {
        await server.stop();
        // Somebody else may have taken the port between looking and launching.
        if (attempt === STARTS_MAX || (error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** A client that is closed with the server. */
  client(): Redis {
    const redis = new Redis(this.port, '127.0.0.1');
    redis.on('error', () => {});
    this.#clients.push(redis);
    return redis;
  }

  async flush(): Promise<void> {
    const client = this.client();
    await client.flushall();
    client.disconnect();
  }

  async stop(): Promise<void> {
    for (const redis of this.#clients.splice(0)) redis.disconnect();
    const child = this.#process;
    this.#process = null;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #launch(aof: boolean, args: readonly string[]): Promise<void> {
    const persistence = aof ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : ['--appendonly', 'no'];
    const address = ['--port', String(this.port), '--bind', '127.0.0.1'];
    const child = spawn(
      BINARY,
      [...address, '--dir', this.#directory, '--save', '', ...persistence, ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#process = child;
    process.once('exit', () => {
      child.kill('SIGKILL');
      rmSync(this.#directory, { recursive: true, force: true });
    });
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      const timer = setTimeout(
        () => settle(new Error(`redis-server was not ready within ${READY_WITHIN_MS} ms.\n${output}`)),
        READY_WITHIN_MS,
      );
      child.once('error', settle);
      child.once('exit', (code) => settle(new Error(`redis-server ended with ${code}.\n${output}`)));
      child.stderr.on('data', (chunk) => (output = (output + chunk).slice(-OUTPUT_KEPT_CHARACTERS)));
      child.stdout.on('data', (chunk) => {
        output = (output + chunk).slice(-OUTPUT_KEPT_CHARACTERS);
        if (output.includes('Ready to accept connections')) settle();
      });
    });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
