/**
 * `npm run bench:operators`: what a changed row costs, operator by operator and aggregate by aggregate, in small groups and
 * relations and in large ones. See README.md.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { RedisServer } from '../redis-server.js';
import { Relation, type OperatorReading } from './measured.js';
import { subjects, type Subject } from './subjects.js';

const SIZES = [1_000, 100_000, 1_000_000];
const CHANGES = 2_000;
/** A row of the table may not grow by more than this from the smallest size to the largest. */
const GROWTH_MAX = 2;

const COLUMNS = ['warmInsertUs', 'warmRetractUs', 'coldInsertUs', 'coldRetractUs'] as const;
const HEAD = `${'operator'.padEnd(22)} ${'rows'.padStart(10)} ${['insert', 'retract', 'cold insert', 'cold retract', 'bytes a row'].map((name) => name.padStart(13)).join('')}`;

const USAGE = `npm run bench:operators -- [options]

  --only NAME,NAME    these only: ${subjects.map(({ name }) => name).join(', ')}
  --sizes N,N         relations and groups of these sizes: ${SIZES.join(',')}
  --changes N         rows that change at a time: ${CHANGES}
  --json FILE         the figures as JSON too`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    sizes: { type: 'string' },
    changes: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

// What was started here ends with the benchmark, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const only = options.only?.split(',') ?? subjects.map(({ name }) => name);
const sizes = (options.sizes?.split(',').map(Number) ?? SIZES).sort((left, right) => left - right);
const changes = Number(options.changes ?? CHANGES);
const unknown = only.filter((name) => !subjects.some((subject) => subject.name === name));
const wrongNumber = [...sizes, changes].some((number) => !(Number.isSafeInteger(number) && number > 0));
if (options.help) console.log(USAGE);
else if (unknown.length > 0 || wrongNumber) {
  console.error(
    unknown.length > 0 ? `Nothing is named ${unknown.join(', ')}.\n` : 'Sizes are whole numbers.\n',
  );
  console.error(USAGE);
  process.exitCode = 2;
} else await run();

interface Outcome {
  readonly subject: Subject;
  readonly readings: OperatorReading[];
}

async function run(): Promise<void> {
  const startedAt = new Date();
  console.log(
    `µs for each of ${changes.toLocaleString('en-US')} changed rows; node ${process.version}, ${cpus().length} cores\n`,
  );
  const outcomes: Outcome[] = subjects
    .filter(({ name }) => only.includes(name))
    .map((subject) => ({ subject, readings: [] }));
  console.log(HEAD);
  for (const size of sizes) {
    const server = await RedisServer.start({ aof: false });
    try {
      const relation = await Relation.make(server, size);
      for (const { subject, readings } of outcomes) {
        if (size > (subject.sizeMax ?? Infinity)) continue;
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${subject.name}, ${size} rows …`);
        const some = Math.min(changes, subject.changesMax ?? Infinity);
        const reading = await relation.measure(subject, some, Math.min(some, sizes[0]! / 2));
        if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
        readings.push(reading);
        console.log(lineOf(subject, reading));
      }
    } finally {
      await server.stop();
    }
  }
  console.log(`\nGrowth from ${sizes[0]!.toLocaleString('en-US')} rows to the largest size:`);
  for (const outcome of outcomes) console.log(growthLineOf(outcome));
  if (options.json !== undefined)
    writeFileSync(options.json, JSON.stringify(report(startedAt, outcomes), null, 2) + '\n');
}

function lineOf({ name }: Subject, reading: OperatorReading): string {
  return (
    `${name.padEnd(22)} ${reading.size.toLocaleString('en-US').padStart(10)} ` +
    [...COLUMNS.map((column) => reading[column]?.toFixed(1) ?? '–'), reading.bytesPerRow.toFixed(0)]
      .map((text) => text.padStart(13))
      .join('')
  );
}

/** By how much each column grows, from the smallest size to the largest. */
function growthOf({ readings }: Outcome): Partial<Record<(typeof COLUMNS)[number], number>> | null {
  const [least, most] = [readings[0], readings.at(-1)];
  if (least === undefined || most === undefined || least === most) return null;
  return Object.fromEntries(
    COLUMNS.flatMap((column) => {
      const [from, to] = [least[column], most[column]];
      return from === null || to === null ? [] : [[column, to / from] as const];
    }),
  );
}

function growthLineOf(outcome: Outcome): string {
  const { name, grows } = outcome.subject;
  const growth = growthOf(outcome);
  if (growth === null) return `${name.padEnd(22)} of one size only${grows === undefined ? '' : `: ${grows}`}`;
  const worst = Math.max(...Object.values(growth));
  const flag = worst <= GROWTH_MAX ? '' : grows === undefined ? '   GROWS' : `   grows: ${grows}`;
  const factors = COLUMNS.map((column) => growth[column])
    .map((factor) => (factor === undefined ? '–' : `${factor.toFixed(2)} ×`).padStart(13))
    .join('');
  return `${name.padEnd(22)} ${factors}${flag}`;
}

function report(startedAt: Date, outcomes: readonly Outcome[]): unknown {
  return {
    startedAt: startedAt.toISOString(),
    tookMs: Date.now() - startedAt.getTime(),
    environment: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    changes,
    operators: outcomes.map((outcome) => {
      const { name, family, grows } = outcome.subject;
      const growth = growthOf(outcome);
      const within = growth === null ? null : Object.values(growth).every((factor) => factor <= GROWTH_MAX);
      return { name, family, grows: grows ?? null, readings: outcome.readings, growth, within };
    }),
  };
}
