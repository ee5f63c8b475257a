import fc from 'fast-check';
import { aggregatorOf, nameOf, type Fact, type Written } from '../../support/aggregated.js';

const MERGEABLE: Written[] = [
  'count',
  'countIf',
  'sum',
  'sumIf',
  'avg',
  'variance',
  'stddev',
  'every',
  'some',
  ['histogram', { bounds: [-1, 0, 1] }],
  ['histogram', { width: 0.5 }],
  'min',
  'max',
  'first',
  'last',
  'minBy',
  'maxBy',
];

const none = (): never => {
  throw new Error('What merges keeps no members.');
};

const facts = fc.array(
  fc.record({
    g: fc.constant('x'),
    v: fc.option(
      fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 })),
    ),
    b: fc.option(fc.constantFrom('a', 'b', 'é')),
    t: fc.option(fc.boolean()),
  }),
  { maxLength: 20 },
) as fc.Arbitrary<Fact[]>;

describe.each(MERGEABLE.map((written, slot) => [nameOf(written, slot), written] as const))(
  'the accumulators of %s',
  (_name, written) => {
    it.each([false, true])(
      'of parts merge to that of the whole, in any order and any tree (log order: %s)',
      (inLogOrder) => {
        const aggregator = aggregatorOf(written, none, { appendOnly: true, inLogOrder });
        const settled = (accumulator: unknown): unknown =>
          aggregator.settle?.(accumulator, 'x') ?? accumulator;
        const ofAll = (some: readonly Fact[]): unknown =>
          settled(
            some.reduce<unknown>(
              (accumulator, fact) =>
                aggregator.fold(accumulator, fact as never, 1, fact.b === null ? '' : String(fact.b), 'x'),
              aggregator.initial(),
            ),
          );
        fc.assert(
          fc.property(fc.array(facts, { maxLength: 6 }), fc.infiniteStream(fc.nat()), (parts, places) => {
            const whole = aggregator.codec.encode(ofAll(parts.flat()));
            let accumulators = parts.map(ofAll);
            while (accumulators.length > 1) {
              const [into] = accumulators.splice((places.next().value as number) % accumulators.length, 1);
              const at = (places.next().value as number) % accumulators.length;
              const other = accumulators[at]!;
              const text = aggregator.codec.encode(other);
              const merged = aggregator.merge!(aggregator.codec.decode(aggregator.codec.encode(into)), other);
              expect(aggregator.codec.encode(other)).toBe(text);
              accumulators = accumulators.with(at, settled(merged));
            }
            expect(aggregator.codec.encode(accumulators[0] ?? aggregator.initial())).toBe(whole);
          }),
          { numRuns: 100 },
        );
      },
    );
  },
);
