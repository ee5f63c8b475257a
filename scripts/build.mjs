// `npm run build`.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build-state.mjs';

process.exitCode = build(join(dirname(fileURLToPath(import.meta.url)), '..')) ? 0 : 1;
