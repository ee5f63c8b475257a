// `npm run faults`: breaks real processes, servers and connections under load, from the sources.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.env.JITI_ALIAS = JSON.stringify({ stillwater: join(root, 'src', 'index.ts') });
await import('jiti/register');
await import('../test/faults/run.ts');
