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

/** Those that also take rows back. */
const LINEAR: Written[] = [
  ...MERGEABLE.slice(0, MERGEABLE.indexOf('min')),
  ['approxPercentile', { p: 0.5, error: 0.01 }],
];

describe.each(LINEAR.map((written, slot) => [nameOf(written, slot), written] as const))(
  'the accumulators of %s',
  (_name, written) => {
    it('of parts in which more rows go than come merge to that of what is left', () => {
      const aggregator = aggregatorOf(written, none, { appendOnly: false });
      const { encode, decode } = aggregator.codec;
      const partOf = (changes: readonly (readonly [Fact, number])[]): string => {
        const folded = changes.reduce<unknown>(
          (accumulator, [fact, weight]) => aggregator.fold(accumulator, fact as never, weight, '', 'x'),
          aggregator.initial(),
        );
        return encode(aggregator.settle?.(folded, 'x') ?? folded);
      };
      const history = fc.tuple(facts, fc.infiniteStream(fc.nat(4)));
      fc.assert(
        fc.property(history, ([rows, places]) => {
          const changes: (readonly [Fact, number])[][] = [[], [], [], [], []];
          const left: (readonly [Fact, number])[] = [];
          const next = (): number => places.next().value as number;
          for (const row of rows) {
            changes[next()]!.push([row, 1]);
            if (next() < 3) changes[next()]!.push([row, -1]);
            else left.push([row, 1]);
          }
          const merged = changes
            .map(partOf)
            .reduce<unknown>((into, part) => aggregator.merge!(into, decode(part)), aggregator.initial());
          expect(encode(aggregator.settle?.(merged, 'x') ?? merged)).toBe(partOf(left));
        }),
        { numRuns: 200 },
      );
    });
  },
);

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
