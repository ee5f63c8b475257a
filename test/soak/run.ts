/** `npm run soak`: what Redis holds after many windows, against after the first ten. See soak.ts. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Held, soak } from './soak.js';

const USAGE = `npm run soak -- [options]

  --windows N     how many windows are turned over (1000)
  --seed N        of which events (1)
  --json FILE     what Redis held, as JSON`;

const { values: options } = parseArgs({
  options: {
    windows: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** How much more may be there at the end. */
const TENTH = 1.1;

if (options.help) console.log(USAGE);
else await run();

async function run(): Promise<void> {
  const windows = Number(options.windows);
  const looks: Held[] = [];
  console.log(`windows      keys        bytes`);
  const { first, last } = await soak({
    windows,
    seed: Number(options.seed),
    every: Math.max(10, Math.round(windows / 10)),
    told: (held) => {
      looks.push(held);
      console.log(
        `${String(held.windows).padStart(7)}  ${String(held.keys).padStart(8)}  ${String(held.bytes).padStart(11)}`,
      );
    },
  });
  for (const [of, bytes] of last.bytesBy) {
    const before = first.bytesBy.get(of) ?? 0;
    if (bytes > before * TENTH) console.log(`${of} holds ${bytes} bytes; after the first windows ${before}`);
  }
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      JSON.stringify(looks.map(({ windows: after, keys, bytes }) => ({ windows: after, keys, bytes }))) +
        '\n',
    );
  const grown = last.keys > first.keys * TENTH || last.bytes > first.bytes * TENTH;
  console.log(
    grown ? 'Redis holds more than a tenth more.' : 'Redis holds no more than after the first windows.',
  );
  process.exitCode = grown ? 1 : 0;
}
