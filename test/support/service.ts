import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BUILD_MS_MAX, packageBuilt } from './built.js';
import { describeWithRedis } from './redis-server.js';
import { eventually } from './system.js';

const READY_WITHIN_MS = 40_000;
const ENDS_WITHIN_MS = 40_000;

/** `describeWithRedis`, for tests of what is built: it is built first, which no test's time is counted for. */
export const describeWithService = (name: string, tests: () => void): void =>
  describeWithRedis(name, () => {
    beforeAll(async () => void (await packageBuilt()), BUILD_MS_MAX);
    tests();
  });

export interface ServiceOptions {
  /** What follows `stillwater`. Default: `start`. */
  command?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Where it keeps what it keeps; a new directory, removed at the end, where none is given. */
  data?: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: any;
}

/** The service as users start it, a process of its own, on a free port and a data directory of its own. */
export class Service {
  #output = '';
  #ended: number | string | null = null;
  url = '';

  private constructor(
    readonly options: ServiceOptions,
    readonly child: ChildProcess,
    readonly data: string,
  ) {
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.#output += String(chunk)));
    child.once('exit', (code, signal) => (this.#ended = code ?? signal ?? 'ended'));
    // Jest's own end is no reason to leave anything behind.
    process.once('exit', () => child.kill('SIGKILL'));
  }

  /** Spawns it, without waiting for anything. */
  static async spawn(options: ServiceOptions = {}): Promise<Service> {
    const root = await packageBuilt();
    const data = options.data ?? mkdtempSync(join(tmpdir(), 'stillwater-story-'));
    const child = spawn(
      process.execPath,
      [join(root, 'dist/src/main.js'), ...(options.command ?? ['start'])],
      {
        // The process itself is stopped and killed here.
        env: {
          ...environmentOf(process.env),
          STILLWATER_SUPERVISED: '1',
          PORT: '0',
          STILLWATER_DATA: data,
          ...options.environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    return new Service(options, child, data);
  }

  /** Starts it and waits until it is ready to be asked. */
  static async start(options: ServiceOptions = {}): Promise<Service> {
    const service = await Service.spawn(options);
    await service.says(/^Serving +(\S+)/m);
    service.url = /^Serving +(\S+)/m.exec(service.output)![1]!;
    await eventually(async () => (await service.get('/health/ready')).status === 200, READY_WITHIN_MS, 20);
    return service;
  }

  /** All it has said, on both channels. */
  get output(): string {
    return this.#output;
  }

  /** Its exit code or the signal it died of; null while it runs. */
  get ended(): number | string | null {
    return this.#ended;
  }

  /** Waits until it has said something. */
  async says(what: RegExp, withinMs = READY_WITHIN_MS): Promise<void> {
    await eventually(() => what.test(this.#output) || this.#ended !== null, withinMs).catch(() => {});
    if (!what.test(this.#output))
      throw new Error(`The service did not say ${what}. It said:\n${this.#output}`);
  }

  /** The exit code, when it has ended by itself. */
  async exit(withinMs = ENDS_WITHIN_MS): Promise<number | string> {
    await eventually(() => this.#ended !== null, withinMs).catch(() => {
      throw new Error(`The service did not end. It said:\n${this.#output}`);
    });
    return this.#ended!;
  }

  /** Tells it to stop, as Ctrl-C does, and gives the exit code. */
  async stop(signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM'): Promise<number | string> {
    this.child.kill(signal);
    return this.exit();
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit();
  }

  /** Ends whatever still runs of it, its own Redis included, and removes its data. */
  async remove(): Promise<void> {
    if (this.#ended === null) await this.kill();
    const redis = redisOf(this.data);
    if (redis !== null && isRunning(redis.pid)) {
      process.kill(redis.pid, 'SIGKILL');
      await eventually(() => !isRunning(redis.pid));
    }
    rmSync(this.data, { recursive: true, force: true });
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text ? JSON.parse(text) : text,
    };
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('GET', path, undefined, headers);
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('POST', path, body, headers);
  }

  /** Appends, and gives the position to wait for. @throws where it is refused */
  async append(stream: string, events: unknown, headers: Record<string, string> = {}): Promise<string> {
    const answer = await this.post(`/streams/${stream}/events`, events, headers);
    if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.position;
  }

  /** All rows of a view, page by page; with a position, once the view contains it. */
  async rows(
    view: string,
    { query = '', atLeast }: { query?: string; atLeast?: string } = {},
  ): Promise<any[]> {
    const rows: any[] = [];
    const parameters = [
      query,
      'limit=1000',
      ...(atLeast ? [`atLeast=${encodeURIComponent(atLeast)}`] : []),
    ].filter(Boolean);
    for (let next: string | null = `/views/${view}/rows?${parameters.join('&')}`; next !== null;) {
      const answer: Answer = await this.get(next, { prefer: 'wait=10' });
      if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
      rows.push(...answer.body);
      next = nextOf(answer);
    }
    return rows;
  }

  /** Waits until all views contain all that their streams hold. */
  async caughtUp(withinMs = READY_WITHIN_MS): Promise<void> {
    let said: any;
    const isCaughtUp = async (): Promise<boolean> => {
      const { status, body } = await this.get('/views');
      said = body;
      return (
        status === 200 &&
        body.every(({ lag, state }: any) => state === 'live' && lag.entries === 0 && lag.ms === 0)
      );
    };
    await eventually(isCaughtUp, withinMs, 50).catch((error) => {
      throw new Error(`${error.message}\n${JSON.stringify(said)}\n${this.#output}`);
    });
  }

  /** Waits until something asked for is in one of these states. */
  async state(path: string, states: readonly string[], withinMs = READY_WITHIN_MS): Promise<any> {
    let body: any;
    await eventually(
      async () => states.includes((body = (await this.get(path)).body).state),
      withinMs,
      50,
    ).catch((error) => {
      throw new Error(`${error.message}\n${JSON.stringify(body)}`);
    });
    return body;
  }

  /** Runs one command of the command line against it. */
  async command(...words: string[]): Promise<CommandResult> {
    return runCommand(words, { STILLWATER_URL: this.url, ...this.options.environment });
  }
}

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `stillwater …`, to its end. */
export async function runCommand(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const root = await packageBuilt();
  const child = spawn(process.execPath, [join(root, 'dist/src/cli/stillwater.js'), ...words], {
    env: { ...environmentOf(process.env), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const code = await new Promise<number | null>((ended) => child.once('close', ended));
  return { code, stdout, stderr };
}

/** The path of the next page, if there is one. */
export const nextOf = ({ headers }: Answer): string | null =>
  /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1] ?? null;

/** The Redis that a data directory says is its own. */
export function redisOf(data: string): { port: number; pid: number } | null {
  const record = join(data, 'embedded-redis.json');
  if (!existsSync(record)) return null;
  const { port, pid } = JSON.parse(readFileSync(record, 'utf8'));
  return pid === null ? null : { port, pid };
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // One that has ended and was not waited for by its parent still has a number.
  const status = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  return !/\) Z /.test(status);
}

/** A directory of view modules that a test may edit, in which packages are found. */
export class ViewsDirectory {
  readonly #place = mkdtempSync(join(tmpdir(), 'stillwater-views-'));
  readonly path = join(this.#place, 'views');

  /** Files of a directory to begin with, or none. */
  constructor(from?: string) {
    mkdirSync(this.path);
    symlinkSync(resolve('node_modules'), join(this.#place, 'node_modules'));
    if (from) cpSync(from, this.path, { recursive: true });
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.path, file), text);
  }

  delete(file: string): void {
    rmSync(join(this.path, file));
  }

  remove(): void {
    rmSync(this.#place, { recursive: true, force: true });
  }
}

/** What the tests run in must not decide how the service runs. */
function environmentOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = { ...environment };
  for (const name of Object.keys(kept))
    if (/^(STILLWATER_|REDIS_URL$|PORT$|HOST$|NODE_OPTIONS$|JEST_)/.test(name)) delete kept[name];
  return kept;
}
