/**
 * `npm run cases -- DIR`: runs a folder of cases, in place, and counts how many of each set passed, are wrong or are not
 * supported. See README.md.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CaseEntry, Verdict } from './case-file.js';
import { runCase } from './run-case.js';

const USAGE = `npm run cases -- DIR [options]

  --set NAME,NAME     these sets only
  --only TEXT         cases whose id holds the text only
  --agreed            only those that PostgreSQL agrees with
  --reasons           each case that did not pass, with its reason
  --json FILE         the verdicts as JSON too`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string' },
    only: { type: 'string' },
    agreed: { type: 'boolean', default: false },
    reasons: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const [folder] = positionals;
if (options.help) console.log(USAGE);
else if (folder === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else if (!existsSync(join(folder, 'index.jsonl'))) console.log(`Skipped: there are no cases in ${folder}.`);
else run(folder);

function run(of: string): void {
  const entries = readFileSync(join(of, 'index.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CaseEntry)
    .filter(({ set }) => options.set === undefined || options.set.split(',').includes(set))
    .filter(({ id }) => options.only === undefined || id.includes(options.only))
    .filter(({ oracle }) => !options.agreed || oracle === 'postgres-agrees');
  const ran: { entry: CaseEntry; verdict: Verdict }[] = [];
  for (const entry of entries) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${entry.id}`);
    const verdict = runCase(entry, of);
    ran.push({ entry, verdict });
    if (options.reasons && verdict.verdict !== 'passed')
      console.log(`${verdict.verdict.padEnd(11)} ${entry.id}  ${verdict.reason.replaceAll('\n', ' ')}`);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(summary(ran));
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      JSON.stringify(
        ran.map(({ entry: { id, set, kind, oracle }, verdict }) => ({ id, set, kind, oracle, ...verdict })),
        null,
        1,
      ) + '\n',
    );
  if (ran.some(({ entry, verdict }) => verdict.verdict === 'wrong' && entry.oracle === 'postgres-agrees'))
    process.exitCode = 1;
}

/** A line for each set, those that PostgreSQL agrees with apart. */
function summary(ran: readonly { entry: CaseEntry; verdict: Verdict }[]): string {
  const counts = new Map<string, Record<Verdict['verdict'], number>>();
  for (const { entry, verdict } of ran)
    for (const name of [`${entry.set}${entry.oracle === '' ? '' : ` (${entry.oracle})`}`, 'all']) {
      const count = counts.get(name) ?? { passed: 0, wrong: 0, unsupported: 0 };
      count[verdict.verdict]++;
      counts.set(name, count);
    }
  const names = [...counts.keys()].sort((l, r) => (l === 'all' ? 1 : r === 'all' ? -1 : l < r ? -1 : 1));
  const width = Math.max(3, ...names.map((name) => name.length));
  return [
    `${'set'.padEnd(width)}  passed   wrong  unsupported`,
    ...names.map((name) => {
      const { passed, wrong, unsupported } = counts.get(name)!;
      return `${name.padEnd(width)}  ${String(passed).padStart(6)}  ${String(wrong).padStart(6)}  ${String(unsupported).padStart(11)}`;
    }),
  ].join('\n');
}
