import { Redis } from 'ioredis';
import { drained } from './drain.js';
import type { MadeFlight } from './flight-events.js';

/** The handler as it is usually written: for each event one command to Redis, awaited. */
export async function awaitedLoop(options: {
  url: string;
  stream: string;
  eventsMax: number;
}): Promise<{ events: number; ms: number }> {
  const redis = new Redis(options.url);
  await redis.ping();
  const startedAt = performance.now();
  let events = 0;
  for await (const batch of drained(redis, options.stream)) {
    for (const flight of batch as MadeFlight[]) {
      if (events === options.eventsMax) break;
      await redis.hincrby(`${options.stream}:counts`, flight.origin, 1);
      events++;
    }
    if (events === options.eventsMax) break;
  }
  const ms = performance.now() - startedAt;
  await redis.del(`${options.stream}:counts`);
  redis.disconnect();
  return { events, ms };
}
