/**
 * `npm run bench:scale`: what more workers, more partitions and rows that move between partitions bring and cost. See README.md.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, Figure, Reading } from '../figure.js';
import { printed, report } from '../printed.js';
import { RedisServer } from '../redis-server.js';
import { rebuild } from './rebuild.js';
import { scaleOut } from './scale-out.js';
import { takeover } from './takeover.js';

const figures: readonly Figure[] = [scaleOut, takeover, rebuild];

const USAGE = `npm run bench:scale -- [options]

  --only NAME,NAME   these figures only: ${figures.map(({ name }) => name).join(', ')}
  --events N         so many events in the streams of scale-out and rebuild
  --quick            little of everything: to see that it runs, not how fast
  --json FILE        the figures as JSON too
  --profile DIR      V8 profiles of the workers`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    events: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

// What was started here ends with the benchmark, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const only = options.only?.split(',') ?? figures.map(({ name }) => name);
const unknown = only.filter((name) => !figures.some((figure) => figure.name === name));
const events = options.events === undefined ? null : Number(options.events);
if (options.help) console.log(USAGE);
else if (unknown.length > 0 || (events !== null && !(Number.isSafeInteger(events) && events > 0))) {
  console.error(
    unknown.length > 0 ? `Nothing is named ${unknown.join(', ')}.\n` : '--events is a whole number.\n',
  );
  console.error(USAGE);
  process.exitCode = 2;
} else await run();

async function run(): Promise<void> {
  const startedAt = new Date();
  const environment = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    redis: 'one, private, no append-only file',
    scale: options.quick ? 'quick: the figures mean nothing' : events === null ? 'full' : `${events} events`,
  };
  for (const [name, value] of Object.entries(environment)) console.log(`${name.padEnd(6)} ${value}`);
  const measured: { figure: Figure; readings: Reading[] }[] = [];
  for (const figure of figures.filter(({ name }) => only.includes(name))) {
    const servers: RedisServer[] = [];
    const bench: Bench = {
      scale: { events, quick: options.quick },
      profileInto: options.profile ?? null,
      note: (text) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${figure.name}: ${text} …`);
      },
      redis: async () => {
        const server = await RedisServer.start({ aof: false });
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
