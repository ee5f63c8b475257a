/**
 * `npm run bench`: what is claimed about speed, measured in one run on one machine. See README.md.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { endToEnd } from './end-to-end.js';
import type { Bench, Figure, Reading } from './figure.js';
import { groupCount } from './group-count.js';
import { latency } from './latency.js';
import { manyViews } from './many-views.js';
import { memory } from './memory.js';
import { printed, report } from './printed.js';
import { rebuild } from './rebuild.js';
import { RedisServer } from './redis-server.js';
import { takeover } from './takeover.js';

const figures: readonly Figure[] = [endToEnd, groupCount, rebuild, latency, memory, takeover, manyViews];

const USAGE = `npm run bench -- [options]

  --only NAME,NAME   these figures only: ${figures.map(({ name }) => name).join(', ')}
  --events N         so many events in the streams of end-to-end, rebuild and many-views
  --quick            little of everything: to see that it runs, not how fast
  --aof              Redis with its append-only file, as \`npm start\` runs it
  --json FILE        the figures as JSON too
  --profile DIR      V8 profiles of the measured processes`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    events: { type: 'string' },
    quick: { type: 'boolean', default: false },
    aof: { type: 'boolean', default: false },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

// What was started here ends with the benchmark, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (options.help) console.log(USAGE);
else await run();

async function run(): Promise<void> {
  const names = options.only?.split(',') ?? figures.map(({ name }) => name);
  const unknown = names.filter((name) => !figures.some((figure) => figure.name === name));
  const events = options.events === undefined ? null : Number(options.events);
  if (unknown.length > 0 || (events !== null && !(Number.isSafeInteger(events) && events > 0))) {
    console.error(
      unknown.length > 0 ? `There is no figure ${unknown.join(', ')}.\n` : '--events is a whole number.\n',
    );
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }

  const startedAt = new Date();
  const environment = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    redis: options.aof ? 'private, append-only file, fsync every second' : 'private, no append-only file',
    scale: options.quick ? 'quick: the figures mean nothing' : events === null ? 'full' : `${events} events`,
  };
  console.log(
    Object.entries(environment)
      .map(([name, value]) => `${name.padEnd(6)} ${value}`)
      .join('\n'),
  );

  const measured: { figure: Figure; readings: Reading[] }[] = [];
  for (const figure of figures.filter(({ name }) => names.includes(name))) {
    const servers: RedisServer[] = [];
    const bench: Bench = {
      scale: { events, quick: options.quick },
      profileInto: options.profile ?? null,
      note: (text) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${figure.name}: ${text} …`);
      },
      redis: async () => {
        const server = await RedisServer.start({ aof: options.aof });
        servers.push(server);
        return server;
      },
    };
    try {
      const readings = await figure.measure(bench);
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
      console.log(printed(figure, readings));
      measured.push({ figure, readings });
    } finally {
      for (const server of servers) await server.stop();
    }
  }
  if (options.json !== undefined)
    writeFileSync(options.json, JSON.stringify(report(startedAt, environment, measured), null, 2) + '\n');
}
