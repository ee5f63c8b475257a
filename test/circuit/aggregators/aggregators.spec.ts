import fc from 'fast-check';
import { aggregatorsByKind } from '../../../src/circuit/aggregators/aggregator-of.js';
import type { AggregatorInput } from '../../../src/circuit/aggregator.js';
import { generatedRead, generatedRow } from '../../../src/circuit/generated-row.js';
import { Aggregate, groupCodec } from '../../../src/circuit/operators/aggregate.js';
import { compareText } from '../../../src/zset/text-order.js';
import { compareValues, type Value } from '../../../src/zset/value.js';
import { Delta } from '../../../src/zset/delta.js';
import { Stepped } from '../../support/stepped.js';

interface Fact {
  g: string;
  v: Value;
  b: Value;
  t: boolean;
}
type Kind = keyof typeof aggregatorsByKind;

const KINDS: Kind[] = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'first',
  'last',
  'minBy',
  'maxBy',
  'countDistinct',
  'countIf',
  'sumIf',
  'collect',
];

/** A group's results, kept incrementally. */
function aggregated(
  kinds: readonly Kind[],
  options: { appendOnly?: boolean; inLogOrder?: boolean; descending?: boolean; entriesMax?: number } = {},
): Stepped {
  return new Stepped(
    (builder) => {
      const aggregators = kinds.map((kind, slot) => {
        const input: AggregatorInput = {
          value: generatedRead('v'),
          present: false,
          by: kind === 'collect' || options.inLogOrder ? null : generatedRead('b'),
          test: generatedRead('t'),
          descending: options.descending ?? false,
          inLogOrder: options.inLogOrder ?? false,
          appendOnly: options.appendOnly ?? false,
          members: () => builder.ordered(`members.${slot}`),
        };
        return aggregatorsByKind[kind](input);
      });
      return new Aggregate(builder.keyed('groups', groupCodec(aggregators)), {
        groupKeyOf: (row) => (row as unknown as Fact).g,
        rowOf: generatedRow([
          { name: 'g', from: { path: 'g' } },
          ...kinds.map((name, slot) => ({ name, from: { value: slot } })),
        ]),
        aggregators,
      });
    },
    { entriesMax: options.entriesMax ?? 1 },
  );
}

/** What a kind means, from all rows of a group at once. Numbers are eighths, so that their sums are exact. */
function meaning(kind: Kind, facts: readonly Fact[]): Value {
  const held = facts.map(({ v }) => v).filter((v) => v !== null);
  const numbers = held as number[];
  const sum = (of: number[]): Value => (of.length === 0 ? null : of.reduce((total, n) => total + n, 0));
  const text = (value: Value) => JSON.stringify(value);
  const chosen = (sign: number): Value =>
    [...facts]
      .filter(({ b }) => b !== null)
      .sort((l, r) => compareValues(l.b, r.b) * sign || compareText(text(l.v), text(r.v)))[0]?.v ?? null;
  switch (kind) {
    case 'count':
      return held.length;
    case 'countIf':
      return facts.filter(({ t }) => t).length;
    case 'countDistinct':
      return new Set(held.map(text)).size;
    case 'sum':
      return sum(numbers);
    case 'sumIf':
      return sum(facts.filter(({ t, v }) => t && v !== null).map(({ v }) => v as number));
    case 'avg':
      return numbers.length === 0 ? null : (sum(numbers) as number) / numbers.length;
    case 'min':
      return [...held].sort(compareValues)[0] ?? null;
    case 'max':
      return [...held].sort(compareValues).at(-1) ?? null;
    case 'first':
    case 'minBy':
      return chosen(1);
    case 'last':
    case 'maxBy':
      return chosen(-1);
    case 'collect':
      return [...held].sort(compareValues);
  }
}

const eighths = fc.integer({ min: -16, max: 16 }).map((n) => n / 8);
const facts = fc.array(
  fc.record({
    g: fc.constantFrom('x', 'y'),
    v: fc.option(eighths),
    b: fc.option(fc.oneof(eighths, fc.constantFrom('a', 'é', '😀', '\ufffd', 'a\0', ''))),
    t: fc.boolean(),
  }),
  { maxLength: 12 },
);

const rowsOf = (kinds: readonly Kind[], all: readonly Fact[]): Record<string, Value>[] =>
  ['x', 'y']
    .map((g) => all.filter((fact) => fact.g === g))
    .filter((group) => group.length > 0)
    .map((group) => ({
      g: group[0]!.g,
      ...Object.fromEntries(kinds.map((kind) => [kind, meaning(kind, group)])),
    }));

/** Follows the output: what is shown now. */
function shownAfter(shown: Map<string, any>, output: readonly [any, number][]): void {
  for (const [row, weight] of output) if (weight < 0) shown.delete(row.g);
  for (const [row, weight] of output) if (weight > 0) shown.set(row.g, row);
}

describe('the aggregators', () => {
  it('show what the group means, after every tick, however rows come and go', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 5 }), fc.infiniteStream(fc.nat()), (batches, places) => {
        const group = aggregated(KINDS);
        const shown = new Map<string, any>();
        let all: Fact[] = [];
        for (const added of batches) {
          const removed = all.filter(() => (places.next().value as number) % 2 === 0);
          all = [...all.filter((fact) => !removed.includes(fact)), ...added];
          const entries = [
            ...added.map((fact) => [fact, 1] as const),
            ...removed.map((fact) => [fact, -1] as const),
          ];
          entries.sort(() => ((places.next().value as number) % 2) - 0.5);
          shownAfter(shown, group.step(entries));
          expect([...shown.values()].sort((l, r) => compareText(l.g, r.g))).toEqual(rowsOf(KINDS, all));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('leave exactly the state before, when rows have come and gone', () => {
    fc.assert(
      fc.property(facts, fc.array(facts, { minLength: 1, maxLength: 3 }), (kept, passing) => {
        const group = aggregated(KINDS);
        group.step(kept.map((fact) => [fact, 1] as const));
        const before = group.store.toString();
        for (const some of passing) group.step(some.map((fact) => [fact, 2] as const));
        for (const some of passing.reverse()) group.step(some.map((fact) => [fact, -2] as const));
        expect(group.store.toString()).toBe(before);
      }),
      { numRuns: 100 },
    );
  });

  it('of a collection that never retracts show the same without remembering all of it', () => {
    const kinds: Kind[] = ['min', 'max', 'first', 'last', 'minBy', 'maxBy'];
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 4 }), (batches) => {
        const retracting = aggregated(kinds);
        const appending = aggregated(kinds, { appendOnly: true });
        for (const added of batches) {
          const entries = added.map((fact) => [fact, 1] as const);
          expect(appending.step(entries)).toEqual(retracting.step(entries));
        }
        expect(appending.states.filter(({ kind }) => kind === 'ordered')).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('without rows have no result', () => {
    const group = aggregated(KINDS);
    const fact: Fact = { g: 'x', v: null, b: null, t: false };
    expect(group.step([[fact, 1]])[0]![0]).toEqual({
      ...{
        g: 'x',
        count: 0,
        sum: null,
        avg: null,
        min: null,
        max: null,
        first: null,
        last: null,
        minBy: null,
        maxBy: null,
      },
      ...{ countDistinct: 0, countIf: 0, sumIf: null, collect: [] },
    });
    expect(group.step([[fact, -1]])).toHaveLength(1);
    expect(group.store.toString()).toBe(aggregated(KINDS).store.toString());
  });
});

describe('first and last', () => {
  const fact = (v: string): Fact => ({ g: 'x', v, b: null, t: true });

  it('follow the place in the log, not the order of arrival', () => {
    const group = aggregated(['first', 'last'], { appendOnly: true, inLogOrder: true });
    expect([...group.raw(new Delta([fact('late'), fact('early')], [1, 1], ['2', '1']))]).toEqual([
      [{ g: 'x', first: 'early', last: 'late' }, 1],
    ]);
    expect([...group.raw(new Delta([fact('latest'), fact('earliest')], [1, 1], ['3', '0']))].at(-1)).toEqual([
      { g: 'x', first: 'earliest', last: 'latest' },
      1,
    ]);
  });

  it('refuse a retraction where there was to be none', () => {
    const group = aggregated(['first'], { appendOnly: true, inLogOrder: true });
    expect(() => group.raw(new Delta([fact('a')], [-1], ['1']))).toThrow('append-only');
  });
});

describe('collect', () => {
  it('can be in descending order', () => {
    const group = aggregated(['collect'], { descending: true });
    const entries = [1, 3, 2, 3].map((v) => [{ g: 'x', v, b: null, t: true }, 1] as const);
    expect(group.step(entries)).toEqual([[{ g: 'x', collect: [3, 3, 2, 1] }, 1]]);
  });
});

describe('the cost of a change', () => {
  const fact = (v: number, g = 'x'): Fact => ({ g, v, b: v, t: true });
  const big = Array.from({ length: 500 }, (_, v) => [fact(v), 1] as const);

  it('is one member and the group, whatever the size of the group', () => {
    const group = aggregated(['min', 'max', 'countDistinct'], { entriesMax: 10_000 });
    group.step(big);
    group.step([[fact(250.5), 1]]);
    expect(group.writes).toBe(1 + 3);
  });

  it('reads the next extreme only when the extreme goes', () => {
    const group = aggregated(['max']);
    group.step(big);
    const readBy = (entries: readonly (readonly [Fact, number])[]): number => {
      const before = group.store.fetched;
      for (const state of group.states) state.drop();
      group.step(entries);
      return group.store.fetched - before;
    };
    // The group and errors aside: one member of the ordered state, or that and the end.
    expect(readBy([[fact(7), -1]])).toBe(2);
    expect(readBy([[fact(499), -1]])).toBe(3);
    expect(readBy([[fact(1_000), 1]])).toBe(2);
  });

  it('is nothing for groups that are not touched', () => {
    const group = aggregated(['sum', 'max']);
    group.step([
      [fact(1, 'x'), 1],
      [fact(1, 'y'), 1],
    ]);
    group.step([[fact(2, 'y'), 1]]);
    expect(group.writes).toBe(2);
  });

  it('is no output where the result stays the same', () => {
    const group = aggregated(['max']);
    group.step([
      [fact(5), 1],
      [fact(3), 1],
    ]);
    expect(group.step([[fact(4), 1]])).toEqual([]);
    expect(group.step([[fact(3), -1]])).toEqual([]);
  });
});
