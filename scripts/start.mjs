// `npm start`: everything from a fresh clone to a running service. Needs only Node and npm; a second start does
// nothing twice. What follows `npm start --` is passed on.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './build-state.mjs';
import { ensureInstalled, requireNode } from './installation.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

requireNode();
ensureInstalled(root);
ensureBuilt(root);

// Only now: it is built with the rest.
const { superviseService } = await import('../dist/src/cli/supervise.js');
process.exitCode = await superviseService(['start', ...process.argv.slice(2)]);
