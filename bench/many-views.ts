import type { ViewSpec } from './declared-views.js';
import { expectAllCounted, madeUp } from './end-to-end.js';
import type { Bench, Figure, Reading } from './figure.js';
import { endOf, load } from './load.js';
import { median } from './median.js';
import { inSubject } from './subject-process.js';

const STREAM = 'made-flights';
const VIEWS = 10;
const WITHIN_MS = 300_000;

/** What ten views over one stream cost, against one: it is read and decoded once for all of them. */
export const manyViews: Figure = {
  name: 'many-views',
  title: 'Ten views over one stream against one',
  async measure(bench: Bench): Promise<Reading[]> {
    const { quick } = bench.scale;
    const events = bench.scale.events ?? (quick ? 5_000 : 200_000);
    const repetitions = quick ? 1 : 3;
    const redis = await bench.redis();
    const client = redis.client();
    await load(client, STREAM, madeUp(events, quick ? 500 : 5_000));
    const end = await endOf(client, STREAM);

    const maintainedMs = async (prefix: string, count: number): Promise<number> => {
      const views = Array.from({ length: count }, (_, index): ViewSpec => ({
        name: `by-origin-${index}`,
        stream: STREAM,
        shape: 'byOrigin',
      }));
      const { ms } = await inSubject(async (subject) => {
        await subject.call('start', { url: redis.url, prefix, views });
        return subject.call('maintained', { stream: STREAM, end, withinMs: WITHIN_MS });
      });
      for (const { name } of views) await expectAllCounted(redis.url, prefix, name, events);
      await client.xgroup('DESTROY', STREAM, prefix);
      return ms;
    };

    const one: number[] = [];
    const ten: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      bench.note(`${repetition + 1} of ${repetitions}`);
      one.push(await maintainedMs(`one${repetition}`, 1));
      ten.push(await maintainedMs(`ten${repetition}`, VIEWS));
    }
    return [
      { name: 'one', label: 'one view', value: median(one), unit: 'ms' },
      { name: 'ten', label: 'ten views', value: median(ten), unit: 'ms' },
      {
        name: 'cost',
        label: 'ten / one',
        value: median(ten.map((ms, index) => ms / one[index]!)),
        unit: '×',
        target: { is: '<', value: 6 },
      },
    ];
  },
};
