import type { Bench, Figure, Reading } from '../figure.js';
import { median } from '../median.js';
import { nameOf, labelOf, type Run, took } from './run-of-view.js';

const RUNS: readonly Run[] = (['stay', 'move'] as const).flatMap((shape) =>
  [4, 16].flatMap((partitions) => [1, 2].map((workers): Run => ({ shape, workers, partitions }))),
);

/** The same view over one Redis and over a cluster, turn by turn. */
export const cluster: Figure = {
  name: 'cluster',
  title: 'Events a second and processor time an event over a cluster of three masters, against one Redis',
  async measure(bench: Bench): Promise<Reading[]> {
    const events = bench.scale.events ?? (bench.scale.quick ? 5_000 : 200_000);
    const repetitions = bench.scale.quick ? 1 : 3;
    const places = [await bench.redis(), await bench.cluster()] as const;
    const readings: Reading[] = [];
    for (const run of bench.scale.quick ? RUNS.slice(0, 1) : RUNS) {
      const rates: [number[], number[]] = [[], []];
      const costs: [number[], number[]] = [[], []];
      for (let repetition = 0; repetition < repetitions; repetition++)
        for (const at of [0, 1] as const) {
          bench.note(`${labelOf(run)}: ${repetition + 1} of ${repetitions}`);
          const { ms, cpuMs } = await took(places[at], run, { events, profileInto: bench.profileInto });
          rates[at].push((events / ms) * 1_000);
          costs[at].push((cpuMs * 1_000) / events);
        }
      const ratioOf = ([one, many]: [number[], number[]]): number =>
        median(many.map((value, index) => value / one[index]!));
      const name = `${nameOf(run)}.cluster`;
      readings.push(
        { name, label: `${labelOf(run)}, a cluster`, value: median(rates[1]), unit: 'events/s' },
        { name: `${name}.ofOne`, label: '  against one Redis', value: ratioOf(rates), unit: '×' },
        {
          name: `${name}.cost`,
          label: '  the same of the workers’ processors',
          value: ratioOf(costs),
          unit: '×',
        },
      );
    }
    return readings;
  },
};
