import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createHash } from 'node:crypto';
import { eventually } from './system.js';

const ROOT = resolve('.');
export const BUILD_MS_MAX = 240_000;
/** A lock that is older belongs to a process that died. */
const LOCK_MS_MAX = BUILD_MS_MAX;

let built: Promise<string> | null = null;

/**
 * The directory of the package as it is built: of this tree, built anew first where a source is newer. `STILLWATER_BUILT`
 * names another package directory to test.
 */
export function packageBuilt(): Promise<string> {
  return (built ??= process.env.STILLWATER_BUILT
    ? Promise.resolve(resolve(process.env.STILLWATER_BUILT))
    : build());
}

/** Test files run in several processes: one builds, the others wait and find that nothing is to be done. */
async function build(): Promise<string> {
  const lock = join(
    tmpdir(),
    `stillwater-build-${createHash('sha256').update(ROOT).digest('hex').slice(0, 12)}`,
  );
  await eventually(() => taken(lock), BUILD_MS_MAX, 100);
  try {
    const child = spawn(
      process.execPath,
      [
        '--eval',
        `import('./scripts/build-state.mjs').then(({ ensureBuilt }) => ensureBuilt(${JSON.stringify(ROOT)}))`,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const code = await new Promise((ended) => child.once('close', ended));
    if (code !== 0) throw new Error(`The build failed.\n${output}`);
    return ROOT;
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function taken(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const held = statSync(lock, { throwIfNoEntry: false });
    if (held && Date.now() - held.mtimeMs > LOCK_MS_MAX) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}
