import { RedisConnections } from '../src/redis/connections.js';
import { Keyspace } from '../src/redis/keyspace.js';
import { RedisViewStore } from '../src/redis/redis-view-store.js';
import { BUCKETS_DEFAULT } from '../src/view/view.js';
import type { Bench, Figure, Reading } from './figure.js';
import { airport, FlightEvents } from './flight-events.js';
import { endOf, load } from './load.js';
import { median } from './median.js';
import { inSubject } from './subject-process.js';

const STREAM = 'made-flights';
const VIEW = 'by-origin';
const SEED = 1;
const WITHIN_MS = 300_000;

/** How many events a second a view takes from a stream that is full already, against reading them and nothing more. */
export const endToEnd: Figure = {
  name: 'end-to-end',
  title: 'Events a second through a view: count, sum and max by key, committed to Redis',
  async measure(bench: Bench): Promise<Reading[]> {
    const { quick } = bench.scale;
    const events = bench.scale.events ?? (quick ? 20_000 : 600_000);
    const keys = quick ? 500 : 5_000;
    const repetitions = quick ? 1 : 3;
    const redis = await bench.redis();
    const client = redis.client();
    bench.note(`loading ${events} events`);
    await load(client, STREAM, madeUp(events, keys));
    const end = await endOf(client, STREAM);

    const drains: number[] = [];
    const subjects: number[] = [];
    const byProcessor: number[] = [];
    const ticks: number[] = [];
    const awaited: number[] = [];
    const inMemory: number[] = [];
    const eventsAwaited = Math.min(events, quick ? 5_000 : 30_000);
    for (let repetition = 0; repetition < repetitions; repetition++) {
      bench.note(`${repetition + 1} of ${repetitions}`);
      const drained = await inSubject((subject) => subject.call('drain', { url: redis.url, stream: STREAM }));
      drains.push((drained.events / drained.ms) * 1_000);
      const prefix = `e2e${repetition}`;
      await inSubject(
        async (subject) => {
          await subject.call('start', {
            url: redis.url,
            prefix,
            views: [{ name: VIEW, stream: STREAM, shape: 'byOrigin' }],
          });
          const took = await subject.call('maintained', { stream: STREAM, end, withinMs: WITHIN_MS });
          subjects.push((events / took.ms) * 1_000);
          byProcessor.push(drained.cpuMs / took.cpuMs);
          ticks.push((await subject.call('counters', null)).ticks);
        },
        { profileInto: bench.profileInto },
      );
      await expectAllCounted(redis.url, prefix, VIEW, events);
      await client.xgroup('DESTROY', STREAM, prefix);
      const loop = await inSubject((subject) =>
        subject.call('awaitedLoop', { url: redis.url, stream: STREAM, eventsMax: eventsAwaited }),
      );
      awaited.push((loop.events / loop.ms) * 1_000);
      const ivm = await inSubject((subject) => subject.call('dbIvm', { events, keys, seed: SEED }));
      if (ivm.counted !== events) throw new Error(`db-ivm counted ${ivm.counted} of ${events} events.`);
      inMemory.push((ivm.events / ivm.ms) * 1_000);
    }

    return [
      { name: 'view', label: 'the view', value: median(subjects), unit: 'events/s' },
      { name: 'eventsPerTick', label: 'events a commit', value: events / median(ticks), unit: 'count' },
      { name: 'drain', label: 'bare drain of the same stream', value: median(drains), unit: 'events/s' },
      {
        name: 'ofDrain',
        label: 'view / bare drain',
        value: median(subjects.map((subject, index) => subject / drains[index]!)),
        unit: '×',
        target: { is: '≥', value: 0.5 },
      },
      {
        name: 'ofDrainByProcessor',
        label: "the same by the processes' processor time",
        value: median(byProcessor),
        unit: '×',
      },
      { name: 'awaited', label: 'one awaited HINCRBY an event', value: median(awaited), unit: 'events/s' },
      {
        name: 'ofAwaited',
        label: 'view / awaited loop',
        value: median(subjects.map((subject, index) => subject / awaited[index]!)),
        unit: '×',
        target: { is: '≥', value: 15 },
      },
      {
        name: 'dbIvm',
        label: '@tanstack/db-ivm, in memory, events already parsed',
        value: median(inMemory),
        unit: 'events/s',
      },
      {
        name: 'ofDbIvm',
        label: 'view / db-ivm',
        value: median(subjects.map((subject, index) => subject / inMemory[index]!)),
        unit: '×',
        target: { is: '≥', value: 4 },
      },
    ];
  },
};

/** The texts of events of `keys` airports, uniformly. */
export function* madeUp(events: number, keys: number, seed = SEED): Generator<string> {
  const made = new FlightEvents(seed);
  for (let index = 0; index < events; index++) yield JSON.stringify(made.next(airport(made.uniform(keys))));
}

/** A figure of a view that lost or doubled something would be none. */
export async function expectAllCounted(
  url: string,
  prefix: string,
  view: string,
  events: number,
): Promise<void> {
  const connections = new RedisConnections({ url });
  try {
    const store = new RedisViewStore(connections, new Keyspace(prefix));
    const { rows } = await store.all({ view, generation: 1, stage: 0, partition: 0 }, BUCKETS_DEFAULT);
    const counted = rows.reduce(
      (sum, { text }) => sum + (JSON.parse(text) as { flights: number }).flights,
      0,
    );
    if (counted !== events) throw new Error(`The view "${view}" counts ${counted} of ${events} events.`);
  } finally {
    await connections.close();
  }
}
