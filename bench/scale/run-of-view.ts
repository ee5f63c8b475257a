import type { BenchRedis } from '../figure.js';
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

/** How long a view takes for logs that are full already, and how much of the processors of its workers. */
export async function took(
  redis: BenchRedis,
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
    await redis.flush();
    client.disconnect();
  }
}
