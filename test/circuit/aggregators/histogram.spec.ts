import fc from 'fast-check';
import { bucketsBetween, bucketsOfWidth, type Buckets } from '../../../src/circuit/aggregators/histogram.js';
import { aggregated, type Fact, type Written } from '../../support/aggregated.js';

const fact = (v: number | null): Fact => ({ g: 'x', v, b: null, t: true });

function shown(written: Written, values: readonly (number | null)[]): unknown {
  const [row] = aggregated([written]).step(values.map((v) => [fact(v), 1] as const))[0]!;
  return (row['histogram.0'] as { from: number | null; to: number | null; count: number }[]).map(
    ({ from, to, count }) => [from, to, count],
  );
}

/** Any value lies in its bucket, and the bounds it is shown with are numbers that JSON can say. */
function expectWithin(buckets: Buckets, value: number): void {
  const bucket = buckets.bucketOf(value);
  const [from, to] = [buckets.fromOf(bucket), buckets.toOf(bucket)];
  for (const bound of [from, to]) expect(bound === null || Number.isFinite(bound)).toBe(true);
  expect(from === null || from <= value).toBe(true);
  expect(to === null || value < to).toBe(true);
}

describe('a histogram', () => {
  it('between bounds shows all buckets; a bound belongs to the bucket above it', () => {
    expect(shown(['histogram', { bounds: [0, 10] }], [-5, 0, 9.99, 10, 11, null])).toEqual([
      [null, 0, 1],
      [0, 10, 2],
      [10, null, 2],
    ]);
    expect(shown(['histogram', { bounds: [0] }], [null])).toEqual([
      [null, 0, 0],
      [0, null, 0],
    ]);
  });

  it('of a width shows the buckets that hold values, and one for all that lie outside its ends', () => {
    expect(shown(['histogram', { width: 10 }], [-1, 0, 25, 29])).toEqual([
      [-10, 0, 1],
      [0, 10, 1],
      [20, 30, 2],
    ]);
    expect(shown(['histogram', { width: 10, from: 5, to: 22 }], [-100, 4, 5, 21, 22, 1e9])).toEqual([
      [null, 5, 2],
      [5, 15, 1],
      [15, 22, 1],
      [22, null, 2],
    ]);
    expect(shown(['histogram', { width: 0.1 }], [0.3, 0.30000000000000004])).toEqual([
      [0.2, 0.30000000000000004, 1],
      [0.30000000000000004, 0.4, 1],
    ]);
  });

  it('puts every double into the bucket whose bounds are around it', () => {
    const doubles = fc.double({ noNaN: true, noDefaultInfinity: true });
    const widths = fc.oneof(
      fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
      fc.constantFrom(0.1, 1, 7, 1e300),
    );
    fc.assert(
      fc.property(
        doubles,
        widths,
        fc.integer({ min: -100, max: 100 }),
        fc.integer({ min: 1, max: 99 }),
        (value, width, first, more) => {
          const from = Math.abs(first * width) <= 1e300 ? first * width : 0;
          const to = from + more * width;
          expectWithin(bucketsOfWidth({ width, from: null, to: null }), value);
          expectWithin(bucketsOfWidth({ width, from, to: null }), value);
          if (to <= 1e300 && to > from) expectWithin(bucketsOfWidth({ width, from, to }), value);
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(doubles, fc.uniqueArray(doubles, { minLength: 1 }), (value, bounds) =>
        expectWithin(bucketsBetween(bounds.sort((left, right) => left - right)), value),
      ),
    );
  });
});
