import fc from 'fast-check';
import {
  exactAdd,
  exactCanonical,
  exactQuotient,
  exactRevived,
  exactRounded,
  exactStored,
  type ExactSum,
} from '../../../src/circuit/aggregators/exact-sum.js';

/** A double as a multiple of 2^-1074, by repeated doubling: slow, and nothing of the implementation. */
function multiple(value: number): bigint {
  let exponent = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent++;
  }
  return BigInt(scaled) * 2n ** BigInt(1074 - exponent);
}

/** The nearest double of n/d · 2^-1074, half to even, by searching among the doubles. */
function nearest(n: bigint, d: bigint): number | null {
  if (n === 0n) return 0;
  if (n < 0n) return negated(nearest(-n, d));
  const max = multiple(Number.MAX_VALUE);
  const half = 2n ** (1074n + 970n);
  if (n >= (max + half) * d) return null;
  if (n >= max * d) return Number.MAX_VALUE;
  const bits = new DataView(new ArrayBuffer(8));
  const double = (index: bigint): number => {
    bits.setBigUint64(0, index);
    return bits.getFloat64(0);
  };
  // Positive doubles are ordered as their bits are.
  let low = 0n;
  let high = 0x7fefffffffffffffn;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (multiple(double(middle)) * d <= n) low = middle;
    else high = middle;
  }
  const below = n - multiple(double(low)) * d;
  const above = multiple(double(high)) * d - n;
  if (below === above) return double(low % 2n === 0n ? low : high);
  return double(below < above ? low : high);
}

const negated = (value: number | null): number | null => (value === null ? null : -value + 0);

const wild = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((cents) => cents / 100),
  fc.integer(),
  fc.constantFrom(
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.MIN_VALUE,
    -Number.MIN_VALUE,
    2 ** -1022,
    1e308,
    -1e308,
    2 ** 1023,
    -(2 ** 1023),
    2 ** 53,
    2 ** 970,
    0.1,
    1e-300,
  ),
);
const weighted = fc.record({
  value: wild,
  times: fc.oneof(
    { weight: 4, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) },
  ),
});

const sumOf = (terms: readonly { value: number; times: number }[], from: ExactSum = 0): ExactSum =>
  exactCanonical(terms.reduce((sum, { value, times }) => exactAdd(sum, value, times), from));

describe('an exact sum', () => {
  it('is the nearest double of the true sum, for wild doubles', () => {
    fc.assert(
      fc.property(fc.array(weighted, { maxLength: 30 }), (terms) => {
        const truth = terms.reduce((total, { value, times }) => total + multiple(value) * BigInt(times), 0n);
        expect(exactRounded(sumOf(terms))).toBe(nearest(truth, 1n));
      }),
      { numRuns: 300 },
    );
  });

  it('has an average that is the nearest double of the true one', () => {
    fc.assert(
      fc.property(fc.array(wild, { minLength: 1, maxLength: 12 }), (values) => {
        const truth = values.reduce((total, value) => total + multiple(value), 0n);
        const sum = sumOf(values.map((value) => ({ value, times: 1 })));
        expect(exactQuotient(sum, values.length)).toBe(nearest(truth, BigInt(values.length)));
      }),
      { numRuns: 300 },
    );
  });

  it('is exact where only what rounding loses is greater than all doubles', () => {
    const values = [Number.MAX_VALUE, -3.8353862340097495e307];
    const truth = values.reduce((total, value) => total + multiple(value), 0n);
    for (const order of [values, values.toReversed()])
      expect(exactRounded(sumOf(order.map((value) => ({ value, times: 1 }))))).toBe(nearest(truth, 1n));
  });

  it('has an average that is the nearest double also of many small amounts', () => {
    const cents = fc.integer({ min: -100_000, max: 1_000_000 }).map((amount) => amount / 100);
    fc.assert(
      fc.property(
        cents,
        cents,
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 1_000 }),
        (one, other, times, more) => {
          const sum = sumOf([
            { value: one, times },
            { value: other, times: more },
          ]);
          const truth = multiple(one) * BigInt(times) + multiple(other) * BigInt(more);
          expect(exactQuotient(sum, times + more)).toBe(nearest(truth, BigInt(times + more)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('has one stored form, in whatever order values came, and whatever came and went between', () => {
    fc.assert(
      fc.property(
        fc.array(weighted, { maxLength: 20 }),
        fc.array(weighted, { maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        (terms, others, places) => {
          const direct = sumOf(terms);
          const mixed = [...terms, ...others, ...others.map(({ value, times }) => ({ value, times: -times }))]
            .map((term) => ({ term, place: places.next().value as number }))
            .sort((left, right) => left.place - right.place)
            .map(({ term }) => term);
          // Cut in the middle: settled, stored and brought back, as between two ticks.
          const half = mixed.length >> 1;
          const stored = JSON.stringify(exactStored(sumOf(mixed.slice(0, half))));
          const sum = sumOf(mixed.slice(half), exactRevived(JSON.parse(stored)));
          expect(JSON.stringify(exactStored(sum))).toBe(JSON.stringify(exactStored(direct)));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('of no double is null, and comes back when enough is taken away', () => {
    const twice = sumOf([{ value: Number.MAX_VALUE, times: 2 }]);
    expect(exactRounded(twice)).toBeNull();
    expect(exactQuotient(twice, 2)).toBe(Number.MAX_VALUE);
    expect(sumOf([{ value: Number.MAX_VALUE, times: -1 }], twice)).toBe(Number.MAX_VALUE);
    expect(
      sumOf([
        { value: 1e308, times: 1 },
        { value: 1e308, times: 1 },
        { value: -1e308, times: 1 },
      ]),
    ).toBe(1e308);
  });

  it('knows no negative zero', () => {
    expect(
      Object.is(
        sumOf([
          { value: 1, times: 1 },
          { value: 1, times: -1 },
        ]),
        0,
      ),
    ).toBe(true);
    expect(Object.is(exactQuotient(-Number.MIN_VALUE, 4), 0)).toBe(true);
    expect(
      sumOf([
        { value: 0.1, times: 1 },
        { value: 0.2, times: 1 },
        { value: 0.3, times: -1 },
      ]),
    ).not.toBe(0);
  });
});
