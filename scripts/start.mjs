// `npm start`: everything from a fresh clone to a running service. Needs only Node and npm; a second start does
// nothing twice. What follows `npm start --` is passed on.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './build-state.mjs';
import { ensureInstalled, requireNode } from './installation.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Terminals and npm both pass Ctrl-C on, so one press arrives more than once. What comes later is meant. */
const SAME_SIGNAL_MS = 500;

requireNode();
ensureInstalled(root);
ensureBuilt(root);

// A process group of its own, so that a signal reaches the service once: from here.
const service = spawn(
  process.execPath,
  [
    '--max-semi-space-size=64',
    '--enable-source-maps',
    join(root, 'dist/src/main.js'),
    'start',
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', detached: process.platform !== 'win32' },
);

// `npm start` runs this with `exec`: a shell between npm and us would die of a signal and leave us behind.
let firstAt = null;
let ended = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    const now = performance.now();
    if (firstAt === null) {
      firstAt = now;
      service.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    } else if (now - firstAt > SAME_SIGNAL_MS && !ended) {
      ended = true;
      console.error('ended at once: what was committed is kept, the rest is done again by the next start');
      service.kill('SIGKILL');
    }
  });

service.on('error', (error) => {
  console.error(`The service could not be started: ${error.message}`);
  process.exitCode = 1;
});
service.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1);
});
