import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How long the compiler takes over many views: `node dist/bench/types.js [views]`. Writes modules of ten views
 * each beside the sources, checks them with the project's own settings, and compares with the same without views.
 */
const SOURCES = `
import { instant, stream, table } from 'stillwater';
import { z } from 'zod';
export const flights = stream('flights', { schema: z.object({ at: instant(), delay: z.int(), origin: z.string(), destination: z.string(), distance: z.number().optional() }), eventTime: 'at' });
export const airports = table('airports', { schema: z.object({ iata: z.string(), name: z.string(), city: z.string(), state: z.string().nullable() }), key: 'iata' });
`;
const IMPORTS = `
import { avg, computed, count, countIf, max, sum, view } from 'stillwater';
import { z } from 'zod';
import { airports, flights } from './sources.js';
`;

function viewText(number: number): string {
  return `
export const view${number} = view('view-${number}', {
  from: flights
    .where((flight) => flight.delay > ${number})
    .groupBy('origin', { day: computed(z.string(), (flight) => flight.at.slice(0, 10)) })
    .aggregate({ flights: count(), mean: avg('delay'), worst: max('delay'), miles: sum('distance'), late: countIf((flight) => flight.delay > 15) })
    .join({ airport: airports }, { on: { origin: 'iata' } })
    .select({ origin: 'origin', day: 'day', flights: 'flights', mean: 'mean', city: 'airport.city', column${number}: computed(z.boolean(), (row) => row.worst > row.flights) }),
  indexes: ['flights.desc', 'city,flights.desc'],
});
export const over${number} = view('over-${number}', { from: view${number}.groupBy('city').aggregate({ flights: sum('flights') }) });
`;
}

function check(folder: string, count: number): { seconds: number; instantiations: number } {
  writeFileSync(join(folder, 'sources.ts'), SOURCES);
  for (let first = 0; first < count; first += 10) {
    const names = Array.from({ length: Math.min(10, count - first) }, (_, index) => first + index);
    writeFileSync(join(folder, `views-${first}.ts`), IMPORTS + names.map(viewText).join(''));
  }
  const compilerOptions = { types: ['node'], paths: { stillwater: ['../../src/index.ts'] } };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.test.json', compilerOptions, include: ['.'] }),
  );
  const tsc = ['node_modules/typescript/bin/tsc', '--noEmit', '--extendedDiagnostics', '-p', folder];
  const run = spawnSync(process.execPath, tsc, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stdout);
  const figure = (label: string): number => Number(new RegExp(`${label}:\\s*([\\d.]+)`).exec(run.stdout)![1]);
  return { seconds: figure('Check time'), instantiations: figure('Instantiations') };
}

const views = Number(process.argv[2] ?? 200);
const folder = mkdtempSync(join(process.cwd(), 'test', 'types-bench-'));
try {
  const empty = check(folder, 0);
  const full = check(folder, views);
  console.log(
    `${views} views: checked in ${full.seconds.toFixed(1)} s, ${full.instantiations} instantiations`,
  );
  console.log(`none:      checked in ${empty.seconds.toFixed(1)} s, ${empty.instantiations} instantiations`);
} finally {
  rmSync(folder, { recursive: true });
}
