// `npm run soak`: runs the soak from its sources, in which `stillwater` is the package's own source.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.env.JITI_ALIAS = JSON.stringify({ stillwater: join(root, 'src', 'index.ts') });
await import('jiti/register');
await import('../test/soak/run.ts');
