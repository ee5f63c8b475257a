// `npm test`: all tests, from a fresh clone too. What follows `npm test --` goes to Jest. The last line counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, requireNode } from './installation.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

requireNode();
ensureInstalled(root);
const server = await redisServer();
const place = mkdtempSync(join(tmpdir(), 'stillwater-test-'));
const outputFile = join(place, 'results.json');
const { status } = spawnSync(
  process.execPath,
  [
    ...[
      '--disable-warning=ExperimentalWarning',
      '--experimental-vm-modules',
      join(root, 'node_modules/jest/bin/jest.js'),
    ],
    ...['--json', '--outputFile', outputFile, ...process.argv.slice(2)],
  ],
  // Jest writes its JSON to the standard output as well: only its report, which goes to the other, is for people.
  {
    cwd: root,
    stdio: ['inherit', 'ignore', 'inherit'],
    env: { ...process.env, ...(server && { REDIS_SERVER_BIN: server }) },
  },
);

const { passed, failed: counted, skipped } = count();
const failed = status === 0 ? counted : Math.max(1, counted);
rmSync(place, { recursive: true, force: true });
if (skipped > 0) console.log(`${skipped} skipped`);
if (server === null)
  console.log(
    'Tests on a real Redis were skipped, for there is none here. To have one: sudo apt-get install redis-server',
  );
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** A file that could not even be read by Jest counts as one failure. */
function count() {
  try {
    const results = JSON.parse(readFileSync(outputFile, 'utf8'));
    return {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** The server tests are run on: as `npm start` finds it, unpacked into the cache where it may not be installed. */
async function redisServer() {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url);
  try {
    const { findServerBinary } = await jiti.import('../src/embedded-redis/server-binary.ts');
    const offered = findServerBinary(process.env);
    if (offered !== null) return offered.path;
    const { canUnpack, isDebianLike, serverCache, unpackServer, unpackedServer } = await jiti.import(
      '../src/embedded-redis/unpacked-server.ts',
    );
    const cache = serverCache(process.env);
    return (
      unpackedServer(cache) ??
      (isDebianLike() && canUnpack(process.env) ? await unpackServer(cache, console.log) : null)
    );
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
    return null;
  }
}
