import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Outcome, Simulation } from './simulation.js';

/** `npm run simulate -- --seeds N [--from SEED] [--json FILE]`: runs, one after the other, and what they found. */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const from = Number(values.from);
const seeds = Number(values.seeds);
const outcomes: Outcome[] = [];
for (let seed = from; seed < from + seeds; seed++) {
  const outcome = await new Simulation(seed).run();
  outcomes.push(outcome);
  if (outcome.failure) console.log(`seed ${seed} (${outcome.subject}): ${outcome.failure}\n`);
}
const failed = outcomes.filter(({ failure }) => failure !== null);
const total = (of: (outcome: Outcome) => number): number =>
  outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
console.log(
  `${seeds} runs from seed ${from}: ${total(({ entries }) => entries)} entries, ${total(({ commits }) => commits)} commits, ` +
    `${total(({ kills }) => kills)} processes killed, ${total(({ pauses }) => pauses)} paused, ${total(({ rollbacks }) => rollbacks)} times rolled back, ` +
    `${total(({ rebuilt }) => rebuilt)} rebuilds after that.\n${failed.length === 0 ? 'Everything held.' : `${failed.length} failed: ${failed.map(({ seed }) => seed).join(', ')}. Repeat one with --from SEED --seeds 1.`}`,
);
if (values.json) await writeFile(values.json, JSON.stringify(outcomes, null, 1));
process.exitCode = failed.length === 0 ? 0 : 1;
