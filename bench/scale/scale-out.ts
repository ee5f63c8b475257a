import type { Bench, Figure, Reading } from '../figure.js';
import { median } from '../median.js';
import type { RedisServer } from '../redis-server.js';
import { Crew, Producer } from './crew.js';

const STREAM = 'made-flights';
const WORKERS = [1, 2, 4];
const PARTITIONS = [1, 4, 16];
/** Without an exchange, with one, and with two. */
const SHAPES = ['stay', 'move', 'moveTwice'] as const;
type Shape = (typeof SHAPES)[number];

interface Run {
  readonly shape: Shape;
  readonly workers: number;
  readonly partitions: number;
}

const nameOf = ({ shape, workers, partitions }: Run): string => `${shape}.${workers}w.${partitions}p`;
const labelOf = ({ shape, workers, partitions }: Run): string => {
  const moves = { stay: 'rows stay', move: 'rows move', moveTwice: 'rows move twice' }[shape];
  return `${moves}, ${workers} worker${workers === 1 ? '' : 's'}, ${partitions} partition${partitions === 1 ? '' : 's'}`;
};

/** What more processes and partitions bring, and what it costs that rows move between them. */
export const scaleOut: Figure = {
  name: 'scale-out',
  title: 'Events a second and processor time an event, by workers and partitions, with and without exchange',
  async measure(bench: Bench): Promise<Reading[]> {
    const events = bench.scale.events ?? (bench.scale.quick ? 5_000 : 200_000);
    const repetitions = bench.scale.quick ? 1 : 3;
    const runs = SHAPES.flatMap((shape) =>
      (bench.scale.quick ? [4] : PARTITIONS).flatMap((partitions) =>
        (bench.scale.quick ? [1, 2] : WORKERS)
          .filter((workers) => workers <= partitions && (shape === 'stay' || partitions > 1))
          .map((workers): Run => ({ shape, workers, partitions })),
      ),
    );
    const redis = await bench.redis();
    const rates = new Map<string, number[]>(runs.map((run) => [nameOf(run), []]));
    const costs = new Map<string, number[]>(runs.map((run) => [nameOf(run), []]));
    for (let repetition = 0; repetition < repetitions; repetition++)
      for (const run of runs) {
        bench.note(`${labelOf(run)}: ${repetition + 1} of ${repetitions}`);
        const { ms, cpuMs } = await took(redis, run, { events, profileInto: bench.profileInto });
        rates.get(nameOf(run))!.push((events / ms) * 1_000);
        costs.get(nameOf(run))!.push((cpuMs * 1_000) / events);
      }
    const readings = runs.flatMap((run): Reading[] => [
      { name: nameOf(run), label: labelOf(run), value: median(rates.get(nameOf(run))!), unit: 'events/s' },
      {
        name: `${nameOf(run)}.cost`,
        label: '  of processors',
        value: median(costs.get(nameOf(run))!),
        unit: 'µs/event',
      },
    ]);
    /** The median of the ratios of the same repetition: what is compared was measured one after the other. */
    const ratio = (of: Map<string, number[]>, one: Run, other: Run): number | null => {
      const [left, right] = [of.get(nameOf(one)), of.get(nameOf(other))];
      return left && right ? median(left.map((value, index) => value / right[index]!)) : null;
    };
    const add = (name: string, label: string, value: number | null, target?: Reading['target']): void => {
      if (value !== null) readings.push({ name, label, value, unit: '×', ...(target && { target }) });
    };
    for (const run of runs) {
      const { shape, workers, partitions } = run;
      if (workers > 1)
        add(
          `${nameOf(run)}.ofOne`,
          `${labelOf(run)} / one worker`,
          ratio(rates, run, { ...run, workers: 1 }),
        );
      if (shape === 'stay') continue;
      const stays: Run = { shape: 'stay', workers, partitions };
      const target = shape === 'move' ? ({ is: '≤', value: 2 } as const) : undefined;
      add(
        `${nameOf(run)}.overhead`,
        `${labelOf(run)}: time, against staying`,
        ratio(rates, stays, run),
        target,
      );
      add(`${nameOf(run)}.overheadCost`, '  the same of processors', ratio(costs, run, stays));
    }
    return readings;
  },
};

/** How long a view takes for logs that are full already, and how much of the processors of its workers. */
async function took(
  redis: RedisServer,
  { shape, workers, partitions }: Run,
  { events, profileInto }: { events: number; profileInto: string | null },
): Promise<{ ms: number; cpuMs: number }> {
  const client = redis.client();
  const spec = { name: 'view', stream: STREAM, shape, partitions };
  const crew = await Crew.start(redis, {
    prefix: 'scale',
    spec,
    workers,
    limits: { registryRefreshMs: 50 },
    profileInto,
  });
  try {
    const generation = await crew.placed();
    await crew.workers[0]!.call('pause', true);
    await new Producer(client, spec, 5_000).load(events);
    const before = await crew.cpuMs();
    const startedAt = performance.now();
    await crew.workers[0]!.call('pause', false);
    await crew.contained(generation);
    const ms = performance.now() - startedAt;
    const cpuMs = (await crew.cpuMs()) - before;
    await crew.expectAllCounted(generation, events);
    return { ms, cpuMs };
  } finally {
    await crew.end();
    await client.flushall();
    client.disconnect();
  }
}
