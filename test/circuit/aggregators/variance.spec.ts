import fc from 'fast-check';
import { variance } from '../../../src/circuit/aggregators/variance.js';
import type { Row } from '../../../src/zset/value.js';

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

const bits = new DataView(new ArrayBuffer(8));
const GREATEST = 0x7fefffffffffffffn;

/** Positive doubles are ordered as their bits are. */
function double(index: bigint): number {
  bits.setBigUint64(0, index);
  return bits.getFloat64(0);
}

/**
 * The nearest double, half to even, by searching among the doubles: the last for which `isBelow(candidate)`, where the
 * candidate is a multiple of 2^-1075, half of the least double.
 */
function nearest(isBelow: (halves: bigint) => boolean, isAt: (halves: bigint) => boolean): number | null {
  const halves = (index: bigint): bigint => multiple(double(index)) * 2n;
  let low = 0n;
  let high = GREATEST + 1n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (isBelow(halves(middle))) low = middle;
    else high = middle;
  }
  const above = low === GREATEST ? halves(low) + 2n ** (1075n + 971n) : halves(low + 1n);
  const half = (halves(low) + above) / 2n;
  const up = isAt(half) ? low % 2n === 1n : isBelow(half);
  if (!up) return double(low);
  return low === GREATEST ? null : double(low + 1n);
}

/** What it is, by definition, in rationals. */
function meaning(values: readonly number[], population: boolean, root: boolean): number | null {
  const n = BigInt(values.length);
  if (n < (population ? 1n : 2n)) return null;
  const scaled = values.map(multiple);
  const sum = scaled.reduce((total, x) => total + x, 0n);
  // Of deviations from the mean times n: everything is a multiple of 2^-2148 / n².
  const deviations = scaled.reduce((total, x) => total + (n * x - sum) ** 2n, 0n);
  const divisor = n * n * (population ? n : n - 1n);
  // deviations / divisor · 2^-2148, against h · 2^-1075, or its square.
  const left = (h: bigint): bigint => (root ? h * h * divisor : h * divisor * 2n ** 1073n);
  const right = root ? deviations * 4n : deviations;
  return nearest(
    (h) => left(h) <= right,
    (h) => left(h) === right,
  );
}

const wild = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.integer({ min: -100_000, max: 100_000 }).map((cents) => cents / 100),
  fc.integer({ min: -50, max: 50 }),
  fc.integer({ min: 0, max: 50 }).map((n) => 1e9 + n / 8),
  fc.constantFrom(
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.MIN_VALUE,
    2 ** -1022,
    2 ** -460,
    2 ** 500,
    1e-200,
    1e200,
  ),
);
const tame = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.integer({ min: -100_000, max: 100_000 }).map((cents) => cents / 100),
);

const forms = [false, true].flatMap((population) => [false, true].map((root) => ({ population, root })));
const rowOf = (x: number | null): Row => ({ x });
const over = (form: { population: boolean; root: boolean }) => variance((row) => row.x!, form);

function shown(form: { population: boolean; root: boolean }, values: readonly number[]): unknown {
  const aggregator = over(form);
  const moments = values.reduce(
    (all, x) => aggregator.fold(all, rowOf(x), 1, undefined, ''),
    aggregator.initial(),
  );
  return aggregator.result(aggregator.settle!(moments, ''), '');
}

describe.each(forms)('a variance (population: $population, root: $root)', (form) => {
  it('is the nearest double of the true one, for wild values', () => {
    fc.assert(
      fc.property(fc.array(wild, { maxLength: 6 }), (values) => {
        expect(shown(form, values)).toBe(meaning(values, form.population, form.root));
      }),
      { numRuns: 150 },
    );
  });

  it('is the nearest double of the true one, for whole numbers and cents', () => {
    fc.assert(
      fc.property(fc.array(tame, { maxLength: 12 }), (values) => {
        expect(shown(form, values)).toBe(meaning(values, form.population, form.root));
      }),
      { numRuns: 150 },
    );
  });

  it('does not lose its digits far from 0', () => {
    const near = [1, 2, 4, 8];
    const far = near.map((x) => x + 2 ** 52);
    expect(shown(form, far)).toBe(shown(form, near));
  });
});

describe('what is kept of a variance', () => {
  const aggregator = over({ population: false, root: false });
  const kept = (terms: readonly (readonly [x: number, weight: number])[]): string => {
    // Stored and brought back half way, as between two ticks.
    let moments = aggregator.initial();
    for (const [index, [x, weight]] of terms.entries()) {
      moments = aggregator.fold(moments, rowOf(x), weight, undefined, '');
      if (index === terms.length >> 1)
        moments = aggregator.codec.decode(aggregator.codec.encode(aggregator.settle!(moments, '')));
    }
    return aggregator.codec.encode(aggregator.settle!(moments, ''));
  };

  it('has one form, in whatever order values came, and whatever came and went between', () => {
    fc.assert(
      fc.property(fc.array(wild), fc.array(wild), fc.infiniteStream(fc.nat()), (values, passing, places) => {
        const mixed = [
          ...values.map((x) => [x, 1] as const),
          ...passing.flatMap((x) => [[x, 3] as const, [x, -2] as const, [x, -1] as const]),
        ]
          .map((term) => ({ term, place: places.next().value as number }))
          .sort((left, right) => left.place - right.place)
          .map(({ term }) => term);
        expect(kept(mixed)).toBe(kept(values.map((x) => [x, 1] as const)));
      }),
      { numRuns: 200 },
    );
  });

  it('leaves nulls out', () => {
    expect(kept([])).toBe(
      aggregator.codec.encode(aggregator.fold(aggregator.initial(), rowOf(null), 1, undefined, '')),
    );
  });
});

describe('the variance of one value', () => {
  it('is 0 of a population, and null of a sample', () => {
    expect(shown({ population: true, root: false }, [5])).toBe(0);
    expect(shown({ population: true, root: true }, [5])).toBe(0);
    expect(shown({ population: false, root: false }, [5])).toBeNull();
  });
});
