import type { Bench, Figure, Reading } from '../figure.js';
import { percentile } from '../median.js';
import { Crew, Producer, sleep, type Sent } from './crew.js';

const SPEC = { name: 'view', stream: 'made-flights', shape: 'move', partitions: 4 } as const;
const PER_SECOND = 500;

/** What a rebuild under live load takes, and by how much the rows that are served meanwhile are older than before. */
export const rebuild: Figure = {
  name: 'rebuild',
  title: `A rebuild under ${PER_SECOND} events a second, two workers, rows that move`,
  async measure(bench: Bench): Promise<Reading[]> {
    const { quick } = bench.scale;
    const events = bench.scale.events ?? (quick ? 5_000 : 400_000);
    const redis = await bench.redis();
    const client = redis.client();
    const crew = await Crew.start(redis, {
      prefix: 'rebuild',
      spec: SPEC,
      workers: 2,
      profileInto: bench.profileInto,
    });
    try {
      const generation = await crew.placed();
      bench.note(`${events} events before`);
      const producer = new Producer(client, SPEC, 5_000);
      await producer.load(events);
      await crew.contained(generation);

      const whileDoing = async (work: () => Promise<unknown>): Promise<number[]> => {
        const sent = new Map<string, Sent[]>();
        let over = false;
        const sending = producer.send(PER_SECOND, sent, () => over);
        const seen = crew.freshness(generation, sent, () => over);
        await work();
        over = true;
        await sending;
        return seen;
      };
      bench.note('at rest');
      await whileDoing(() => sleep(quick ? 300 : 1_000));
      const before = await whileDoing(() => sleep(quick ? 500 : 4_000));
      bench.note('rebuilding');
      let tookMs = 0;
      const during = await whileDoing(async () => {
        tookMs = await crew.workers[0]!.call('replaced', SPEC.name);
      });
      return [
        {
          name: 'took',
          label: `rebuild of ${events.toLocaleString('en-US')} events, and served`,
          value: tookMs,
          unit: 'ms',
        },
        { name: 'rate', label: 'the same by time', value: (events / tookMs) * 1_000, unit: 'events/s' },
        {
          name: 'before.half',
          label: 'before: half of the events shown within',
          value: percentile(before, 0.5),
          unit: 'ms',
        },
        {
          name: 'before.most',
          label: 'before: 99 of 100 within',
          value: percentile(before, 0.99),
          unit: 'ms',
        },
        {
          name: 'during.half',
          label: 'meanwhile: half of the events within',
          value: percentile(during, 0.5),
          unit: 'ms',
        },
        {
          name: 'during.most',
          label: 'meanwhile: 99 of 100 within',
          value: percentile(during, 0.99),
          unit: 'ms',
        },
        {
          name: 'cost',
          label: 'meanwhile / before, of half of the events',
          value: percentile(during, 0.5) / percentile(before, 0.5),
          unit: '×',
        },
      ];
    } finally {
      await crew.end();
    }
  },
};
