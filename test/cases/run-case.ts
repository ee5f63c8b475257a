import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseEntry, SqlCase, Verdict } from './case-file.js';
import { type FlinkCase, runFlinkCase } from './flink-case.js';
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
    case 'flink-sql':
      return runFlinkCase(read() as FlinkCase, folder);
    case 'kstreams':
      return runKafkaCase(read() as KafkaCase);
    default:
      return { verdict: 'unsupported', reason: `cases of the kind ${entry.kind}` };
  }
}

/** What decides whether a case can be told here is what it says, and never what came out: a wrong answer is a wrong answer. */
function inItsDialect(entry: CaseEntry, one: SqlCase, folder: string): Verdict {
  const meaning = entry.oracle === 'postgres-agrees' ? null : otherMeaning(one);
  return meaning === null ? runSqlCase(one, folder) : { verdict: 'unsupported', reason: meaning };
}

/** What a case that PostgreSQL does not vouch for means otherwise, as its tables, its dialect and its query say. */
function otherMeaning({ dialect, tables, views, steps }: SqlCase): string | null {
  const types = tables.flatMap(({ columns }) => columns.map(({ type }) => type));
  const sql = views.map((view) => view.sql).join(' ');
  if (tables.some(({ watermark }) => (watermark as { ttl?: boolean } | undefined)?.ttl === true))
    return 'a table that drops late rows before any view has them';
  if (dialect === 'feldera' && types.some((type) => /^(real|float4)\b/.test(type)))
    return 'numbers of 32 bits';
  if (
    dialect === 'feldera' &&
    types.some((type) => /^(numeric|decimal)\b/.test(type)) &&
    (/\b(avg|stddev|var|covar|corr)/i.test(sql) || sql.includes('/'))
  )
    return 'decimals that are cut to their type after each step';
  const nullJson = tables.some(({ name, columns }) =>
    columns.some(
      ({ name: column, type }, place) =>
        type.startsWith('json') &&
        (/(select|,)\s*(\w+\.)?\*/i.test(sql) || new RegExp(`\\b${column}\\b`, 'i').test(sql)) &&
        steps.some(({ changes }) =>
          changes?.some(({ table, row }) => table === name && row !== undefined && row[place] === null),
        ),
    ),
  );
  return nullJson ? 'JSON, whose null no case tells from none' : null;
}
