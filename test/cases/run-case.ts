import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseEntry, SqlCase, Verdict } from './case-file.js';
import { runSqlCase } from './sql-case.js';

/** What comes of one case of a folder. */
export function runCase(entry: CaseEntry, folder: string): Verdict {
  const read = (): unknown => JSON.parse(readFileSync(join(folder, entry.file), 'utf8'));
  switch (entry.kind) {
    case 'sql-view':
    case 'sql-query-as-view':
    case 'sql-delta':
      return runSqlCase(read() as SqlCase, folder);
    default:
      return { verdict: 'unsupported', reason: `cases of the kind ${entry.kind}` };
  }
}
