import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, BenchRedis, Figure, Reading } from './figure.js';
import { printed, report } from './printed.js';
import { RedisCluster } from './redis-cluster.js';
import { RedisServer } from './redis-server.js';

export interface BenchCommand {
  /** As it is typed. */
  readonly name: string;
  readonly figures: readonly Figure[];
  /** What `--events` is of. */
  readonly events: string;
  readonly profiles: string;
}

/** A benchmark from the command line: figures, one after the other, each over servers that are started for it and ended. */
export async function runCommand({ name, figures, events: of, profiles }: BenchCommand): Promise<void> {
  const usage = `${name} -- [options]

  --only NAME,NAME   these figures only: ${figures.map((figure) => figure.name).join(', ')}
  --events N         so many events in the streams of ${of}
  --quick            little of everything: to see that it runs, not how fast
  --aof              Redis with its append-only file, as \`npm start\` runs it
  --json FILE        the figures as JSON too
  --profile DIR      V8 profiles of ${profiles}`;
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
  if (options.help) return console.log(usage);

  const names = options.only?.split(',') ?? figures.map((figure) => figure.name);
  const unknown = names.filter((wanted) => !figures.some((figure) => figure.name === wanted));
  const events = options.events === undefined ? null : Number(options.events);
  if (unknown.length > 0 || (events !== null && !(Number.isSafeInteger(events) && events > 0))) {
    console.error(
      unknown.length > 0 ? `There is no figure ${unknown.join(', ')}.\n` : '--events is a whole number.\n',
    );
    console.error(usage);
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
  for (const [what, value] of Object.entries(environment)) console.log(`${what.padEnd(6)} ${value}`);

  const measured: { figure: Figure; readings: Reading[] }[] = [];
  for (const figure of figures.filter((each) => names.includes(each.name))) {
    const servers: BenchRedis[] = [];
    const kept = <T extends BenchRedis>(server: T): T => {
      servers.push(server);
      return server;
    };
    const bench: Bench = {
      scale: { events, quick: options.quick },
      profileInto: options.profile ?? null,
      note: (text) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${figure.name}: ${text} …`);
      },
      redis: async () => kept(await RedisServer.start({ aof: options.aof })),
      cluster: async () => kept(await RedisCluster.start({ aof: options.aof })),
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
