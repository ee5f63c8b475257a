import type { Bench, BenchRedis } from '../figure.js';
import { Crew, Producer } from './crew.js';

const STREAM = 'made-flights';

/** Without an exchange, with one, and with two. */
export const SHAPES = ['stay', 'move', 'moveTwice'] as const;
type Shape = (typeof SHAPES)[number];

export interface Run {
  readonly shape: Shape;
  readonly workers: number;
  readonly partitions: number;
}

export const nameOf = ({ shape, workers, partitions }: Run): string => `${shape}.${workers}w.${partitions}p`;
export const labelOf = ({ shape, workers, partitions }: Run): string => {
  const moves = { stay: 'rows stay', move: 'rows move', moveTwice: 'rows move twice' }[shape];
  return `${moves}, ${workers} worker${workers === 1 ? '' : 's'}, ${partitions} partition${partitions === 1 ? '' : 's'}`;
};

/** How many events a run has, and how often it is measured. */
export const extentOf = ({ scale }: Bench): { events: number; repetitions: number } => ({
  events: scale.events ?? (scale.quick ? 5_000 : 200_000),
  repetitions: scale.quick ? 1 : 3,
});

export interface Measured {
  /** Events a second. */
  readonly rate: number;
  /** Processor time of the workers, in µs an event. */
  readonly cost: number;
}

/** How quickly a view takes logs that are full already, and how much of the processors of its workers. */
export async function measured(
  redis: BenchRedis,
  { shape, workers, partitions }: Run,
  bench: Bench,
): Promise<Measured> {
  const { events } = extentOf(bench);
  const client = redis.client();
  const spec = { name: 'view', stream: STREAM, shape, partitions };
  const crew = await Crew.start(redis, {
    prefix: 'scale',
    spec,
    workers,
    limits: { registryRefreshMs: 50 },
    profileInto: bench.profileInto,
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
    return { rate: (events / ms) * 1_000, cost: (cpuMs * 1_000) / events };
  } finally {
    await crew.end();
    await redis.flush();
    client.disconnect();
  }
}
