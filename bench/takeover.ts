import type { Bench, Figure, Reading } from './figure.js';
import { appendEvents, type FilledView, filledView } from './filled-views.js';
import { median } from './median.js';
import { SubjectProcess } from './subject-process.js';

/** Events that wait when the task is taken over: less than a tick. */
const EVENTS = 500;
const WITHIN_MS = 60_000;
/** A short lease: waiting for its end is no part of what is measured. */
const LEASE_MS = 500;

/** How soon a worker that takes a view over from a killed one has committed something, by the size of the state. */
export const takeover: Figure = {
  name: 'takeover',
  title: 'First tick after a takeover: from the claim to the first commit',
  async measure(bench: Bench): Promise<Reading[]> {
    const { quick } = bench.scale;
    const repetitions = quick ? 1 : 5;
    const rows = quick ? 10_000 : 1_000_000;
    const redis = await bench.redis();
    const client = redis.client();
    const large = await filledView(bench, redis, { name: 'large', groups: rows });

    const took = async (view: FilledView, seed: number): Promise<number> => {
      const options = {
        url: redis.url,
        prefix: view.prefix,
        views: [view.spec],
        limits: { leaseMs: LEASE_MS, registryRefreshMs: 50 },
      };
      const first = new SubjectProcess();
      const end = await appendEvents(client, view, { events: EVENTS, order: 'random', seed });
      await first.call('start', options);
      await first.call('maintained', { stream: view.spec.stream, end, withinMs: WITHIN_MS });
      await first.kill();
      // Other groups than before: none of their values was ever in the new worker's memory.
      await appendEvents(client, view, { events: EVENTS, order: 'random', seed: seed + 1 });
      const second = new SubjectProcess();
      try {
        await second.call('start', options);
        // The claim waits for the end of the killed worker's lease; the measure begins with the claim.
        return await second.call('claimToCommitMs', { view: view.spec.name, withinMs: WITHIN_MS });
      } finally {
        await second.end();
      }
    };

    const ofLarge: number[] = [];
    const ofEmpty: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      bench.note(`${repetition + 1} of ${repetitions}`);
      // A view of its own each time, which has nothing but what the killed worker left: the events of one tick.
      const empty: FilledView = {
        ...(await filledView(bench, redis, { name: `empty${repetition}`, groups: 0 })),
        groups: rows,
      };
      ofEmpty.push(await took(empty, 1_000 + repetition * 2));
      ofLarge.push(await took(large, 1_000 + repetition * 2));
    }
    return [
      { name: 'empty', label: `a state of ${EVENTS} rows`, value: median(ofEmpty), unit: 'ms' },
      {
        name: 'large',
        label: `a state of ${rows.toLocaleString('en-US')} rows`,
        value: median(ofLarge),
        unit: 'ms',
      },
      {
        name: 'cost',
        label: 'large / empty',
        value: median(ofLarge) / median(ofEmpty),
        unit: '×',
        target: { is: '<', value: 1.5 },
      },
    ];
  },
};
