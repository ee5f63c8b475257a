/**
 * `npm run bench:nexmark`: all queries of the suite over one data set, through a real Redis; whether each view's rows are
 * the expected ones, and how quickly it takes its events. See README.md.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { nodesOf } from '../../src/view/plan-nodes.js';
import { median } from '../median.js';
import { DataSet } from './data-set.js';
import { difference, ExpectedAnswers } from './expected.js';
import { LoadedEvents, type Measured } from './measured.js';
import { queries, type Query } from './queries.js';

const MADE_EVENTS = 200_000;
const REPETITIONS = 9;

/** Operators that remember nothing, over streams, which remember nothing either. */
const STATELESS: readonly string[] = ['where', 'select', 'flatMap', 'unnest', 'union'];

const USAGE = `npm run bench:nexmark -- [options]

  --events FILE       the events, one a line, as the suite's generator writes them; without it ${MADE_EVENTS} are made up
  --expected DIR      the answers expected of them, and of how many of the first events
  --side-input FILE   the table that q13 joins; without it the one that the generator would write
  --only NAME,NAME    these queries only
  --first N           of no more than the first N events
  --repetitions N     how often each is measured: ${REPETITIONS}
  --json FILE         the results as JSON too
  --profile DIR       V8 profiles of the measured processes`;

const { values: options } = parseArgs({
  options: {
    events: { type: 'string' },
    expected: { type: 'string' },
    'side-input': { type: 'string' },
    only: { type: 'string' },
    first: { type: 'string' },
    repetitions: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** What came of one query over the first so many events; `equal` is null where no answer is known. */
interface Compared {
  readonly events: number;
  readonly rows: number;
  readonly sha256: string;
  readonly equal: boolean | null;
  readonly difference: string | null;
}

interface Outcome {
  readonly query: Query;
  readonly stateless: boolean;
  readonly compared: readonly Compared[];
  readonly measured: Measured;
}

// What was started here ends with the benchmark, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const mistake = options.help ? null : mistakeIn(options);
if (options.help) console.log(USAGE);
else if (mistake !== null) {
  console.error(`${mistake}\n\n${USAGE}`);
  process.exitCode = 2;
} else await run();

function mistakeIn({ events, expected, only, first, repetitions }: typeof options): string | null {
  for (const file of [events, expected, options['side-input']])
    if (file !== undefined && !existsSync(file)) return `There is no ${file}.`;
  if (expected !== undefined && events === undefined)
    return 'Answers are expected of certain events: name them with --events.';
  for (const [name, text] of Object.entries({ first, repetitions }))
    if (text !== undefined && !(Number.isSafeInteger(Number(text)) && Number(text) > 0))
      return `--${name} is a whole number.`;
  const unknown = only?.split(',').filter((name) => !queries.some((query) => query.name === name)) ?? [];
  return unknown.length > 0 ? `There is no query ${unknown.join(', ')}.` : null;
}

async function run(): Promise<void> {
  const startedAt = new Date();
  const all =
    options.events === undefined
      ? DataSet.made(MADE_EVENTS)
      : DataSet.fromFile(options.events, options['side-input']);
  const dataSet = options.first === undefined ? all : all.first(Number(options.first));
  const expected = options.expected === undefined ? null : new ExpectedAnswers(options.expected);
  const size = dataSet.events.length;
  const prefixes = [...(expected?.prefixes.filter((prefix) => prefix < size) ?? []), size];
  const only = options.only?.split(',') ?? queries.map(({ name }) => name);
  console.log(
    `${size.toLocaleString('en-US')} events ${options.events === undefined ? '(made up: no answers are known)' : `of ${options.events}`}, ` +
      `node ${process.version}, ${cpus().length} cores\n`,
  );

  const outcomes: Outcome[] = [];
  const loaded: LoadedEvents[] = [];
  try {
    for (const prefix of prefixes) loaded.push(await LoadedEvents.load(dataSet.first(prefix)));
    for (const query of queries.filter(({ name }) => only.includes(name))) {
      const outcome = await outcomeOf(query, loaded, expected);
      outcomes.push(outcome);
      console.log(lineOf(outcome));
    }
  } finally {
    for (const one of loaded) await one.stop();
  }

  const targets = targetsOf(outcomes);
  for (const { label, is, value } of targets)
    console.log(
      `${label.padEnd(38)} ${value.toFixed(2).padStart(6)} of the drain   ≥ ${is}   ${value >= is ? 'reached' : 'NOT REACHED'}`,
    );
  if (options.json !== undefined)
    writeFileSync(options.json, JSON.stringify(report(startedAt, size, outcomes, targets), null, 2) + '\n');
  if (outcomes.some(({ compared }) => compared.some(({ equal }) => equal === false))) process.exitCode = 1;
}

async function outcomeOf(
  query: Query,
  loaded: readonly LoadedEvents[],
  expected: ExpectedAnswers | null,
): Promise<Outcome> {
  const compared: Compared[] = [];
  let measured: Measured | null = null;
  for (const [index, events] of loaded.entries()) {
    const last = index === loaded.length - 1;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${query.name}, ${events.events} events …`);
    if (last)
      measured = await events.measure(query, Number(options.repetitions ?? REPETITIONS), options.profile);
    const answer = measured?.answer ?? (await events.answer(query));
    const known = expected?.of(query.name, events.events) ?? null;
    const differs = known === null ? null : difference(answer, known);
    compared.push({
      events: events.events,
      rows: answer.lines.length,
      sha256: answer.sha256,
      equal: known === null ? null : differs === null,
      difference: differs,
    });
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return { query, stateless: isStateless(query), compared, measured: measured! };
}

function isStateless({ view }: Query): boolean {
  return nodesOf(view.declaration.plan).every((node) =>
    node.op === 'source' ? node.source.kind === 'stream' : STATELESS.includes(node.op),
  );
}

function lineOf({ query: { name, title }, compared, measured }: Outcome): string {
  const head = `${name.padEnd(4)} ${title.padEnd(32)}`;
  const rows = compared.map(({ events, rows, equal }) => {
    const word = equal === null ? 'rows' : equal ? 'equal' : 'WRONG';
    return `${(events / 1_000).toString()}k ${word} ${rows}`.padEnd(18);
  });
  const rate = `${Math.round(measured.rate).toLocaleString('en-US')} events/s`;
  const ratio = `${measured.ofDrain.toFixed(2)} of the drain (${measured.ofDrainByProcessor.toFixed(2)} by processor time)`;
  const differences = compared.flatMap(({ events, difference }) =>
    difference === null ? [] : [`     ${events}: ${difference.replaceAll('\n', '\n     ')}`],
  );
  return [`${head} ${rows.join(' ')} ${rate.padStart(18)}  ${ratio}`, ...differences].join('\n');
}

interface Target {
  readonly label: string;
  readonly is: number;
  readonly value: number;
}

function targetsOf(outcomes: readonly Outcome[]): Target[] {
  const all = outcomes.map(({ measured }) => measured.ofDrain);
  const stateless = outcomes.flatMap((outcome) => (outcome.stateless ? [outcome.measured.ofDrain] : []));
  return [
    ...(all.length === 0 ? [] : [{ label: 'the slowest query', is: 0.1, value: Math.min(...all) }]),
    ...(stateless.length === 0
      ? []
      : [{ label: 'the slowest that remembers nothing', is: 0.7, value: Math.min(...stateless) }]),
    ...(all.length === 0 ? [] : [{ label: 'the median of all queries', is: 0.4, value: median(all) }]),
  ];
}

function report(
  startedAt: Date,
  events: number,
  outcomes: readonly Outcome[],
  targets: readonly Target[],
): unknown {
  return {
    startedAt: startedAt.toISOString(),
    tookMs: Date.now() - startedAt.getTime(),
    environment: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    events,
    queries: outcomes.map((outcome) => {
      const { name, title } = outcome.query;
      const { answer: _, ...measured } = outcome.measured;
      return {
        name,
        title,
        stateless: outcome.stateless,
        prefixes: outcome.compared,
        ...measured,
      };
    }),
    targets: targets.map((target) => ({ ...target, reached: target.value >= target.is })),
  };
}
