import type { Bench, Figure, Reading } from '../figure.js';
import { median } from '../median.js';
import { extentOf, labelOf, measured, nameOf, type Run, SHAPES } from './run-of-view.js';

const WORKERS = [1, 2, 4];
const PARTITIONS = [1, 4, 16];

/** What more processes and partitions bring, and what it costs that rows move between them. */
export const scaleOut: Figure = {
  name: 'scale-out',
  title: 'Events a second and processor time an event, by workers and partitions, with and without exchange',
  async measure(bench: Bench): Promise<Reading[]> {
    const { repetitions } = extentOf(bench);
    const runs = SHAPES.flatMap((shape) =>
      (bench.scale.quick ? [4] : PARTITIONS).flatMap((partitions) =>
        (bench.scale.quick ? [1, 2] : WORKERS)
          .filter((workers) => workers <= partitions && (shape === 'stay' || partitions > 1))
          .map((workers): Run => ({ shape, workers, partitions })),
      ),
    );
    const redis = await bench.redis();
    const rates = new Map<string, number[]>(runs.map((run) => [nameOf(run), []]));
    const costs = new Map<string, number[]>(runs.map((run) => [nameOf(run), []]));
    for (let repetition = 0; repetition < repetitions; repetition++)
      for (const run of runs) {
        bench.note(`${labelOf(run)}: ${repetition + 1} of ${repetitions}`);
        const { rate, cost } = await measured(redis, run, bench);
        rates.get(nameOf(run))!.push(rate);
        costs.get(nameOf(run))!.push(cost);
      }
    const readings = runs.flatMap((run): Reading[] => [
      { name: nameOf(run), label: labelOf(run), value: median(rates.get(nameOf(run))!), unit: 'events/s' },
      {
        name: `${nameOf(run)}.cost`,
        label: '  of processors',
        value: median(costs.get(nameOf(run))!),
        unit: 'µs/event',
      },
    ]);
    /** The median of the ratios of the same repetition: what is compared was measured one after the other. */
    const ratio = (of: Map<string, number[]>, one: Run, other: Run): number | null => {
      const [left, right] = [of.get(nameOf(one)), of.get(nameOf(other))];
      return left && right ? median(left.map((value, index) => value / right[index]!)) : null;
    };
    const add = (name: string, label: string, value: number | null, target?: Reading['target']): void => {
      if (value !== null) readings.push({ name, label, value, unit: '×', ...(target && { target }) });
    };
    for (const run of runs) {
      const { shape, workers, partitions } = run;
      if (workers > 1)
        add(
          `${nameOf(run)}.ofOne`,
          `${labelOf(run)} / one worker`,
          ratio(rates, run, { ...run, workers: 1 }),
        );
      if (shape === 'stay') continue;
      const stays: Run = { shape: 'stay', workers, partitions };
      const target = shape === 'move' ? ({ is: '≤', value: 2 } as const) : undefined;
      add(
        `${nameOf(run)}.overhead`,
        `${labelOf(run)}: time, against staying`,
        ratio(rates, stays, run),
        target,
      );
      add(`${nameOf(run)}.overheadCost`, '  the same of processors', ratio(costs, run, stays));
    }
    return readings;
  },
};
