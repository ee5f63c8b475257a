import type { Redis } from 'ioredis';
import type { ViewSpec } from './declared-views.js';
import type { Bench } from './figure.js';
import { airport, FlightEvents } from './flight-events.js';
import { endOf, load } from './load.js';
import type { RedisServer } from './redis-server.js';
import { inSubject } from './subject-process.js';

const FILLED_WITHIN_MS = 300_000;
/** Events of one entry where a state is only to be made. */
const EVENTS_PER_ENTRY = 50;

/** A view whose state has so many groups, in a Redis; further events can be appended for it. */
export interface FilledView {
  readonly prefix: string;
  readonly spec: ViewSpec;
  readonly groups: number;
}

/** Makes a view with one event for each of `groups` groups, and ends the process that maintained it. */
export async function filledView(
  bench: Bench,
  redis: RedisServer,
  { name, groups }: { name: string; groups: number },
): Promise<FilledView> {
  const filled: FilledView = {
    prefix: name,
    spec: { name: 'by-origin', stream: `flights-${name}`, shape: 'byOrigin' },
    groups,
  };
  const client = redis.client();
  const { stream } = filled.spec;
  if (groups > 0) {
    bench.note(`making ${groups.toLocaleString('en-US')} groups`);
    const events = new FlightEvents(groups);
    const one = function* (): Generator<string> {
      for (let group = 0; group < groups; group++) yield JSON.stringify(events.next(airport(group)));
    };
    await load(client, stream, one(), { eventsPerEntry: EVENTS_PER_ENTRY });
    const end = await endOf(client, stream);
    await inSubject(async (subject) => {
      await subject.call('start', { url: redis.url, prefix: filled.prefix, views: [filled.spec] });
      await subject.call('maintained', { stream, end, withinMs: FILLED_WITHIN_MS });
    });
  }
  client.disconnect();
  return filled;
}

/**
 * Appends events of groups taken uniformly at random, or each group once before any comes again: then as many groups
 * change in a tick as it has events. The end of the stream.
 */
export async function appendEvents(
  redis: Redis,
  { spec, groups }: FilledView,
  options: { events: number; order: 'random' | 'round'; seed: number; eventsPerEntry?: number },
): Promise<string> {
  const made = new FlightEvents(options.seed);
  const texts = function* (): Generator<string> {
    for (let index = 0; index < options.events; index++) {
      const group = options.order === 'round' ? (index * ROUND_STEP) % groups : made.uniform(groups);
      yield JSON.stringify(made.next(airport(group)));
    }
  };
  await load(redis, spec.stream, texts(), { eventsPerEntry: options.eventsPerEntry });
  return endOf(redis, spec.stream);
}

/** Has no divisor in common with a power of ten: all groups come, and not in the order of their names. */
const ROUND_STEP = 7_919;
