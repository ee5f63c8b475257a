// `npm start`: everything from a fresh clone to a running service. Needs only Node and npm; a second start does
// nothing twice. What follows `npm start --` is passed on.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './build-state.mjs';
import { ensureInstalled, requireNode } from './installation.mjs';
import { supervise } from './supervise.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

requireNode();
ensureInstalled(root);
ensureBuilt(root);

process.exitCode = await supervise(process.execPath, [
  '--max-semi-space-size=128',
  '--enable-source-maps',
  join(root, 'dist/src/main.js'),
  'start',
  ...process.argv.slice(2),
]);
