import {
  approxContains,
  approxCountDistinct,
  approxPercentile,
  approxTopK,
  collect,
  collectDistinct,
  count,
  countDistinct,
  declarationErrors,
  every,
  histogram,
  instant,
  joinText,
  median,
  min,
  percentile,
  some,
  stddev,
  stream,
  sum,
  topK,
  tumbling,
  variance,
  view,
} from 'stillwater';
import { given } from 'stillwater/testing';
import { z } from 'zod';
import { aggregatorsByKind } from '../../src/circuit/aggregators/aggregator-of.js';
import { aggregateFacts } from '../../src/view/aggregate-facts.js';
import { explainView } from '../../src/view/explain.js';
import type { AggregateNode } from '../../src/view/plan.js';

const flights: any = stream('flights', {
  schema: z.object({
    at: instant(),
    origin: z.string(),
    delay: z.int(),
    gate: z.string().optional(),
    wind: z.number().nullable(),
    late: z.boolean(),
    diverted: z.boolean().optional(),
    tags: z.array(z.string()),
  }),
  eventTime: 'at',
});
/** The same, of which none is late. */
const punctual: any = stream('flights', {
  schema: flights.declaration.schema,
  eventTime: 'at',
  lateness: '5h',
});
const any = (aggregate: (...args: any[]) => unknown, ...args: unknown[]): any => aggregate(...args);
const viewOf = (aggregates: object, from = flights): any =>
  (view as any)('v', { from: from.groupBy('origin').aggregate(aggregates) });
const errorsOf = (aggregates: object) => declarationErrors([viewOf(aggregates).declaration]);
const fingerprint = (aggregates: object): string => viewOf(aggregates).declaration.fingerprint;
const explained = (aggregates: object, from = flights) =>
  explainView(viewOf(aggregates, from).declaration).operators.findLast(({ op }) => op === 'aggregate')!;

describe('the table of aggregates', () => {
  it('has every kind that can be computed, and no other', () => {
    expect(Object.keys(aggregateFacts).sort()).toEqual(Object.keys(aggregatorsByKind).sort());
  });
});

describe('the columns of aggregates', () => {
  it('are null exactly where they can be', () => {
    const { plan } = flights.groupBy('origin').aggregate({
      sample: any(variance, 'delay'),
      spread: any(variance, 'delay', { population: true }),
      deviation: any(stddev, 'wind', { population: true }),
      all: any(every, 'late'),
      any: any(some, 'diverted'),
      tested: every((flight: any) => flight.delay > 0),
      buckets: any(histogram, 'wind', { bounds: [0] }),
      middle: any(median, 'delay'),
      maybe: any(median, 'wind'),
      ninth: any(percentile, 'gate', 0.9, { discrete: true }),
      when: any(percentile, 'at', 0.5, { discrete: true }),
      top: any(topK, 'wind', 3),
      gates: any(collectDistinct, 'gate'),
      text: any(joinText, 'gate'),
      origins: any(joinText, 'origin'),
      users: any(approxCountDistinct, 'gate'),
      nearly: any(approxPercentile, 'wind', 0.5),
      frequent: any(approxTopK, 'gate', 5),
      filter: any(approxContains, 'gate', { expected: 100 }),
    });
    const types = (plan as AggregateNode).aggregates.map(({ name, aggregate: { column } }) => [
      name,
      column.name === name && { ...column.type },
    ]);
    const number = { kind: 'number', integer: false };
    expect(Object.fromEntries(types)).toMatchObject({
      sample: { ...number, nullable: true },
      spread: { ...number, nullable: false },
      deviation: { ...number, nullable: true },
      all: { kind: 'boolean', nullable: false },
      any: { kind: 'boolean', nullable: true },
      tested: { kind: 'boolean', nullable: false },
      buckets: {
        kind: 'array',
        nullable: false,
        element: {
          kind: 'object',
          columns: [
            { name: 'from', type: { nullable: true } },
            { name: 'to', type: { nullable: true } },
            { name: 'count', type: { integer: true, nullable: false } },
          ],
        },
      },
      middle: { ...number, nullable: false },
      maybe: { ...number, nullable: true },
      ninth: { kind: 'string', nullable: true },
      when: { kind: 'string', format: 'instant', nullable: false },
      top: { kind: 'array', element: { ...number, nullable: false } },
      gates: { kind: 'array', element: { kind: 'string', nullable: false }, nullable: false },
      text: { kind: 'string', nullable: true },
      origins: { kind: 'string', nullable: false },
      users: { kind: 'number', integer: true, nullable: false },
      nearly: { ...number, nullable: true },
      frequent: {
        kind: 'array',
        element: {
          columns: [
            { name: 'value', type: { kind: 'string', nullable: false } },
            { name: 'count', type: { integer: true } },
          ],
        },
      },
      filter: { kind: 'string', nullable: false },
    });
  });

  it('have schemas that say the same', () => {
    const { plan } = flights.groupBy('origin').aggregate({
      buckets: any(histogram, 'wind', { width: 5 }),
      maybe: any(median, 'wind'),
      gates: any(collectDistinct, 'gate'),
    });
    const schemas = (plan as AggregateNode).aggregates.map(
      ({ aggregate: { column } }) => column.schema as z.ZodType,
    );
    expect(schemas[0]!.parse([{ from: null, to: 5, count: 2 }])).toHaveLength(1);
    expect(schemas[0]!.safeParse([{ from: 0, to: 5, count: 0.5 }]).success).toBe(false);
    expect(schemas[1]!.parse(null)).toBeNull();
    expect(schemas[2]!.safeParse([null]).success).toBe(false);
  });
});

describe('an aggregate is refused', () => {
  it.each([
    ['numbers', any(median, 'origin')],
    ['numbers', any(variance, 'tags')],
    ['numbers', any(percentile, 'origin', 0.5)],
    ['values with an order', any(percentile, 'tags', 0.5, { discrete: true })],
    ['values with an order', any(topK, 'tags', 3)],
    ['values with an order', any(countDistinct, 'tags')],
    ['values with an order', any(collect, 'origin', { by: 'tags' })],
    ['booleans', any(every, 'origin')],
    ['text', any(joinText, 'delay')],
  ])('that needs %s and is given others', (needs, aggregate) => {
    const [error] = errorsOf({ a: aggregate });
    expect(error).toMatchObject({ code: 'wrong-type' });
    expect(error!.message).toContain(`needs ${needs}`);
  });

  it.each([
    [any(percentile, 'delay', 1.5), 'a number from 0 to 1'],
    [any(percentile, 'delay', NaN), 'a number from 0 to 1'],
    [any(percentile, 'delay'), 'a number from 0 to 1'],
    [any(topK, 'delay', 0), 'from 1 to 1000'],
    [any(topK, 'delay', 2.5), 'from 1 to 1000'],
    [any(topK, 'delay', 3, { order: 'up' }), `'asc' or 'desc'`],
    [any(collect, 'delay', { order: 'down' }), `'asc' or 'desc'`],
    [any(joinText, 'origin', { separator: 5 }), 'by a text'],
    [any(approxCountDistinct, 'origin', { error: 0.001 }), 'errs by 0.005 to 0.1'],
    [any(approxPercentile, 'delay', 2), 'a number from 0 to 1'],
    [any(approxPercentile, 'delay', 0.5, { error: 0 }), 'errs by'],
    [any(approxTopK, 'origin', 0), 'from 1 to 1000'],
    [any(approxTopK, 'origin', 5, { error: 0.5 }), 'errs by 0.001 to 0.1'],
    [any(approxContains, 'origin'), 'a whole number of different values'],
    [any(approxContains, 'origin', { expected: 1_000_000 }), 'at most 65536 bytes'],
    [any(histogram, 'delay', { bounds: [] }), 'one bound or more'],
    [any(histogram, 'delay', { bounds: [1, 1] }), 'greater than the one before'],
    [any(histogram, 'delay', { bounds: [0, Infinity] }), 'greater than the one before'],
    [any(histogram, 'delay', {}), '`bounds` or a `width`'],
    [any(histogram, 'delay', { width: 0 }), '`width` greater than 0'],
    [any(histogram, 'delay', { width: 1, from: 5, to: 5 }), 'ends behind where it begins'],
    [any(histogram, 'delay', { width: 1e-9, from: 1e9 }), '2^48 steps'],
    [any(histogram, 'delay', { bounds: Array.from({ length: 1_000 }, (_, at) => at) }), 'at most 999'],
  ])('with options that it cannot have: %#', (aggregate, sentence) => {
    const [error] = errorsOf({ a: aggregate });
    expect(error).toMatchObject({ code: 'bad-option' });
    expect(error!.message).toContain(sentence);
  });

  it('in a sentence, with what is given and what to write', () => {
    const [error] = errorsOf({ slow: any(percentile, 'delay', 95) });
    expect(error!.message).toContain('The aggregate "slow" (percentile) is taken at a number from 0 to 1.');
    expect(error!.message).toContain('{"p":95}');
    expect(error!.message).toContain(`Write percentile('delay', 0.95).`);
  });

  const grouped = flights.groupBy('origin', 'delay').aggregate({ n: count() });

  it.each([
    ['countDistinct', any(approxCountDistinct, 'delay')],
    ['groupBy, count and top', any(approxTopK, 'delay', 3)],
    ['collectDistinct', any(approxContains, 'delay', { expected: 10 })],
  ])('that takes no row back, where rows may go: use %s', (instead, aggregate) => {
    const [error, ...others] = declarationErrors([viewOf({ a: aggregate }, grouped).declaration]);
    expect(error).toMatchObject({ code: 'retracts' });
    expect(error!.message).toContain(`Use ${instead}, or aggregate straight from a stream.`);
    expect(others).toEqual([]);
    expect(errorsOf({ a: aggregate })).toEqual([]);
  });

  it('that draws lots by the place in the log, where rows have none', () => {
    const distinct = flights.select({ origin: 'origin', delay: 'delay' }).distinct();
    const errors = (aggregate: unknown) =>
      declarationErrors([viewOf({ a: aggregate }, distinct).declaration]);
    expect(errors(any(approxTopK, 'delay', 3))).toMatchObject([{ code: 'no-order' }]);
    expect(errors(any(approxCountDistinct, 'delay'))).toEqual([]);
    expect(
      declarationErrors([viewOf({ a: any(approxPercentile, 'delay', 0.5) }, grouped).declaration]),
    ).toEqual([]);
  });

  it('without a column or a test', () => {
    expect(errorsOf({ a: any(every) })).toMatchObject([{ code: 'unknown-column' }]);
    expect(errorsOf({ a: any(every, async () => true) })).toMatchObject([{ code: 'bad-function' }]);
    expect(errorsOf({ a: any(median, 'dela') })).toMatchObject([{ code: 'unknown-column' }]);
  });
});

describe('what an aggregate costs', () => {
  const grouped = flights.groupBy('origin', 'delay').aggregate({ n: count() });
  const sums = { total: any(sum, 'delay'), spread: any(variance, 'delay') };

  it('is the most that any of them costs', () => {
    expect(
      explained({ ...sums, all: any(every, 'late'), h: any(histogram, 'delay', { width: 5 }) }),
    ).toMatchObject({
      cost: 'O(|Δ|)',
      growth: 'one entry per group',
    });
    expect(explained({ ...sums, m: any(median, 'delay') })).toMatchObject({
      cost: 'O(|Δ| log n)',
      growth: 'one entry per value of a group',
    });
    expect(explained({ ...sums, m: any(median, 'delay'), t: any(joinText, 'origin') }).cost).toBe(
      'holistic: O(group)',
    );
  });

  it('is less where rows never go, of those that then need not remember the others', () => {
    expect(explained({ least: any(min, 'delay') }).growth).toBe('one entry per group');
    expect(explained({ least: any(min, 'n') }, grouped).growth).toBe('one entry per value of a group');
  });

  it('is a sketch for each group of those that are nearly right', () => {
    expect(
      explained({ ...sums, n: any(approxCountDistinct, 'origin'), p: any(approxPercentile, 'delay', 0.9) }),
    ).toMatchObject({
      cost: 'O(|Δ|)',
      growth: 'one sketch per group',
    });
  });

  it('is told with the options', () => {
    expect(explained({ slow: any(percentile, 'delay', 0.9), top: any(topK, 'delay', 3) }).what).toContain(
      'slow = percentile(delay, p 0.9), top = topK(delay, k 3, order "desc")',
    );
  });
});

describe('the fingerprint of an aggregate', () => {
  it('changes with its options, and not with how they are written', () => {
    const different = [
      any(variance, 'delay'),
      any(variance, 'delay', { population: true }),
      any(stddev, 'delay'),
      any(percentile, 'delay', 0.5),
      any(percentile, 'delay', 0.9),
      any(percentile, 'delay', 0.9, { discrete: true }),
      any(median, 'delay'),
      any(topK, 'delay', 3),
      any(topK, 'delay', 4),
      any(topK, 'delay', 3, { order: 'asc' }),
      any(collect, 'origin'),
      any(collect, 'origin', { order: 'desc' }),
      any(collect, 'origin', { by: 'delay' }),
      any(collectDistinct, 'origin'),
      any(joinText, 'origin'),
      any(joinText, 'origin', { separator: '' }),
      any(histogram, 'delay', { bounds: [1] }),
      any(histogram, 'delay', { bounds: [1, 2] }),
      any(histogram, 'delay', { width: 1 }),
      any(histogram, 'delay', { width: 1, from: 0 }),
      any(approxCountDistinct, 'origin'),
      any(approxCountDistinct, 'origin', { error: 0.05 }),
      any(approxPercentile, 'delay', 0.5),
      any(approxPercentile, 'delay', 0.5, { error: 0.05 }),
      any(approxTopK, 'origin', 5),
      any(approxTopK, 'origin', 5, { error: 0.05 }),
      any(approxContains, 'origin', { expected: 10 }),
      any(approxContains, 'origin', { expected: 20 }),
      any(every, 'late'),
      any(some, 'late'),
      every((flight: any) => flight.delay > 1),
      every((flight: any) => flight.delay > 2),
    ].map((aggregate) => fingerprint({ a: aggregate }));
    expect(new Set(different).size).toBe(different.length);
    expect(fingerprint({ a: any(histogram, 'delay', { from: 0, width: 1 }) })).toBe(
      fingerprint({ a: any(histogram, 'delay', { width: 1, from: 0 }) }),
    );
    expect(fingerprint({ a: any(collect, 'origin', { order: 'asc' }) })).toBe(
      fingerprint({ a: any(collect, 'origin') }),
    );
  });
});

describe('a view of sketches and ranks', () => {
  const nearly = {
    users: any(approxCountDistinct, 'gate', { error: 0.1 }),
    frequent: any(approxTopK, 'gate', 3, { error: 0.1 }),
    filter: any(approxContains, 'gate', { expected: 40 }),
    slow: any(approxPercentile, 'wind', 0.9),
    middle: any(median, 'wind'),
    spread: any(stddev, 'wind'),
    top: any(topK, 'delay', 3),
  };
  const events = Array.from({ length: 300 }, (_, n) => ({
    at: Date.UTC(2001, 0, 1, 0, (n * 7) % 300),
    origin: n % 3 === 0 ? 'ORD' : 'LAX',
    delay: (n * 31) % 97,
    gate: n % 5 === 0 ? 'A1' : `G${n}`,
    wind: n % 11 === 0 ? null : ((n * 17) % 50) / 10,
    late: n % 2 === 0,
    tags: [],
  }));

  it('shows and keeps the same, however its log is cut, interleaved and taken over', () => {
    given(flights, events).expect(viewOf(nearly)).converges({ runs: 6 });
  });

  it('does so in windows, and when its results are final', () => {
    const hours = punctual.window(tumbling('1h')).groupBy('origin').aggregate(nearly);
    const history = given(punctual, [...events, { ...events[0]!, at: Date.UTC(2001, 0, 2) }]);
    history.expect((view as any)('hours', { from: hours })).converges({ runs: 3 });
    history.expect((view as any)('final-hours', { from: hours.final() })).converges({ runs: 3 });
  });
});
