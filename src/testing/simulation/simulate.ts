import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { NAMED_SUBJECTS, type Run } from './run.js';
import type { Outcome } from './simulation.js';
import { SimulationThreads } from './threads.js';

/** `npm run simulate -- --seeds N [--from SEED] [--subject NAME] [--threads N] [--json FILE]`: runs, and what they found. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      subject: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'string' },
    },
  });
  const subject = subjectNamed(values.subject);
  const from = numberIn(values, 'from', 0);
  const seeds = numberIn(values, 'seeds', 1);
  const outcomes: Outcome[] = [];
  const threads = new SimulationThreads(
    new URL('./thread.js', import.meta.url),
    Math.min(numberIn(values, 'threads', 1), seeds),
  );
  const started = performance.now();
  await threads.play(
    Array.from({ length: seeds }, (_, index) => ({ seed: from + index, subject })),
    (outcome) => {
      outcomes.push(outcome);
      const { seed, subject, failure } = outcome;
      if (failure !== null) console.log(`seed ${seed} (${subject}): ${failure}\n`);
    },
  );
  await threads.close();
  const seconds = Math.round((performance.now() - started) / 1_000);
  outcomes.sort((left, right) => left.seed - right.seed);
  const failed = outcomes.filter(({ failure }) => failure !== null);
  const total = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  console.log(
    `${seeds} runs from seed ${from} in ${seconds} s: ${total(({ entries }) => entries)} entries, ${total(({ commits }) => commits)} commits (${total(({ inEntries }) => inEntries)} in the middle of an entry), ` +
      `${total(({ kills }) => kills)} processes killed, ${total(({ pauses }) => pauses)} paused, ${total(({ rollbacks }) => rollbacks)} times rolled back, ` +
      `${total(({ brokenOff }) => brokenOff)} commits broken off, ${total(({ trimmed }) => trimmed)} entries taken out of archived logs, ` +
      `${total(({ recoveries }) => recoveries)} recoveries, ${total(({ givenAgain }) => givenAgain)} rounds given again, ${total(({ rebuilt }) => rebuilt)} rebuilds.`,
  );
  console.log(
    failed.length === 0
      ? 'Everything held.'
      : `${failed.length} failed: ${failed.map(({ seed }) => seed).join(', ')}. Repeat one with --from SEED --seeds 1${subject === undefined ? '' : ` --subject ${subject}`}.`,
  );
  if (values.json) await writeFile(values.json, JSON.stringify(outcomes, null, 1));
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function numberIn<Name extends string>(
  values: Readonly<Record<Name, string>>,
  name: Name,
  least: number,
): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= least) return number;
  console.error(`--${name} is "${values[name]}", which is no whole number from ${least} on.`);
  process.exit(2);
}

function subjectNamed(name: string | undefined): Run['subject'] {
  if (name === undefined || name in NAMED_SUBJECTS) return name as Run['subject'];
  console.error(`There is no subject "${name}": ${Object.keys(NAMED_SUBJECTS).join(', ')}.`);
  process.exit(2);
}

await main();
