import { FLIGHTS_TOTAL, flightsByDeparture } from '../src/demo/flights.js';
import type { Bench, Figure, Reading } from './figure.js';
import { endOf, load } from './load.js';
import { median } from './median.js';
import { inSubject } from './subject-process.js';

const STREAM = 'flights';
const VIEW = 'delays-by-airport';
const WITHIN_MS = 600_000;

/** How quickly a view is made anew from its log, while the old one serves. */
export const rebuild: Figure = {
  name: 'rebuild',
  title: 'Rebuild of a view over three million real flights',
  async measure(bench: Bench): Promise<Reading[]> {
    const { quick } = bench.scale;
    const events = Math.min(bench.scale.events ?? (quick ? 20_000 : FLIGHTS_TOTAL), FLIGHTS_TOTAL);
    const repetitions = quick ? 1 : 2;
    const redis = await bench.redis();
    const client = redis.client();
    bench.note(`loading ${events.toLocaleString('en-US')} flights`);
    const loaded = await load(client, STREAM, departures(events));
    const end = await endOf(client, STREAM);
    const until = { view: VIEW, stream: STREAM, end, withinMs: WITHIN_MS };

    const drains: number[] = [];
    const rebuilds: number[] = [];
    const promotedMs: number[] = [];
    await inSubject(
      async (subject) => {
        bench.note('the view that is to be rebuilt');
        await subject.call('start', {
          url: redis.url,
          prefix: 'rebuild',
          views: [{ name: VIEW, stream: STREAM, shape: 'delays' }],
        });
        await subject.call('maintained', until);
        for (let repetition = 0; repetition < repetitions; repetition++) {
          bench.note(`drain and rebuild, ${repetition + 1} of ${repetitions}`);
          const drained = await inSubject((other) => other.call('drain', { url: redis.url, stream: STREAM }));
          drains.push((drained.events / drained.ms) * 1_000);
          const rebuilt = await subject.call('rebuild', until);
          rebuilds.push((loaded / rebuilt.replayedMs) * 1_000);
          promotedMs.push(rebuilt.promotedMs);
        }
      },
      { profileInto: bench.profileInto },
    );
    return [
      { name: 'events', label: 'flights', value: loaded, unit: 'count' },
      { name: 'rebuild', label: 'the rebuild', value: median(rebuilds), unit: 'events/s' },
      { name: 'drain', label: 'bare drain of the same stream', value: median(drains), unit: 'events/s' },
      {
        name: 'promoted',
        label: 'from asking for it to being served',
        value: median(promotedMs),
        unit: 'ms',
      },
      {
        name: 'ofDrain',
        label: 'rebuild / bare drain',
        value: median(rebuilds.map((rate, index) => rate / drains[index]!)),
        unit: '×',
        target: { is: '≥', value: 0.5 },
      },
    ];
  },
};

async function* departures(count: number): AsyncGenerator<string> {
  let given = 0;
  for await (const run of flightsByDeparture())
    for (const flight of run) {
      if (given++ === count) return;
      yield JSON.stringify(flight);
    }
}
