import type { Bench, Figure, Reading } from '../figure.js';
import { median } from '../median.js';
import { Crew, Producer, sleep, type Sent } from './crew.js';

const SPEC = { name: 'view', stream: 'made-flights', shape: 'move', partitions: 4 } as const;
const PER_SECOND = 500;
const LEASE_MS = 1_000;
const SETTLE_MS = 1_500;
const AFTER_MS = 4_000;

/** How long the rows of a killed worker stand still, and those of one that is told to stop. */
export const takeover: Figure = {
  name: 'takeover',
  title: `One of two workers goes under ${PER_SECOND} events a second, lease of ${LEASE_MS} ms, rows that move`,
  async measure(bench: Bench): Promise<Reading[]> {
    const repetitions = bench.scale.quick ? 1 : 3;
    const killed: number[] = [];
    const stopped: number[] = [];
    const redis = await bench.redis();
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const [how, gaps] of [
        ['kill', killed],
        ['end', stopped],
      ] as const) {
        bench.note(`${how}, ${repetition + 1} of ${repetitions}`);
        const client = redis.client();
        const crew = await Crew.start(redis, {
          prefix: 'takeover',
          spec: SPEC,
          workers: 2,
          limits: { leaseMs: LEASE_MS },
        });
        try {
          const generation = await crew.placed();
          const sent = new Map<string, Sent[]>();
          let over = false;
          const sending = new Producer(client, SPEC, 1_000).send(PER_SECOND, sent, () => over);
          const seen = crew.freshness(generation, sent, () => over);
          await sleep(bench.scale.quick ? 300 : SETTLE_MS);
          await crew.workers.shift()![how]();
          await sleep(AFTER_MS);
          over = true;
          await sending;
          gaps.push(Math.max(...(await seen)));
          await crew.expectAllCounted(
            generation,
            [...sent.values()].reduce((sum, entries) => sum + entries.length, 0),
          );
        } finally {
          await crew.end();
          await client.flushall();
          client.disconnect();
        }
      }
    }
    return [
      { name: 'killed', label: 'killed: the oldest event that waited', value: median(killed), unit: 'ms' },
      {
        name: 'beyondLease',
        label: 'the same beyond the lease',
        value: median(killed) - LEASE_MS,
        unit: 'ms',
      },
      {
        name: 'stopped',
        label: 'stopped: the oldest event that waited',
        value: median(stopped),
        unit: 'ms',
        target: { is: '≤', value: 100 },
      },
    ];
  },
};
