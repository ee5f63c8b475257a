import type { Row } from '../zset/value.js';
import type { Aggregator } from './aggregator.js';

/** Folds one row into all accumulators of its group. */
export type Fold = (
  accumulators: any[],
  row: Row,
  weight: number,
  order: string | undefined,
  group: string,
) => void;

/** One call after the other instead of a loop: each call in the code then meets one aggregator, and the engine inlines it. */
export function generatedFold(aggregators: readonly Aggregator[]): Fold {
  const calls = aggregators.map(
    (_, slot) => `accumulators[${slot}] = a${slot}.fold(accumulators[${slot}], row, weight, order, group);`,
  );
  const make = new Function(
    ...aggregators.map((_, slot) => `a${slot}`),
    `return (accumulators, row, weight, order, group) => { ${calls.join(' ')} };`,
  ) as (...aggregators: readonly Aggregator[]) => Fold;
  return make(...aggregators);
}
