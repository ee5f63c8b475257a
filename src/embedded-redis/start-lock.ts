import { accessSync, constants, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { makeDirectory } from '../make-directory.js';
import { commandLineOf, isRunning } from './running-process.js';

const FILE = 'embedded-redis.lock';
const LOOK_AGAIN_MS = 50;

/**
 * Lets one process at a time decide whether a data directory needs a server. The lock names its holder; that of a
 * process that is gone counts for nothing.
 */
export async function withStartLock<T>(
  dataDirectory: string,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  await makeUsable(dataDirectory);
  const lock = join(dataDirectory, FILE);
  const deadline = Date.now() + timeoutMs;
  while (!take(lock)) {
    const holder = holderOf(lock);
    if (holder === null || !isLive(holder)) rmSync(lock, { force: true });
    else if (Date.now() > deadline) throw stillHeld(lock, holder);
    else await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

async function makeUsable(dataDirectory: string): Promise<void> {
  try {
    await makeDirectory(dataDirectory);
    accessSync(dataDirectory, constants.W_OK);
  } catch (thrown) {
    throw new StillwaterError(
      'data-directory',
      {
        what: 'The data directory cannot be used.',
        evidence: `  STILLWATER_DATA  ${dataDirectory}\n  said             ${messageOf(thrown)}`,
        consequence: 'Nothing was started.',
        remedy:
          'Set STILLWATER_DATA to a directory that can be written, or REDIS_URL to a Redis of yours: then none is needed.',
      },
      { cause: thrown },
    );
  }
}

/** Linked, not written, into place: whoever sees the lock sees its holder. */
function take(lock: string): boolean {
  const draft = `${lock}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function holderOf(lock: string): number | null {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isLive(pid: number): boolean {
  return isRunning(pid) && /node|stillwater/.test(commandLineOf(pid) ?? 'node');
}

function stillHeld(lock: string, holder: number): StillwaterError {
  return new StillwaterError('embedded-redis-busy', {
    what: 'Another process has been bringing up the Redis of this data directory for too long.',
    evidence: `  lock     ${lock}\n  process  ${holder}`,
    consequence: 'Nothing was started.',
    remedy: `Wait for it, or end it (\`kill ${holder}\`) and start again.`,
  });
}
