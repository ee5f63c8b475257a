import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StillwaterError } from '../errors/stillwater-error.js';

/**
 * Where a file of the example's data lies: in the package `vega-datasets`, which only the example needs.
 * @throws StillwaterError `demo-data-missing`
 */
export function demoFile(name: string): string {
  try {
    const file = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data', name);
    if (existsSync(file)) return file;
  } catch {
    // Not installed: answered below, as for a package that lacks the file.
  }
  throw demoDataMissing(`${name} of the package vega-datasets was not found`);
}

/** What the example needs and a production install leaves out. */
export function demoDataMissing(evidence: string, cause?: unknown): StillwaterError {
  return new StillwaterError(
    'demo-data-missing',
    {
      what: 'The data of the example application is not installed.',
      evidence: `  ${evidence}`,
      consequence: 'No flights and no airports were loaded.',
      remedy:
        'Install it (`npm install --no-save vega-datasets hyparquet hyparquet-compressors`), or start with `--no-demo`.',
    },
    { cause },
  );
}
