import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker as Thread } from 'node:worker_threads';
import { type Outcome, Simulation } from './simulation.js';

/** `npm run simulate -- --seeds N [--from SEED] [--threads N] [--json FILE]`: runs, and what they found. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      threads: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'string' },
    },
  });
  const from = Number(values.from);
  const seeds = Number(values.seeds);
  const outcomes: Outcome[] = [];
  const left = Array.from({ length: seeds }, (_, index) => from + index).values();
  const threads = Array.from({ length: Math.min(Number(values.threads), seeds) }, () =>
    runs(left, (outcome) => {
      outcomes.push(outcome);
      const { seed, subject, failure } = outcome;
      if (failure !== null) console.log(`seed ${seed} (${subject}): ${failure}\n`);
    }),
  );
  await Promise.all(threads);
  outcomes.sort((left, right) => left.seed - right.seed);
  const failed = outcomes.filter(({ failure }) => failure !== null);
  const total = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  console.log(
    `${seeds} runs from seed ${from}: ${total(({ entries }) => entries)} entries, ${total(({ commits }) => commits)} commits, ` +
      `${total(({ kills }) => kills)} processes killed, ${total(({ pauses }) => pauses)} paused, ${total(({ rollbacks }) => rollbacks)} times rolled back, ` +
      `${total(({ trimmed }) => trimmed)} entries taken out of archived logs, ${total(({ rebuilt }) => rebuilt)} rebuilds.\n${failed.length === 0 ? 'Everything held.' : `${failed.length} failed: ${failed.map(({ seed }) => seed).join(', ')}. Repeat one with --from SEED --seeds 1.`}`,
  );
  if (values.json) await writeFile(values.json, JSON.stringify(outcomes, null, 1));
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** A thread that takes one seed after the other, until none is left. */
function runs(seeds: Iterator<number>, tell: (outcome: Outcome) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Thread(new URL(import.meta.url));
    const give = (): void => {
      const { value, done } = seeds.next();
      if (done) void thread.terminate().then(() => resolve());
      else thread.postMessage(value);
    };
    thread.on('message', (outcome: Outcome) => {
      tell(outcome);
      give();
    });
    thread.on('error', reject);
    give();
  });
}

if (isMainThread) await main();
else
  parentPort!.on('message', (seed: number) => {
    void new Simulation(seed).run().then((outcome) => parentPort!.postMessage(outcome));
  });
