import { spawn } from 'node:child_process';
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { makeDirectory } from '../make-directory.js';
import { readOwnership, writeOwnership, type OwnershipRecord } from './ownership-record.js';
import { countOtherClients, identifyRedis, type RedisIdentity } from './redis-identity.js';
import { commandLineOf, isRunning, waitForEnd } from './running-process.js';
import { checkBinary, findServerBinary, OLDEST_MAJOR } from './server-binary.js';
import { withStartLock } from './start-lock.js';
import { canUnpack, isDebianLike, serverCache, unpackedServer, unpackServer } from './unpacked-server.js';

/**
 * A Redis of our own for one data directory, so that trying Stillwater needs nothing but Node. It keeps an append-only
 * file in the data directory, listens on this machine only, and outlives a parent that was killed: whoever starts next
 * on the same data directory finds it by the record that lies there, and proves by its run id that it is the one.
 * A Redis that merely listens somewhere is never taken.
 */
export interface EmbeddedRedisOptions {
  readonly dataDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told what takes long, a line at a time. */
  readonly say?: (line: string) => void;
  readonly limits?: Partial<EmbeddedRedisLimits>;
}

export interface EmbeddedRedisLimits {
  /** How long a started server may take to answer. One that loads a large file answers at once, and says that it is loading. */
  readonly startMs: number;
  /** How long a server may take to stop; its file is written by then. */
  readonly stopMs: number;
  /** How long any one answer may take. */
  readonly answerMs: number;
  /** How long another process may hold the right to start a server here. */
  readonly lockMs: number;
}

const LIMITS: EmbeddedRedisLimits = { startMs: 10_000, stopMs: 15_000, answerMs: 2_000, lockMs: 60_000 };
const START_ATTEMPTS_MAX = 3;

/** How often it is looked whether our own last connections are gone, before a server is left to other clients. */
const CLIENTS_LOOKS_MAX = 10;
const CLIENTS_LOOK_MS = 100;

export class EmbeddedRedis {
  private constructor(
    readonly port: number,
    readonly pid: number,
    readonly version: string,
    /** `started` by this call, or `reattached`: it was running when we came. */
    readonly origin: 'started' | 'reattached',
    private readonly limits: EmbeddedRedisLimits,
  ) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /**
   * The server of a data directory: the one that runs, or a new one over the kept files.
   * @throws StillwaterError `redis-missing`, `redis-too-old`, `redis-binary`, `embedded-redis-silent`, `embedded-redis-failed`.
   */
  static async bringUp(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
    const limits = { ...LIMITS, ...options.limits };
    const dataDirectory = resolve(options.dataDirectory);
    return withStartLock(dataDirectory, limits.lockMs, async () => {
      const record = readOwnership(dataDirectory);
      const found = record && (await reattach(record, limits));
      if (found) {
        writeOwnership(dataDirectory, { ...record, pid: found.pid, runId: found.runId });
        return new EmbeddedRedis(record.port, found.pid, found.version, 'reattached', limits);
      }
      const binary = await serverBinary(options);
      const { port, identity } = await start(binary, dataDirectory, record?.port ?? null, limits);
      return new EmbeddedRedis(port, identity.pid, identity.version, 'started', limits);
    });
  }

  /**
   * Stops the server, after its file is written. If others still use it (a second process on the same data
   * directory), it is left to them, and the last one stops it. Close your own connections first.
   */
  async stop(): Promise<'stopped' | 'left-running'> {
    for (let look = 0; ; look++) {
      const others = await countOtherClients(this.port, this.limits.answerMs);
      if (others === null || others <= 0) break;
      if (look === CLIENTS_LOOKS_MAX) return 'left-running';
      await new Promise((done) => setTimeout(done, CLIENTS_LOOK_MS));
    }
    if (isRunning(this.pid)) process.kill(this.pid, 'SIGTERM');
    if (await waitForEnd(this.pid, this.limits.stopMs)) return 'stopped';
    throw new StillwaterError('embedded-redis-silent', {
      what: 'Our Redis did not stop in time.',
      evidence: `  process  ${this.pid}\n  waited   ${this.limits.stopMs} ms`,
      consequence: 'It goes on running with all its data; the next start will find it.',
      remedy: 'No action, or `kill` it.',
    });
  }
}

/** The recorded server, if it runs and is the recorded one. */
async function reattach(record: OwnershipRecord, limits: EmbeddedRedisLimits): Promise<RedisIdentity | null> {
  const identity = await identifyRedis(record.port, limits.answerMs);
  if (identity !== null && isRecorded(identity, record)) return identity;
  if (identity === null && record.pid !== null && isRunning(record.pid) && serves(record.pid, record.port))
    throw new StillwaterError('embedded-redis-silent', {
      what: 'The Redis of this data directory runs, but does not answer.',
      evidence: `  process  ${record.pid}\n  port     ${record.port}\n  waited   ${limits.answerMs} ms`,
      consequence: 'No second one was started: two servers would destroy one another’s files.',
      remedy: `Let it go on (\`kill -CONT ${record.pid}\`) or end it (\`kill ${record.pid}\`), then start again.`,
    });
  return null;
}

function isRecorded(identity: RedisIdentity, record: OwnershipRecord): boolean {
  if (record.runId !== null) return identity.runId === record.runId;
  return identity.directory !== null && samePath(identity.directory, record.directory);
}

const serves = (pid: number, port: number): boolean => (commandLineOf(pid) ?? '').includes(`:${port}`);

function samePath(left: string, right: string): boolean {
  try {
    return realpathSync(left) === realpathSync(right);
  } catch {
    return false;
  }
}

async function serverBinary({ environment, say = () => undefined }: EmbeddedRedisOptions): Promise<string> {
  const offered = findServerBinary(environment);
  if (offered !== null) return offered.path;
  const cache = serverCache(environment);
  let reason: string | null = null;
  const unpacked = unpackedServer(cache);
  if (unpacked !== null) return checkBinary(unpacked).path;
  if (isDebianLike() && canUnpack(environment)) {
    try {
      return checkBinary(await unpackServer(cache, say)).path;
    } catch (error) {
      if (error instanceof StillwaterError) throw error;
      reason = messageOf(error).trim().split('\n').slice(-3).join('\n    ');
    }
  }
  throw new StillwaterError('redis-missing', {
    what: 'There is no Redis server on this machine to start.',
    evidence: [
      '  REDIS_URL and REDIS_SERVER_BIN are not set; neither redis-server nor valkey-server is on the PATH.',
      ...(reason === null ? [] : [`  Unpacking Debian’s package did not succeed either:\n    ${reason}`]),
    ].join('\n'),
    consequence:
      'Nothing was started. A Redis that may be listening somewhere is not taken: it could be in use by others.',
    remedy: `Install Redis ${OLDEST_MAJOR} or newer, then start again:\n${INSTALL_LINES}`,
  });
}

export const INSTALL_LINES = [
  '  sudo apt-get install redis-server                    Debian, Ubuntu',
  '  brew install redis                                   macOS',
  '  docker run -d -p 127.0.0.1:6379:6379 redis:7 --appendonly yes && export REDIS_URL=redis://127.0.0.1:6379',
].join('\n');

async function start(
  binary: string,
  dataDirectory: string,
  lastPort: number | null,
  limits: EmbeddedRedisLimits,
): Promise<{ port: number; identity: RedisIdentity }> {
  const directory = join(dataDirectory, 'redis');
  const logFile = join(dataDirectory, 'embedded-redis.log');
  await makeDirectory(directory);
  let failure = '';
  for (let attempt = 0; attempt < START_ATTEMPTS_MAX; attempt++) {
    const port = await freePort(attempt === 0 ? lastPort : null);
    rmSync(logFile, { force: true });
    writeOwnership(dataDirectory, { port, directory, binary, pid: null, runId: null });
    // A session of its own: Ctrl-C is for us, and we stop it when everything has been handed over.
    const child = spawn(binary, serverArguments(port, directory, logFile), {
      detached: true,
      stdio: 'ignore',
    });
    const ended = new Promise<string>((done) => {
      child.once('error', (error) => done(error.message));
      child.once('exit', (code, signal) => done(`it ended with ${signal ?? `code ${code}`}`));
    });
    let end: string | null = null;
    void ended.then((how) => (end = how));
    const deadline = Date.now() + limits.startMs;
    while (end === null && Date.now() < deadline) {
      const identity = await identifyRedis(port, limits.answerMs);
      if (
        identity !== null &&
        (identity.pid === child.pid || samePath(identity.directory ?? '', directory))
      ) {
        child.unref();
        writeOwnership(dataDirectory, { port, directory, binary, pid: identity.pid, runId: identity.runId });
        return { port, identity };
      }
      await Promise.race([ended, new Promise((done) => setTimeout(done, 15))]);
    }
    child.kill('SIGKILL');
    failure = `${end ?? `it did not answer for ${limits.startMs} ms`}\n${lastLines(logFile)}`;
    if (!/address already in use/i.test(failure)) break;
  }
  throw new StillwaterError('embedded-redis-failed', {
    what: 'The Redis server of this data directory could not be started.',
    evidence: `  server  ${binary}\n  data    ${directory}\n  said    ${failure.trimEnd().replaceAll('\n', '\n          ')}`,
    consequence: 'Nothing was started. The data was not touched.',
    remedy: `Read ${logFile}, or set REDIS_URL to a Redis that runs.`,
  });
}

const serverArguments = (port: number, directory: string, logFile: string): string[] => [
  ...[
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--logfile',
    logFile,
    '--daemonize',
    'no',
  ],
  ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction'],
];

function lastLines(logFile: string): string {
  try {
    return readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
  } catch {
    return '';
  }
}

/** A port nobody listens on: the wanted one if it is free. */
function freePort(wanted: number | null): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', (error) => (wanted === null ? failed(error) : done(freePort(null))));
    probe.listen(wanted ?? 0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}
