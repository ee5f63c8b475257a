import { RedisConnections } from '../src/redis/connections.js';
import { Keyspace } from '../src/redis/keyspace.js';
import { RedisViewStore } from '../src/redis/redis-view-store.js';
import { BUCKETS_DEFAULT } from '../src/view/view.js';
import type { Bench, Figure, Reading } from './figure.js';
import { airport, FlightEvents } from './flight-events.js';
import { median, percentile } from './median.js';
import { inSubject } from './subject-process.js';

const STREAM = 'made-flights';
const VIEW = 'by-origin';
const PREFIX = 'latency';
const EVENTS_PER_SECOND = 1_000;
/** Every so many events is one of a group of its own: its row is there when the event is visible. */
const SAMPLE_EVERY = 5;
const KEYS = 5_000;
/** Not counted: code is being compiled. */
const WARM_UP_MS = 2_000;
/** How long the last events may take to be seen. */
const SEEN_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 1;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How long it takes from sending an event until a reading of its row returns it. */
export const latency: Figure = {
  name: 'latency',
  title: 'From sending an event to reading it in its row, at 1,000 events a second',
  async measure(bench: Bench): Promise<Reading[]> {
    const forMs = (bench.scale.quick ? 1_000 : 12_000) + WARM_UP_MS;
    const redis = await bench.redis();
    const client = redis.client();
    const connections = new RedisConnections({ url: redis.url });
    const store = new RedisViewStore(connections, new Keyspace(PREFIX));
    bench.note(`${forMs / 1_000} s`);
    try {
      const tookMs = await inSubject(async (subject) => {
        await subject.call('start', {
          url: redis.url,
          prefix: PREFIX,
          views: [{ name: VIEW, stream: STREAM, shape: 'byOrigin' }],
        });
        const startedAt = performance.now();
        /** By the text of the row's key: when its event was sent. */
        const unseen = new Map<string, number>();
        const found: number[] = [];
        let sending = true;
        const failures: unknown[] = [];

        const send = async (): Promise<void> => {
          const events = new FlightEvents(4);
          for (let sent = 0; performance.now() - startedAt < forMs; await pause(1)) {
            const due = ((performance.now() - startedAt) * EVENTS_PER_SECOND) / 1_000;
            for (; sent < due; sent++) {
              const sample = sent % SAMPLE_EVERY === 0;
              const origin = airport(sample ? KEYS + sent : events.uniform(KEYS));
              const now = performance.now();
              client
                .xadd(STREAM, '*', 'data', JSON.stringify(events.next(origin)))
                .catch((thrown) => failures.push(thrown));
              if (sample) unseen.set(origin, now);
            }
          }
          sending = false;
        };
        const look = async (): Promise<void> => {
          const until = startedAt + forMs + SEEN_WITHIN_MS;
          for (; sending || unseen.size > 0; await pause(ASK_AGAIN_MS)) {
            if (failures.length > 0) throw failures[0];
            if (performance.now() > until) throw new Error(`${unseen.size} events were not seen.`);
            if (unseen.size === 0) continue;
            const task = { view: VIEW, generation: 1, stage: 0, partition: 0 };
            const { rows } = await store.rows(task, BUCKETS_DEFAULT, [...unseen.keys()]);
            const now = performance.now();
            for (const { key, text } of rows) {
              const { origin } = JSON.parse(text) as { origin: string };
              if (origin !== key) throw new Error(`The row under ${key} is of ${origin}.`);
              const sentAt = unseen.get(key)!;
              unseen.delete(key);
              if (sentAt - startedAt >= WARM_UP_MS) found.push(now - sentAt);
            }
          }
        };
        await Promise.all([send(), look()]);
        return found;
      });
      return [
        { name: 'samples', label: 'events looked for', value: tookMs.length, unit: 'count' },
        { name: 'p50', label: 'half of them within', value: median(tookMs), unit: 'ms' },
        {
          name: 'p99',
          label: '99 of 100 within',
          value: percentile(tookMs, 0.99),
          unit: 'ms',
          target: { is: '<', value: 15 },
        },
        { name: 'max', label: 'all within', value: percentile(tookMs, 1), unit: 'ms' },
      ];
    } finally {
      await connections.close();
    }
  },
};
