import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';

/** The oldest Redis whose streams, scripts and `XINFO` say what Stillwater rests on. */
export const OLDEST_MAJOR = 7;

export interface ServerBinary {
  readonly path: string;
  readonly version: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The server that the environment offers: the one `REDIS_SERVER_BIN` names, else `redis-server` or `valkey-server` on
 * the PATH. Null where there is none.
 * @throws StillwaterError `redis-binary` for one that was named and does not run, `redis-too-old` where none is new enough.
 */
export function findServerBinary(environment: Environment): ServerBinary | null {
  const named = environment.REDIS_SERVER_BIN;
  if (named) return checkBinary(named);
  const found = ['redis-server', 'valkey-server']
    .map((name) => onPath(name, environment))
    .filter((path) => path !== null);
  let tooOld: StillwaterError | null = null;
  for (const path of found) {
    try {
      return checkBinary(path);
    } catch (error) {
      if (!(error instanceof StillwaterError)) throw error;
      tooOld ??= error;
    }
  }
  if (tooOld !== null) throw tooOld;
  return null;
}

export function onPath(name: string, environment: Environment): string | null {
  for (const directory of (environment.PATH ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (isAbsolute(path) && isExecutable(path)) return path;
  }
  return null;
}

/** What `redis-server --version` or `valkey-server --version` says. */
function versionOf(path: string): string {
  try {
    const words = execFileSync(path, ['--version'], {
      encoding: 'utf8',
      timeout: 5_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const version = /\bv=(\d+\.\d+\.\d+)/.exec(words)?.[1];
    if (version !== undefined) return version;
    throw new Error(`it answered ${JSON.stringify(words.slice(0, 200))} to --version`);
  } catch (error) {
    throw new StillwaterError(
      'redis-binary',
      {
        what: `${path} is not a Redis or Valkey server that runs here.`,
        evidence: `  ${messageOf(error).trim().split('\n').slice(0, 3).join('\n  ')}`,
        consequence: 'Nothing was started.',
        remedy: 'Set REDIS_SERVER_BIN to a server that runs, or unset it.',
      },
      { cause: error },
    );
  }
}

/** The server at a path, if it runs and is new enough. */
export function checkBinary(path: string): ServerBinary {
  const version = versionOf(path);
  if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return { path, version };
  throw new StillwaterError('redis-too-old', {
    what: 'The Redis on this machine is too old for Stillwater.',
    evidence: `  ${path}  ${version}\n  needed${' '.repeat(Math.max(1, path.length - 4))}${OLDEST_MAJOR}.0 or newer`,
    consequence: 'Nothing was started.',
    remedy:
      'Install Redis 7 or Valkey, set REDIS_SERVER_BIN to its server, or set REDIS_URL to a Redis that runs elsewhere.',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
