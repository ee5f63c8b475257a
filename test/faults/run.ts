/** `npm run faults`: real processes, and a real Redis, sentinels and cluster, broken for a while under load. See faults.ts. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { breakEverything, type FaultFigures, type Place, PLACES } from './faults.js';

/** A day. */
const MINUTES_MAX = 1_440;

const USAGE = `npm run faults [-- options]

  --minutes N      for how long everything is broken, in all (3)
  --on PLACE       server, sentinel or cluster: on one Redis, on a master and a replica under sentinels, or on a cluster;
                   without it on each for a third of the time
  --seed N         of which faults (the time of day)
  --json FILE      the figures, as JSON`;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    on: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const places = Object.keys(PLACES) as Place[];
const minutes = Number(options.minutes);
const seed = Number(options.seed ?? Date.now() % 1_000_000);
const wrong =
  options.on !== undefined && !places.some((place) => place === options.on)
    ? `Faults are made on ${places.join(', ')}, not on "${options.on}".`
    : !(minutes > 0 && minutes <= MINUTES_MAX)
      ? `Minutes are a number up to ${MINUTES_MAX}, not "${options.minutes}".`
      : !Number.isSafeInteger(seed)
        ? `A seed is a whole number, not "${options.seed}".`
        : null;

if (options.help) console.log(USAGE);
else if (wrong !== null) {
  console.error(`${wrong}\n\n${USAGE}`);
  process.exitCode = 2;
} else await run();

async function run(): Promise<void> {
  const broken = places.filter((on) => options.on === undefined || options.on === on);
  const all: FaultFigures[] = [];
  for (const on of broken) {
    const started = performance.now();
    const figures = await breakEverything({
      on,
      seed,
      ms: (minutes * 60_000) / broken.length,
      say: (line) =>
        process.stderr.write(
          `${((performance.now() - started) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`,
        ),
    });
    all.push(figures);
    console.log(textOf(figures));
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(all, null, 2)}\n`);
  const isWrong = all.some(({ duplicates, losses, wrongRows }) => duplicates + losses + wrongRows > 0);
  console.log(
    isWrong ? 'Something was lost, or counted twice.' : 'Nothing was lost, and nothing counted twice.',
  );
  process.exitCode = isWrong ? 1 : 0;
}

function textOf(figures: FaultFigures): string {
  const lines: [string, string | number][] = [
    ['seed', figures.seed],
    ...Object.entries(figures.faults),
    ['events sent', figures.eventsSent],
    ['events counted', figures.eventsCounted],
    ['duplicates', figures.duplicates],
    ['losses', figures.losses],
    ['wrong rows', figures.wrongRows],
    ['fenced commits', figures.fencedCommits],
    ['recoveries of what a slot lost', figures.recoveries],
    ['tasks taken over', figures.takeovers],
    ['workers that ended by themselves', figures.workersEnded],
    ['views rebuilt that were ahead of a log that went back', figures.rebuilds],
    ['views rebuilt meanwhile', figures.rebuiltMeanwhile],
    ['entries in the archive alone', figures.entriesArchived],
    ['longest gap in freshness', `${(figures.longestGapMs / 1_000).toFixed(1)} s`],
    ['the same while no view was parked', `${(figures.longestGapUnparkedMs / 1_000).toFixed(1)} s`],
  ];
  return [
    `\nOn ${PLACES[figures.on]}`,
    ...lines.map(([name, value]) => `  ${name.padEnd(54)} ${String(value).padStart(9)}`),
    '',
  ].join('\n');
}
