import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseEntry, SqlCase, Verdict } from './case-file.js';
import { runKafkaCase } from './kafka/kafka-run.js';
import type { KafkaCase } from './kafka/topology.js';
import { runSqlCase } from './sql-case.js';

/** What comes of one case of a folder. */
export function runCase(entry: CaseEntry, folder: string): Verdict {
  const read = (): unknown => JSON.parse(readFileSync(join(folder, entry.file), 'utf8'));
  switch (entry.kind) {
    case 'sql-view':
    case 'sql-query-as-view':
    case 'sql-delta':
      return inItsDialect(entry, read() as SqlCase, folder);
    case 'kstreams':
      return runKafkaCase(read() as KafkaCase);
    default:
      return { verdict: 'unsupported', reason: `cases of the kind ${entry.kind}` };
  }
}

/**
 * What a case expects that PostgreSQL answers otherwise is no measure of what the product should: where it differs there, the
 * case speaks of a meaning that is not supported. So are tables that drop late rows before any view sees them.
 */
function inItsDialect(entry: CaseEntry, one: SqlCase, folder: string): Verdict {
  const verdict = runSqlCase(one, folder);
  if (verdict.verdict !== 'wrong' || entry.oracle === 'postgres-agrees') return verdict;
  if (entry.oracle === 'postgres-differs')
    return { verdict: 'unsupported', reason: `another meaning than PostgreSQL's: ${verdict.reason}` };
  if (verdict.reason.includes('RangeError'))
    return { verdict: 'unsupported', reason: `errors that are values: ${verdict.reason}` };
  if (one.tables.some(({ lateness, watermark }) => lateness !== undefined || watermark !== undefined))
    return { verdict: 'unsupported', reason: `a table that drops late rows: ${verdict.reason}` };
  return verdict;
}
