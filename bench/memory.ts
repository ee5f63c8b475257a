import type { Bench, Figure, Reading } from './figure.js';
import { appendEvents, type FilledView, filledView } from './filled-views.js';
import { median } from './median.js';
import { inSubject } from './subject-process.js';

const WITHIN_MS = 300_000;
const MB = 1024 * 1024;

/** What a worker keeps in memory, its state being as large as its cache or ten times as large. */
export const memory: Figure = {
  name: 'memory',
  title: 'Memory of a worker: state ten times its cache against state equal to its cache',
  async measure(bench: Bench): Promise<Reading[]> {
    const { quick } = bench.scale;
    const cached = quick ? 2_000 : 100_000;
    const events = cached * 3;
    const repetitions = quick ? 1 : 3;
    const redis = await bench.redis();
    const client = redis.client();
    const views = [
      await filledView(bench, redis, { name: 'equal', groups: cached }),
      await filledView(bench, redis, { name: 'tenfold', groups: cached * 10 }),
    ] as const;

    const used = async (view: FilledView, seed: number): Promise<{ rss: number; heapUsed: number }> => {
      const end = await appendEvents(client, view, { events, order: 'random', seed, eventsPerEntry: 50 });
      return inSubject(async (subject) => {
        await subject.call('start', {
          url: redis.url,
          prefix: view.prefix,
          views: [view.spec],
          limits: { cacheEntriesMax: cached },
        });
        await subject.call('maintained', { stream: view.spec.stream, end, withinMs: WITHIN_MS });
        return subject.call('memory', null);
      });
    };

    const equal: { rss: number; heapUsed: number }[] = [];
    const tenfold: { rss: number; heapUsed: number }[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      bench.note(`${repetition + 1} of ${repetitions}`);
      equal.push(await used(views[0], 10 + repetition));
      tenfold.push(await used(views[1], 10 + repetition));
    }
    const of = (all: typeof equal, what: 'rss' | 'heapUsed'): number => median(all.map((one) => one[what]));
    return [
      {
        name: 'heapEqual',
        label: 'heap in use, state equal to the cache',
        value: of(equal, 'heapUsed') / MB,
        unit: 'MB',
      },
      {
        name: 'heapTenfold',
        label: 'heap in use, state ten times the cache',
        value: of(tenfold, 'heapUsed') / MB,
        unit: 'MB',
      },
      {
        name: 'heap',
        label: 'heap, tenfold / equal',
        value: of(tenfold, 'heapUsed') / of(equal, 'heapUsed'),
        unit: '×',
        target: { is: '≤', value: 1.25 },
      },
      {
        name: 'rssEqual',
        label: 'resident, state equal to the cache',
        value: of(equal, 'rss') / MB,
        unit: 'MB',
      },
      {
        name: 'rssTenfold',
        label: 'resident, state ten times the cache',
        value: of(tenfold, 'rss') / MB,
        unit: 'MB',
      },
      {
        name: 'rss',
        label: 'resident, tenfold / equal',
        value: of(tenfold, 'rss') / of(equal, 'rss'),
        unit: '×',
        target: { is: '≤', value: 1.25 },
      },
    ];
  },
};
