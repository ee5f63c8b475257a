import type { Redis } from 'ioredis';
import type { Bench, Figure, Reading } from './figure.js';
import { appendEvents, type FilledView, filledView } from './filled-views.js';
import { median } from './median.js';
import { inSubject, type SubjectProcess } from './subject-process.js';

const WITHIN_MS = 300_000;
const SMALL_CACHE_ENTRIES = 100_000;

/** What was measured with few groups, and with many. */
type Pair = [few: number[], many: number[]];

/** What an event costs in a view of few groups and of many, when as many groups change in a tick. */
export const groupCount: Figure = {
  name: 'group-count',
  title: 'Cost of an event at 1,000 and at 1,000,000 groups, equally many of them changed per tick',
  async measure(bench: Bench): Promise<Reading[]> {
    const { quick } = bench.scale;
    const events = quick ? 5_000 : 100_000;
    const repetitions = quick ? 1 : 9;
    const few = 1_000;
    const many = quick ? 10_000 : 1_000_000;
    const redis = await bench.redis();
    const client = redis.client();
    const views = [
      await filledView(bench, redis, { name: 'few', groups: few }),
      await filledView(bench, redis, { name: 'many', groups: many }),
    ] as const;

    const readings: Reading[] = [];
    for (const cacheEntriesMax of [null, SMALL_CACHE_ENTRIES]) {
      const cache =
        cacheEntriesMax === null ? 'default cache' : `cache of ${cacheEntriesMax.toLocaleString('en-US')}`;
      // A tick that writes no more than there are few groups changes each of them once at most.
      const limits = {
        commitWritesMax: few,
        registryRefreshMs: 100,
        ...(cacheEntriesMax === null ? {} : { cacheEntriesMax }),
      };
      const us: Pair = [[], []];
      const workerUs: Pair = [[], []];
      const redisUs: Pair = [[], []];
      const changed: Pair = [[], []];
      const read: Pair = [[], []];
      /** Every group once: what the cache can hold is in it, as in a worker that has been at it for long. */
      const warmUp = async (subject: SubjectProcess): Promise<void> => {
        const options = { events: many, order: 'round', seed: 99, eventsPerEntry: 50 } as const;
        const end = await appendEvents(client, views[1], options);
        await subject.call('maintained', { stream: views[1].spec.stream, end, withinMs: WITHIN_MS });
      };
      const one = async (subject: SubjectProcess, which: 0 | 1, seed: number): Promise<void> => {
        const view: FilledView = views[which];
        const order = which === 0 ? 'round' : 'random';
        await subject.call('pause', true);
        const end = await appendEvents(client, view, { events, order, seed });
        const before = await subject.call('counters', null);
        const redisBefore = await redisCpuUs(client);
        await subject.call('pause', false);
        const took = await subject.call('maintained', { stream: view.spec.stream, end, withinMs: WITHIN_MS });
        const after = await subject.call('counters', null);
        us[which].push((took.ms * 1_000) / events);
        workerUs[which].push((took.cpuMs * 1_000) / events);
        redisUs[which].push(((await redisCpuUs(client)) - redisBefore) / events);
        changed[which].push((after.rowChanges - before.rowChanges) / (after.ticks - before.ticks));
        read[which].push((after.stateReads - before.stateReads) / events);
      };
      const profiling = { profileInto: bench.profileInto };
      await inSubject(
        (subjectOfFew) =>
          inSubject(async (subjectOfMany) => {
            const subjects = [subjectOfFew, subjectOfMany] as const;
            for (const which of [0, 1] as const)
              await subjects[which].call('start', {
                url: redis.url,
                prefix: views[which].prefix,
                views: [views[which].spec],
                limits,
              });
            bench.note(`${cache}, warming up`);
            await warmUp(subjectOfMany);
            // The first round is not counted either; then they take turns.
            for (let repetition = 0; repetition <= repetitions; repetition++) {
              bench.note(`${cache}, ${repetition} of ${repetitions}`);
              for (const which of [0, 1] as const) await one(subjects[which], which, 100 + repetition);
              if (repetition === 0)
                for (const list of [...us, ...workerUs, ...redisUs, ...changed, ...read]) list.length = 0;
            }
          }, profiling),
        profiling,
      );
      const name = cacheEntriesMax === null ? 'default' : 'small';
      const label = (text: string): string => `${cache}: ${text}`;
      readings.push(
        { name: `${name}Few`, label: label('1,000 groups'), value: median(us[0]), unit: 'µs/event' },
        {
          name: `${name}Many`,
          label: label(`${many.toLocaleString('en-US')} groups`),
          value: median(us[1]),
          unit: 'µs/event',
        },
        ...(['Few', 'Many'] as const).flatMap((which, index): Reading[] => [
          {
            name: `${name}Worker${which}`,
            label: label(`processor time of the worker, ${which.toLowerCase()}`),
            value: median(workerUs[index]!),
            unit: 'µs/event',
          },
          {
            name: `${name}Redis${which}`,
            label: label(`processor time of Redis, ${which.toLowerCase()}`),
            value: median(redisUs[index]!),
            unit: 'µs/event',
          },
        ]),
        {
          name: `${name}ChangedFew`,
          label: label('rows changed a tick, few'),
          value: median(changed[0]),
          unit: 'count',
        },
        {
          name: `${name}ChangedMany`,
          label: label('rows changed a tick, many'),
          value: median(changed[1]),
          unit: 'count',
        },
        {
          name: `${name}ReadMany`,
          label: label('values fetched an event, many'),
          value: median(read[1]),
          unit: 'each',
        },
        {
          name: `${name}Cost`,
          label: label('many / few'),
          value: median(us[1].map((many, index) => many / us[0][index]!)),
          unit: '×',
          ...(cacheEntriesMax === null && { target: { is: '≤', value: 1.3 } }),
        },
      );
    }
    return readings;
  },
};

/** Processor time of the server since it began, in µs. */
async function redisCpuUs(client: Redis): Promise<number> {
  const info = await client.info('cpu');
  const seconds = [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].map(([, value]) => Number(value));
  return seconds.reduce((sum, each) => sum + each, 0) * 1e6;
}
