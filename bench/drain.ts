import { Redis } from 'ioredis';
import { cpuMs, type Took } from './cost.js';

/** Entries asked for at a time. */
const COUNT = 2_000;

/** The entries of a stream with their events parsed, as quickly as ioredis gives them. */
export async function* drained(redis: Redis, stream: string): AsyncGenerator<unknown[]> {
  for (let from = '-'; ;) {
    const entries = await redis.xrange(stream, from, '+', 'COUNT', COUNT);
    if (entries.length === 0) return;
    yield entries.map(([, fields]) => JSON.parse(fields[1]!));
    from = `(${entries[entries.length - 1]![0]}`;
  }
}

/** Reads and parses a whole stream and does nothing with it: what any consumer has to do. */
export async function drain(options: { url: string; stream: string }): Promise<Took & { events: number }> {
  const redis = new Redis(options.url);
  await redis.ping();
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let events = 0;
  for await (const batch of drained(redis, options.stream)) events += batch.length;
  const took = { ms: performance.now() - startedAt, cpuMs: cpuMs(process.cpuUsage(cpu)) };
  redis.disconnect();
  return { events, ...took };
}
