import { bucketsMax, mantissaBits } from '../../../src/circuit/aggregators/approx-percentile.js';
import { mayContain } from '../../../src/circuit/aggregators/approx-contains.js';
import type { Aggregator, AggregatorOptions } from '../../../src/circuit/aggregator.js';
import type { Value } from '../../../src/zset/value.js';
import { aggregatorOf, nameOf, type Fact, type Kind } from '../../support/aggregated.js';
import { Random } from '../../support/random.js';

const none = (): never => {
  throw new Error('A sketch keeps no members.');
};
const sketch = (kind: Kind, options: AggregatorOptions, appendOnly = true): Aggregator =>
  aggregatorOf([kind, options], none, { appendOnly, inLogOrder: true });

interface Placed {
  v: Value;
  order: string;
}

/** Each with a place of its own in a log. */
const placed = (values: readonly Value[]): Placed[] =>
  values.map((v, index) => ({ v, order: String(index).padStart(12, '0') }));

const fact = (v: Value): Fact => ({ g: 'x', v, b: null, t: true });

function folded(
  aggregator: Aggregator,
  rows: readonly Placed[],
  into = aggregator.initial() as unknown,
): unknown {
  let accumulator = into;
  for (const { v, order } of rows)
    accumulator = aggregator.fold(accumulator, fact(v) as never, 1, order, 'x');
  return aggregator.settle?.(accumulator, 'x') ?? accumulator;
}

const stored = (aggregator: Aggregator, rows: readonly Placed[]): string =>
  aggregator.codec.encode(folded(aggregator, rows));
const shown = <V>(aggregator: Aggregator, values: readonly Value[]): V =>
  aggregator.result(folded(aggregator, placed(values)), 'x') as V;

function shuffled<V>(random: Random, values: readonly V[]): V[] {
  const out = [...values];
  for (let index = out.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [out[index], out[other]] = [out[other]!, out[index]!];
  }
  return out;
}

/** Of size n: 1 occurs most often, then 2, and so on (G. Zipf). */
const skewed = (random: Random, size: number): number[] =>
  Array.from({ length: size }, () => Math.floor(1 / (random.below(1_000_000) / 1_000_000 + 1e-4)));

const SMALL: [Kind, AggregatorOptions][] = [
  ['approxCountDistinct', { error: 0.1 }],
  ['approxContains', { expected: 100, error: 0.05 }],
  ['approxPercentile', { p: 0.9, error: 0.05 }],
  ['approxTopK', { k: 3, error: 0.1 }],
];

describe.each(SMALL.map(([kind, options], slot) => [nameOf([kind, options], slot), kind, options] as const))(
  'the sketch of %s',
  (_name, kind, options) => {
    const aggregator = sketch(kind, options);

    it('has the same bytes for the same rows, in any order, cut anywhere, merged in any tree', () => {
      const random = new Random(5);
      for (let round = 0; round < 60; round++) {
        const size = random.of([0, 1, 7, 40, 150, 600]);
        const rows = placed(
          Array.from({ length: size }, () =>
            random.chance(0.1) ? null : random.chance(0.3) ? random.below(5) : random.below(500) / 4,
          ),
        );
        const whole = stored(aggregator, rows);
        expect(stored(aggregator, shuffled(random, rows))).toBe(whole);

        const parts: unknown[] = [aggregator.initial()];
        for (let left = shuffled(random, rows); left.length > 0;) {
          const taken = left.splice(0, 1 + random.below(random.of([3, 300])));
          // Stored and brought back half way, as between two ticks.
          const half = folded(aggregator, taken.splice(0, taken.length >> 1));
          parts.push(folded(aggregator, taken, aggregator.codec.decode(aggregator.codec.encode(half))));
        }
        while (parts.length > 1) {
          const [into] = parts.splice(random.below(parts.length), 1);
          const at = random.below(parts.length);
          const text = aggregator.codec.encode(parts[at]);
          const merged = aggregator.merge!(into, parts[at]);
          expect(aggregator.codec.encode(parts[at])).toBe(text);
          parts[at] = aggregator.settle?.(merged, 'x') ?? merged;
        }
        expect(aggregator.codec.encode(parts[0])).toBe(whole);
        expect(aggregator.codec.encode(aggregator.codec.decode(whole))).toBe(whole);
        expect(aggregator.result(aggregator.codec.decode(whole), 'x')).toEqual(
          aggregator.result(parts[0], 'x'),
        );
      }
    });
  },
);

describe('approxCountDistinct', () => {
  it('is exact while different values are few', () => {
    const aggregator = sketch('approxCountDistinct', { error: 0.02 });
    for (const size of [0, 1, 100, 256])
      expect(
        shown(
          aggregator,
          Array.from({ length: 3 * size }, (_, n) => `v${n % size}`),
        ),
      ).toBe(size);
    expect(shown(aggregator, [null, null])).toBe(0);
  });

  it.each([0.1, 0.02, 0.01])(
    'has the standard error it says, %d, for numbers in a row, and for near texts',
    (error) => {
      const aggregator = sketch('approxCountDistinct', { error });
      for (const size of [400, 3_000, 12_000]) {
        const errors: number[] = [];
        for (let trial = 0; trial < 8; trial++) {
          const form = [
            (n: number): Value => n + trial * 1e6,
            (n: number): Value => `user-${trial}-${String(n).padStart(9, '0')}`,
            (n: number): Value => `${'x'.repeat(40)}${n}/${trial}`,
            (n: number): Value => (n + trial * 1e6) / 1024,
          ][trial % 4]!;
          errors.push(
            shown<number>(
              aggregator,
              Array.from({ length: size }, (_, n) => form(n)),
            ) /
              size -
              1,
          );
        }
        const rms = Math.sqrt(errors.reduce((sum, one) => sum + one * one, 0) / errors.length);
        expect(rms).toBeLessThan(1.5 * error);
        expect(Math.max(...errors.map(Math.abs))).toBeLessThan(4 * error);
      }
    },
  );

  it('does not depend on how often values occur', () => {
    const aggregator = sketch('approxCountDistinct', { error: 0.02 });
    const values = Array.from({ length: 3_000 }, (_, n) => n);
    const often = values.flatMap((n) => Array.from({ length: 1 + (n % 9) }, () => n));
    expect(aggregator.codec.encode(folded(aggregator, placed(often)))).toBe(
      aggregator.codec.encode(folded(aggregator, placed(values))),
    );
  });

  it('keeps as much as it says, however many values there are', () => {
    const aggregator = sketch('approxCountDistinct', { error: 0.02 });
    for (const size of [256, 257, 10_000]) {
      const text = stored(aggregator, placed(Array.from({ length: size }, (_, n) => n)));
      expect(text.length).toBeLessThanOrEqual(4_096 + 3);
    }
  });
});

describe('approxContains', () => {
  const aggregator = sketch('approxContains', { expected: 5_000, error: 0.01 });
  const values = Array.from({ length: 5_000 }, (_, n) => `visitor-${n}`);

  it('never denies a value that is there, of few values and of many', () => {
    for (const size of [1, 300, 5_000]) {
      const filter = shown<string>(aggregator, values.slice(0, size));
      for (const value of values.slice(0, size)) expect(mayContain(filter, value)).toBe(true);
    }
  });

  it('takes others for them at the rate it says, and of few values hardly ever', () => {
    const wrong = (filter: string): number => {
      let found = 0;
      for (let n = 0; n < 20_000; n++) if (mayContain(filter, `visitor-${n + 1e6}`)) found++;
      return found / 20_000;
    };
    expect(wrong(shown(aggregator, values.slice(0, 300)))).toBe(0);
    const rate = wrong(shown(aggregator, values));
    expect(rate).toBeGreaterThan(0.002);
    expect(rate).toBeLessThan(0.0125);
  });

  it('knows text from numbers, and nothing where nothing came', () => {
    const filter = shown<string>(aggregator, [7, null]);
    expect(mayContain(filter, 7)).toBe(true);
    expect(mayContain(filter, '7')).toBe(false);
    expect(mayContain(filter, null)).toBe(false);
    expect(mayContain(shown(aggregator, []), 7)).toBe(false);
  });
});

describe('approxPercentile', () => {
  const random = new Random(7);
  const uniform = (): number => (random.below(1_000_000) + 0.5) / 1_000_000;
  const DATA: [string, () => number][] = [
    ['evenly spread values', uniform],
    ['values of every size', () => 10 ** (uniform() * 600 - 300)],
    ['a long tail', () => 1 / uniform() ** 3],
    ['values around 0', () => (uniform() - 0.5) ** 7],
    ['values at the bounds of buckets', () => 2 ** random.below(20) * (1 + random.below(128) / 128)],
    ['values just below them', () => 2 ** random.below(20) * (1 + random.below(128) / 128) * (1 - 2 ** -53)],
    ['few different values', () => random.below(3)],
  ];

  it.each(DATA)('lies within its relative error of %s', (_, value) => {
    for (const error of [0.1, 0.01, 0.001]) {
      const values = Array.from({ length: 2_000 }, value);
      const sorted = [...values].sort((left, right) => left - right);
      for (const p of [0, 0.01, 0.5, 0.9, 0.999, 1]) {
        const truth = sorted[Math.max(Math.ceil(p * values.length) - 1, 0)]!;
        for (const appendOnly of [true, false]) {
          const found = shown<number>(sketch('approxPercentile', { p, error }, appendOnly), values);
          const size = Math.abs(truth);
          const within = 2 ** -24 <= size && size < 2 ** 64 ? error : 0.5;
          expect(Math.abs(found - truth)).toBeLessThanOrEqual(within * size + 2.3e-308);
        }
      }
    }
  });

  it('is exact while different values are few and never go', () => {
    const aggregator = sketch('approxPercentile', { p: 0.5, error: 0.1 });
    expect(
      shown(
        aggregator,
        Array.from({ length: 1_000 }, (_, n) => (n % 128) / 7),
      ),
    ).toBe(62 / 7);
    expect(shown(aggregator, [])).toBeNull();
    expect(shown(aggregator, [null])).toBeNull();
  });

  it('takes values back, and keeps what it would have if they had never come', () => {
    const aggregator = sketch('approxPercentile', { p: 0.5, error: 0.01 }, false);
    const values = Array.from({ length: 500 }, () => (uniform() - 0.5) * 1_000);
    let accumulator = folded(aggregator, placed(values));
    const before = aggregator.codec.encode(accumulator);
    const passing = Array.from({ length: 500 }, () => uniform() * 1e6);
    for (const weight of [2, -1, -1])
      for (const v of shuffled(random, passing))
        accumulator = aggregator.fold(accumulator, fact(v) as never, weight, undefined, 'x');
    expect(aggregator.codec.encode(accumulator)).toBe(before);
  });

  it('keeps as much as it says: 64 buckets for each doubling', () => {
    const aggregator = sketch('approxPercentile', { p: 0.5, error: 0.01 });
    const million = Array.from({ length: 50_000 }, () => 1 + uniform() * 1e6);
    expect(JSON.parse(stored(aggregator, placed(million))).length).toBeLessThan(2 * 64 * 20 + 1);
  });

  it.each([
    [0.01, 15_181],
    [0.001, 94_029],
    [0.25, 4_269],
  ])('keeps no more buckets than it says at an error of %d, whatever the values are', (error, most) => {
    expect(bucketsMax(error)).toBe(most);
    const view = new DataView(new ArrayBuffer(8));
    // One of every bucket, and of every bucket that there would be if small and great values were told apart as finely.
    const hostile: number[] = [0];
    const step = 2 ** (20 - mantissaBits(error));
    for (let upper = 0x100000; upper < 0x7ff00000; upper += step) {
      view.setUint32(0, upper);
      view.setUint32(4, 0xffffffff);
      hostile.push(view.getFloat64(0), -view.getFloat64(0));
    }
    for (const appendOnly of [true, false]) {
      const text = stored(sketch('approxPercentile', { p: 0.5, error }, appendOnly), placed(hostile));
      expect((JSON.parse(text).length - 1) / 2).toBe(most);
      expect(text.length).toBeLessThan(most * 8);
    }
  });
});

describe('approxTopK', () => {
  type Found = { value: Value; count: number }[];
  const random = new Random(9);

  function frequencies(values: readonly Value[]): Map<Value, number> {
    const counts = new Map<Value, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return counts;
  }

  const many = Array.from({ length: 20_000 }, (_, n) => `rare-${n}`);
  const heavy = ['a', 'b', 'c', 'd'].flatMap((value, index) =>
    Array.from({ length: 600 * (index + 2) }, () => value),
  );
  const HISTORIES: [string, Value[]][] = [
    ['skewed values', skewed(random, 30_000)],
    ['frequent values that come last', [...many, ...heavy]],
    ['frequent values that come first', [...heavy, ...many]],
    ['frequent values among the others', shuffled(random, [...many, ...heavy])],
    ['sorted values', skewed(random, 30_000).sort((left, right) => left - right)],
    // What order-dependent sketches forget: each comes again only when all others have.
    [
      'values in turns',
      Array.from({ length: 40 }, () => many.slice(0, 500))
        .flat()
        .concat(heavy),
    ],
  ];

  it.each(HISTORIES)('finds what is frequent and counts it within its error, of %s', (_, values) => {
    const error = 0.01;
    const truth = frequencies(values);
    const found = shown<Found>(sketch('approxTopK', { k: 1_000, error }), values);
    const counted = new Map(found.map(({ value, count }) => [value, count]));
    let wrong = 0;
    for (const [value, count] of counted) {
      expect(count).toBeGreaterThanOrEqual(truth.get(value)!);
      if (count > truth.get(value)! + error * values.length) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(0.02 * counted.size);
    for (const [value, count] of truth)
      if (count >= 2 * error * values.length) expect([value, counted.has(value)]).toEqual([value, true]);
    expect(found.map(({ count }) => count)).toEqual(found.map(({ count }) => count).sort((l, r) => r - l));
  });

  it('is exact while different values are few; equal counts come in the order of the values', () => {
    const aggregator = sketch('approxTopK', { k: 3, error: 0.01 });
    const values = Array.from({ length: 1_200 }, (_, n) => n % 400);
    expect(shown(aggregator, [...values, 399, 10, 9, 9])).toEqual([
      { value: 9, count: 5 },
      { value: 10, count: 4 },
      { value: 399, count: 4 },
    ]);
    expect(shown(aggregator, [null])).toEqual([]);
  });

  it('keeps as much as it says, however many values there are', () => {
    const aggregator = sketch('approxTopK', { k: 3, error: 0.01 });
    const text = stored(aggregator, placed(Array.from({ length: 5_000 }, (_, n) => n + 1e6)));
    expect(text.length).toBeLessThan(20_000);
  });

  it('refuses a retraction', () => {
    const aggregator = sketch('approxTopK', { k: 3, error: 0.01 });
    expect(() => aggregator.fold(aggregator.initial(), fact(1) as never, -1, '1', 'x')).toThrow(
      'append-only',
    );
  });
});
