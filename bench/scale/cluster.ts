import type { Bench, Figure, Reading } from '../figure.js';
import { median } from '../median.js';
import { extentOf, labelOf, measured, nameOf, type Run } from './run-of-view.js';

const RUNS: readonly Run[] = (['stay', 'move'] as const).flatMap((shape) =>
  [4, 16].flatMap((partitions) => [1, 2].map((workers): Run => ({ shape, workers, partitions }))),
);

/** The same view over one Redis and over a cluster, turn by turn. */
export const cluster: Figure = {
  name: 'cluster',
  title: 'Events a second and processor time an event over a cluster of three masters, against one Redis',
  async measure(bench: Bench): Promise<Reading[]> {
    const { repetitions } = extentOf(bench);
    const places = [await bench.redis(), await bench.cluster()] as const;
    const readings: Reading[] = [];
    for (const run of bench.scale.quick ? RUNS.slice(0, 1) : RUNS) {
      const rates: [number[], number[]] = [[], []];
      const costs: [number[], number[]] = [[], []];
      for (let repetition = 0; repetition < repetitions; repetition++)
        for (const at of [0, 1] as const) {
          bench.note(`${labelOf(run)}: ${repetition + 1} of ${repetitions}`);
          const { rate, cost } = await measured(places[at], run, bench);
          rates[at].push(rate);
          costs[at].push(cost);
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
