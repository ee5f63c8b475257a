import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';

const BINARY = process.env.REDIS_SERVER_BIN ?? 'redis-server';
const READY_WITHIN_MS = 20_000;
/** So often a server is started on another port. */
export const STARTS_MAX = 5;

/** What runs now; ended with the process, whatever a test has left behind. One listener for all: there are many in a file. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export interface RedisServerOptions {
  /** Keep an append-only file, written with every command: what was answered survives `kill` and `restart`. */
  appendOnly?: boolean;
  /** Further arguments of redis-server. */
  args?: readonly string[];
  /** Arguments that take a free port each: `furtherPorts`. */
  portArgs?: readonly string[];
}

/** Whether there is a redis-server to test with; without one such tests are skipped. */
export const haveRedisServer = spawnSync(BINARY, ['--version']).status === 0;

/** `describe`, or a skipped block that says what to install where there is no redis-server. */
export const describeWithRedis = (name: string, tests: () => void): void => {
  if (haveRedisServer) describe(name, tests);
  else
    describe.skip(`${name} (no redis-server: apt-get install redis-server, or set REDIS_SERVER_BIN)`, tests);
};

/** A Redis of our own, on a free port and in a directory of its own. Tests never use one they find. */
export class RedisServer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'stillwater-redis-'));
  readonly #clients: Redis[] = [];
  #process: ChildProcess | null = null;
  #raw: Redis | null = null;

  private constructor(
    readonly options: RedisServerOptions,
    public port: number,
    readonly furtherPorts: readonly number[],
  ) {}

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const [port, ...further] = await Promise.all(
        Array.from({ length: 1 + (options.portArgs?.length ?? 0) }, freePort),
      );
      const server = new RedisServer(options, port!, further);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody else may have taken a port between looking and launching.
        if (attempt === STARTS_MAX) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  /** A client that is closed with the server. */
  client(options: RedisOptions = {}): Redis {
    const redis = new Redis(this.port, '127.0.0.1', {
      retryStrategy: () => 20,
      maxRetriesPerRequest: 50,
      disconnectTimeout: 100,
      ...options,
    });
    redis.on('error', () => {});
    this.#clients.push(redis);
    return redis;
  }

  /** One client for whatever a test asks on the side. */
  get raw(): Redis {
    return (this.#raw ??= this.client());
  }

  /** Ends at once, as by `kill -9`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Starts again over the same directory and port. */
  async restart(): Promise<void> {
    await this.#end('SIGTERM');
    await this.#launch();
  }

  /** Starts after `kill`. */
  async startAgain(): Promise<void> {
    await this.#launch();
  }

  /** The process stops running and keeps its connections, until `continue`. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  continue(): void {
    this.#process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    for (const redis of this.#clients.splice(0)) redis.disconnect();
    this.continue();
    await this.#end('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    const persistence = this.options.appendOnly
      ? ['--appendonly', 'yes', '--appendfsync', 'always']
      : ['--appendonly', 'no'];
    const child = spawn(
      BINARY,
      [
        '--port',
        String(this.port),
        '--bind',
        '127.0.0.1',
        '--dir',
        this.#directory,
        '--save',
        '',
        ...persistence,
        ...(this.options.args ?? []),
        ...(this.options.portArgs ?? []).flatMap((name, index) => [name, String(this.furtherPorts[index])]),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    let output = '';
    child.stdout!.on('data', (chunk) => (output = (output + chunk).slice(-4_000)));
    child.stderr!.on('data', (chunk) => (output = (output + chunk).slice(-4_000)));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`redis-server was not ready within ${READY_WITHIN_MS} ms.\n${output}`)),
        READY_WITHIN_MS,
      );
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      child.once('error', settle);
      child.once('exit', (code) => settle(new Error(`redis-server ended with ${code}.\n${output}`)));
      child.stdout!.on('data', () => {
        if (output.includes('Ready to accept connections')) settle();
      });
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
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
